"""The rows of a fit: what is held out, and the weights of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp import _core
from cmlp._sparse import in_rows, is_sparse, row_count

Rows = tuple[Any, Any, Any]  # x, y, sample_weight or None


class FitData:
    """Rows to train on and rows held out."""

    def __init__(self, x: Any, y: Any, weight: Any, validation: tuple[Any, ...] | None) -> None:
        self.x, self.y, self.weight = in_rows(x), y, weight
        self.validation: Rows | None = None
        if validation is not None:
            self.validation = (*map(in_rows, validation), None)[:3]

    def hold_out(self, share: float, seed: int) -> None:
        """Take a random part of the rows for validation, unless there are rows for it or the share is 0."""
        if self.validation is None and share:
            self.x, self.y, self.weight, self.validation = _split(self.x, self.y, self.weight, share, seed)

    def weigh(self, class_weight: Any) -> None:
        """Multiply the weights of the rows to train on by those of their classes."""
        self.weight = weighted_by_class(self.y, self.weight, class_weight)


def _split(
    x: Any, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None, share: float, seed: int
) -> tuple[Any, Any, Any, tuple[Any, ...]]:
    """Return training x, y, weight and the validation data: a random part of the rows."""
    if not 0 < share < 1:
        raise ValueError(f"fit: validation_split is {share}, it must be in (0, 1)")
    x, y = x if is_sparse(x) else np.asarray(x), np.asarray(y)
    weight = None if sample_weight is None else np.asarray(sample_weight)
    rows = row_count(x)
    held = max(1, round(rows * share))
    if held >= rows or len(y) != rows or (weight is not None and len(weight) != rows):
        raise ValueError(
            f"fit: validation_split {share} of {rows} rows leaves no row to train on, or y has others"
        )
    order = _core.permutation(rows, seed)
    train, test = np.sort(order[held:]), np.sort(order[:held])
    parts = [None if array is None else (array[train], array[test]) for array in (x, y, weight)]
    (x1, x2), (y1, y2) = parts[0], parts[1]  # type: ignore[misc]
    w1, w2 = parts[2] or (None, None)
    return x1, y1, w1, (x2, y2, w2)


def weighted_by_class(y: Any, sample_weight: Any, class_weight: Any) -> Any:
    """Return sample weights times the weight of each row's class.

    ``class_weight`` is "balanced" (rows / (classes * rows of the class), weighted), a dict by class (else 1)
    or an array with a number a class.
    """
    if class_weight is None:
        return sample_weight
    labels = np.asarray(y)
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.ndim != 1:
        raise ValueError(f"fit: class_weight needs one class a row, y has shape {labels.shape}")
    weight = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, float)
    classes, codes = np.unique(labels, return_inverse=True)
    if len(weight) != len(labels):
        raise ValueError(f"fit: y has {len(labels)} rows, sample_weight has {len(weight)}")
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(f"fit: class_weight is '{class_weight}'; choose 'balanced', a dict or an array")
        counts = np.bincount(codes, weight)
        factors = np.divide(
            weight.sum(), np.count_nonzero(counts) * counts, where=counts > 0, out=np.zeros(len(counts))
        )
    elif isinstance(class_weight, Mapping):
        factors = np.array([float(class_weight.get(c.item(), 1.0)) for c in classes])
    else:
        table = np.asarray(class_weight, float)
        if table.ndim != 1 or classes.min() < 0 or classes.max() >= len(table):
            raise ValueError(
                f"fit: class_weight has shape {table.shape}, y has classes up to {classes.max()}"
            )
        factors = table[classes.astype(int)]
    return weight * factors[codes]
