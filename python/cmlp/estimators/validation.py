"""Validation sets: the arguments of fit that are one, and the rows that are held out for one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

EvalSet = tuple[Any, Any, Any]  # X, y, sample_weight or None

_FORMS = "(X, y), (X, y, sample_weight) or a list of one of these"


def validation_set(
    eval_set: Any = None, X_val: Any = None, y_val: Any = None, sample_weight_val: Any = None
) -> EvalSet | None:
    """Return X, y and weights of the validation set, or None where there is none."""
    separate = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
    given = [name for name, value in separate.items() if value is not None]
    if eval_set is not None:
        if given:
            raise ValueError(f"fit: eval_set and {', '.join(given)} are both given, pass one validation set")
        return _unpacked(eval_set)
    if not given:
        return None
    for name in ("X_val", "y_val"):
        if separate[name] is None:
            raise ValueError(f"fit: {given[0]} is given without {name}")
    return X_val, y_val, sample_weight_val


def _unpacked(eval_set: Any) -> EvalSet:
    if isinstance(eval_set, list):
        pairs = [each for each in eval_set if isinstance(each, tuple)]
        if len(pairs) == len(eval_set) > 1:
            raise ValueError(f"fit: eval_set has {len(pairs)} validation sets, it must be {_FORMS}")
        if len(eval_set) == 1:
            (eval_set,) = eval_set
    if not isinstance(eval_set, list | tuple) or len(eval_set) not in (2, 3):
        size = f" of {len(eval_set)}" if hasattr(eval_set, "__len__") else ""
        raise ValueError(f"fit: eval_set is a {type(eval_set).__name__}{size}, it must be {_FORMS}")
    x, y, *weight = eval_set
    return x, y, weight[0] if weight else None


@contextmanager
def naming_a_class_of_one_row(labels: Any, name: str) -> Iterator[None]:
    """Name the class in the error of a split that cannot hold out a row of each class."""
    try:
        yield
    except ValueError as error:
        classes, counts = np.unique(labels, return_counts=True)
        if "least populated" not in str(error) or counts.min() > 1:
            raise
        raise ValueError(
            f"{name}.fit: early_stopping holds out rows of each class, and class"
            f" {classes[counts.argmin()].item()!r} has one row; give X_val and y_val or more rows of it"
            f" (n_samples={len(labels)}; scikit-learn: {error})"
        ) from error
