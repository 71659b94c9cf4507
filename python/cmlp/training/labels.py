"""Class labels as their users have them: numbers or strings, one a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def as_labels(y: ArrayLike, function: str) -> NDArray[Any]:
    """Labels as a vector of finite numbers or of strings; `function` is named in the errors."""
    labels = np.asarray(y)
    if labels.ndim != 1:
        raise ValueError(f"{function}: y has shape {labels.shape}, it must have one label a row")
    if labels.dtype == object:
        if not all(isinstance(label, str) for label in labels):
            raise ValueError(f"{function}: y is an object array, it must hold numbers or strings")
        labels = labels.astype(str)
    if labels.dtype.kind in "fc" and not np.isfinite(labels).all():
        row = int(np.argmin(np.isfinite(labels)))
        raise ValueError(f"{function}: y has {labels[row]} at row {row}")
    return labels
