"""Which rows train and which validate."""

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
    if train.all():
        raise TableError(f"{rows} rows are too few to keep {fraction:g} of them for validation")
    return train
