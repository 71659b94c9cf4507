"""Which rows train and which are held out, for each network: at random, by groups, or the last in time."""

from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cmlp.tabular.errors import TableError

RowNumbers = NDArray[np.int64]


@dataclass(frozen=True)
class Rules:
    """How rows are split.

    Parameters
    ----------
    validation : float
        The share that is held out, 0 <= validation < 1.
    folds : int, scikit-learn splitter, iterable of (train, held), or None
        A cross-validation: as many networks as folds, each row is held out once.
    seed : int
        The same seed draws the same rows.
    members : int
        Networks, where there is no cross-validation.
    """

    validation: float
    folds: Any
    seed: int
    members: int


class Splits(NamedTuple):
    """Training and held-out row numbers of each network; only the last `used` networks predict."""

    parts: list[tuple[RowNumbers, RowNumbers]]
    used: int


def make_splits(
    rules: Rules,
    classes: NDArray[Any] | None,
    rows: int,
    groups: NDArray[Any] | None = None,
    time: NDArray[np.float64] | None = None,
    validates: NDArray[np.bool_] | None = None,
) -> Splits:
    """Split the rows once for each network.

    Parameters
    ----------
    rules : Rules
        How.
    classes : numpy.ndarray or None
        Encoded classes (rows,): each keeps its share in every part.
    rows : int
        How many there are.
    groups : numpy.ndarray, optional
        Rows of one group (rows,) are on one side.
    time : numpy.ndarray, optional
        Rows train on earlier ones (rows,).
    validates : numpy.ndarray, optional
        Rows that are held out from every network (rows,).

    Returns
    -------
    Splits
        For each network.

    Raises
    ------
    TableError
        If there are too few rows or groups.
    """
    if validates is not None:
        return _repeated(_checked(~validates, float(np.mean(validates))), rules.members)
    if rules.folds is None and rules.validation == 0:
        return _repeated(np.ones(rows, bool), rules.members)
    if rules.folds is None and time is not None:
        return _repeated(split_time(time, rules.validation), rules.members)
    if rules.folds is not None:
        parts = folds(rows, rules.folds, rules, classes, groups, time)
        return Splits(parts, 1 if time is not None else len(parts))
    if groups is not None:
        count = max(2, rules.members, round(1 / rules.validation))
        parts = folds(rows, count, rules, None, groups, None)
        return Splits([parts[k % len(parts)] for k in range(rules.members)], rules.members)
    return Splits(shares_of_rows(rows, rules, classes), rules.members)


def _repeated(train: NDArray[np.bool_], members: int) -> Splits:
    return Splits([(np.flatnonzero(train), np.flatnonzero(~train))] * members, members)


def split_time(time: NDArray[np.float64], fraction: float) -> NDArray[np.bool_]:
    """Train on the earlier rows (rows,); rows of one time are on one side."""
    return _checked(time < np.quantile(time, 1 - fraction, method="higher"), fraction)


def folds(
    rows: int,
    count: Any,
    rules: Rules,
    classes: NDArray[Any] | None,
    groups: NDArray[Any] | None,
    time: NDArray[np.float64] | None,
) -> list[tuple[RowNumbers, RowNumbers]]:
    """Rows of each fold, (training, held out); `count` folds, or the folds themselves."""
    if hasattr(count, "split"):
        count = count.split(np.zeros(rows), classes, groups)
    if not isinstance(count, Integral):
        return [(np.asarray(train), np.asarray(held)) for train, held in count]
    count = int(count)
    if time is not None:
        return _time_folds(time, count)
    fold = (
        fold_of_rows(rows, count, rules.seed, classes)
        if groups is None
        else _fold_of_groups(groups, count, rules)
    )
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(int(fold.max()) + 1)]


def _time_folds(time: NDArray[np.float64], count: int) -> list[tuple[RowNumbers, RowNumbers]]:
    from sklearn.model_selection import TimeSeriesSplit

    if len(time) <= count:
        raise TableError(f"{len(time)} rows are too few for {count} folds in time")
    order = np.argsort(time, kind="stable")
    parts = [(order[a], order[b]) for a, b in TimeSeriesSplit(count).split(order)]
    parts = [(train[time[train] < time[held].min()], held) for train, held in parts]
    if not all(len(train) for train, _ in parts):
        raise TableError(f"too few different times for {count} folds: a fold has no earlier rows")
    return parts


def fold_of_rows(rows: int, count: int, seed: int, classes: NDArray[Any] | None) -> NDArray[np.int64]:
    """The fold of each row (rows,): the classes are spread evenly, a class of one row is in none (-1)."""
    if rows < count:
        raise TableError(f"{rows} rows are too few for {count} folds")
    fold, order = np.full(rows, -1), _spread(rows, seed, classes)
    fold[order] = np.arange(len(order)) % min(count, len(order))
    return fold


def shares_of_rows(
    rows: int, rules: Rules, classes: NDArray[Any] | None
) -> list[tuple[RowNumbers, RowNumbers]]:
    """Rows of each network, (training, held out): each holds out a share, as far as there are others.

    Of rows in the order of their classes a network holds out those whose place times the share passes an
    integer, the next network those one place later.
    """
    if rows < 2:
        raise TableError(f"{rows} rows are too few to hold some out")
    order = _spread(rows, rules.seed, classes)
    share = min(Fraction(rules.validation).limit_denominator(1000), Fraction(1, rules.members))
    p, q = max(share, Fraction(1, len(order))).as_integer_ratio()
    parts = []
    for member in range(rules.members):
        train = np.ones(rows, bool)
        train[order[(np.arange(len(order)) - member) * p % q < p]] = False
        _checked(train, rules.validation)
        parts.append((np.flatnonzero(train), np.flatnonzero(~train)))
    return parts


def _spread(rows: int, seed: int, classes: NDArray[Any] | None) -> RowNumbers:
    """Random order of the rows, sorted by their classes; without those that are alone in their class."""
    order = np.random.default_rng(seed).permutation(rows)
    codes = np.zeros(rows, np.int64) if classes is None else classes
    order = order[np.argsort(codes[order], kind="stable")]
    order = np.asarray(order[np.bincount(codes)[codes[order]] > 1], np.int64)
    if not len(order):
        raise TableError(f"{rows} rows are too few to hold some out: no class has two")
    return order


def _fold_of_groups(groups: NDArray[Any], count: int, rules: Rules) -> NDArray[np.int64]:
    codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    needed = count if rules.folds is not None else 2
    if len(sizes) < needed:
        if len(sizes) == 1:
            raise TableError("all rows are of one group: none can be held out")
        raise TableError(f"{len(sizes)} groups are too few for {needed} folds")
    count = min(count, len(sizes))
    order = np.random.default_rng(rules.seed).permutation(len(sizes))
    filled, fold = np.zeros(count, np.int64), np.zeros(len(sizes), np.int64)
    for group in order[np.argsort(-sizes[order], kind="stable")]:  # the largest first, each into the emptiest
        fold[group] = int(filled.argmin())
        filled[fold[group]] += sizes[group]
    return np.asarray(fold[codes])


def _checked(train: NDArray[np.bool_], fraction: float) -> NDArray[np.bool_]:
    if train.all() or not train.any():
        raise TableError(f"{len(train)} rows are too few to keep {fraction:g} of them for validation")
    return train
