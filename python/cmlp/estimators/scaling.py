"""A warning for features and targets far from unit scale."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp._frames import caller_level
from cmlp._sparse import is_sparse

LARGEST = 1e3  # standard deviation


class ScaleWarning(UserWarning):
    """A feature or target has a standard deviation above 1000, on which networks train badly."""


def warn_of_scale(estimator: Any, x: Any, y: npt.NDArray[Any] | None) -> None:
    """Warn once where a column of x, or of y unless that is None, has a standard deviation above 1000."""
    name, notes = type(estimator).__name__, []
    deviations = standard_deviations(x)
    if len(deviations) and deviations.max() > LARGEST:
        column = int(deviations.argmax())
        names = getattr(estimator, "feature_names_in_", range(len(deviations)))
        notes.append(
            f"feature {names[column]} has a standard deviation of {deviations[column]:.3g}; scale features:"
            f" make_pipeline(StandardScaler(), {name}(...))"
        )
    if y is not None and (deviation := standard_deviations(y).max()) > LARGEST:
        notes.append(
            f"y has a standard deviation of {deviation:.3g}; scale it: {name}(target_transform='standardize')"
        )
    if notes:
        text = f"{name}.fit: networks train badly on values far from unit scale; {'; '.join(notes)}"
        warnings.warn(text, ScaleWarning, stacklevel=caller_level())


def standard_deviations(x: Any, block: int = 32768) -> npt.NDArray[np.float64]:
    """Return the standard deviation of each column, by differences to the first row, a block at a time."""
    if is_sparse(x):
        from sklearn.utils.sparsefuncs import mean_variance_axis

        variances: npt.NDArray[np.float64] = mean_variance_axis(x, axis=0)[1].astype(float)
        return np.sqrt(variances)
    sums, squares = np.zeros((2, x.shape[1]))
    with np.errstate(over="ignore", invalid="ignore"):
        rows = max(1, block // max(1, x.shape[1]))
        for first in range(0, len(x), rows):
            differences = x[first : first + rows].astype(float) - x[0].astype(float)
            sums += differences.sum(axis=0)
            squares += np.einsum("ij,ij->j", differences, differences)
        variances = np.maximum(squares / len(x) - (sums / len(x)) ** 2, 0)
    return np.sqrt(np.where(np.isnan(variances), np.inf, variances))  # NaN: of sums that are too large
