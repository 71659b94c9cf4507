"""Columns that give the target away: found by how well one column alone predicts it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmlp.tabular.errors import printable

# Rows that are looked at.
ROWS = 5000
SURE = 0.999


def leak_remarks(columns: list[tuple[str, Any]], y: NDArray[Any], seed: int = 0) -> list[str]:
    """Warn of columns that predict the target nearly without error.

    Parameters
    ----------
    columns : list of (str, matrix)
        Name and features (rows, k) of each column.
    y : numpy.ndarray
        Class indices (rows,), or values (rows, 1).

    Returns
    -------
    list of str
        A sentence a column.
    """
    rows = np.random.default_rng(seed).permutation(len(y))[:ROWS]
    classes = y.ndim == 1
    if len(rows) < 50 or (classes and np.bincount(y[rows]).max() > SURE * len(rows)):
        return []
    found = []
    for name, features in columns:
        share = _tree_share(features, y, rows) if classes else _rank_share(features, y[:, 0], rows)
        if share > SURE:
            found.append(
                f"column {printable(name)!r} alone predicts the target ({share:.2%}): "
                f"is it known before the target is? "
                f"--drop {printable(name)!r} leaves it out"
            )
    return found


def _tree_share(features: Any, y: NDArray[Any], rows: NDArray[np.int64]) -> float:
    """Accuracy of a small tree on the half of the rows it was not fitted to."""
    from sklearn.tree import DecisionTreeClassifier

    half = len(rows) // 2
    tree = DecisionTreeClassifier(max_depth=8, min_samples_leaf=2, random_state=0)
    tree.fit(features[rows[:half]], y[rows[:half]])
    return float(np.mean(tree.predict(features[rows[half:]]) == y[rows[half:]]))


def _rank_share(features: Any, y: NDArray[Any], rows: NDArray[np.int64]) -> float:
    """Rank correlation of a column of numbers with the target."""
    from scipy.stats import rankdata

    column = features[rows][:, 0]
    column = np.asarray(column.todense()).ravel() if hasattr(column, "todense") else np.asarray(column)
    if np.ptp(column) == 0:
        return 0.0
    return abs(float(np.corrcoef(rankdata(column), rankdata(y[rows]))[0, 1]))
