"""Which rows train and which validate: at random, by groups, or the last in time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmlp.tabular.errors import TableError


def split_rows(
    rows: int, fraction: float, seed: int, groups: NDArray[Any] | None = None
) -> NDArray[np.bool_]:
    """Draw the training rows.

    Parameters
    ----------
    rows : int
        How many rows there are.
    fraction : float
        The share that validates, 0 <= fraction < 1.
    seed : int
        The same seed draws the same rows.
    groups : numpy.ndarray, optional
        Classes (rows,): each gives its share of the validation rows, and keeps a row to train on.

    Returns
    -------
    numpy.ndarray
        Boolean (rows,): True trains, False validates.

    Raises
    ------
    TableError
        If there are too few rows to validate with.

    Examples
    --------
    >>> from cmlp.tabular import split_rows
    >>> int(split_rows(10, 0.2, seed=0).sum())
    8
    """
    if fraction == 0:
        return np.ones(rows, bool)
    order = np.random.default_rng(seed).permutation(rows)
    codes = np.zeros(rows, np.int64) if groups is None else np.unique(groups, return_inverse=True)[1]
    order = order[np.argsort(codes[order], kind="stable")]
    sizes = np.bincount(codes)
    rank = np.arange(rows) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # of a row within its class
    share = np.minimum(np.round(sizes * fraction), sizes - 1)
    train = np.ones(rows, bool)
    train[order] = rank >= np.repeat(share, sizes)
    return _checked(train, fraction)


def split_groups(groups: NDArray[Any], fraction: float, seed: int) -> NDArray[np.bool_]:
    """Draw the training rows so that all rows of a group are on one side."""
    if fraction == 0:
        return np.ones(len(groups), bool)
    codes = np.unique(groups, return_inverse=True)[1]
    names = np.random.default_rng(seed).permutation(codes.max() + 1)
    filled = np.cumsum(np.bincount(codes)[names])
    held = names[filled <= max(fraction * len(groups), filled[0])]
    return _checked(~np.isin(codes, held), fraction)


def split_time(time: NDArray[np.float64], fraction: float) -> NDArray[np.bool_]:
    """Train on the earlier rows; rows of one time are on one side."""
    if fraction == 0:
        return np.ones(len(time), bool)
    return _checked(time < np.quantile(time, 1 - fraction, method="higher"), fraction)


def folds(
    rows: int, count: Any, seed: int, classes: NDArray[Any] | None, groups: NDArray[Any] | None, time: Any
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows of each fold of a cross-validation, (training, validation), by scikit-learn's splitters.

    Parameters
    ----------
    rows, seed : int
        Rows, and the seed of the order.
    count : int or iterable
        How many folds; or the folds themselves, pairs of row numbers.
    classes, groups, time : numpy.ndarray or None
        Classes keep their shares, groups stay on one side, times are split forwards; (rows,).
    """
    from sklearn import model_selection as ms

    if not isinstance(count, int):
        return [(np.asarray(train), np.asarray(held)) for train, held in count]
    x = np.zeros(rows)
    if time is not None:
        order = np.argsort(time, kind="stable")
        return [(order[a], order[b]) for a, b in ms.TimeSeriesSplit(count).split(x)]
    if groups is not None:
        if len(np.unique(groups)) < count:
            raise TableError(f"{len(np.unique(groups))} groups are too few for {count} folds")
        return list(ms.GroupKFold(count).split(x, None, groups))
    if rows < count:
        raise TableError(f"{rows} rows are too few for {count} folds")
    small = classes is None or np.unique(classes, return_counts=True)[1].min() < count
    splitter = (ms.KFold if small else ms.StratifiedKFold)(count, shuffle=True, random_state=seed)
    return list(splitter.split(x, classes))


def _checked(train: NDArray[np.bool_], fraction: float) -> NDArray[np.bool_]:
    if train.all() or not train.any():
        raise TableError(f"{len(train)} rows are too few to keep {fraction:g} of them for validation")
    return train
