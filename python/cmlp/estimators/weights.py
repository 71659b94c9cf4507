"""Weights of rows: those given, times those of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp.estimators._sklearn_compat import check_sample_weight

Weights = npt.NDArray[Any]


def checked_weights(sample_weight: Any, x: Any) -> Weights:
    """Return a finite weight of at least 0 for each row of x; None: 1 each."""
    weight: Weights = check_sample_weight(sample_weight, x)
    if weight.size and weight.min() < 0:
        row = int((weight < 0).argmax())
        raise ValueError(f"fit: sample_weight is {weight[row]:g} at row {row}, it must not be negative")
    if weight.size and not weight.any():
        raise ValueError("fit: sample_weight is 0 for all rows, at least one must be positive")
    return weight


class ClassWeights:
    """The weight of each class, learned from the rows that are trained on.

    Parameters
    ----------
    given : "balanced", dict or list of dict
        A class that a dict does not name has 1. "balanced" counts every row once, as scikit-learn does;
        that of ``Sequential.fit`` counts sample weights.
    classes : ndarray
        Classes, or numbers of the labels where a row has several.
    y : ndarray of shape (rows,) or (rows, labels)
        Targets as they were given.
    """

    def __init__(self, given: Any, classes: Weights, y: Any) -> None:
        columns = _columns(y)
        self.several: bool = len(columns) > 1
        if self.several and isinstance(given, dict):
            raise ValueError("class_weight: y has several labels a row, pass a list with a dict for each")
        if self.several and not isinstance(given, str) and len(given) != len(columns):
            raise ValueError(f"class_weight has {len(given)} dicts, y has {len(columns)} labels a row")
        if not self.several and isinstance(given, list):
            raise ValueError("class_weight is a list, y has one class a row: pass a dict")
        each = [given] * len(columns) if isinstance(given, str | dict) else given
        self.classes: list[npt.NDArray[Any]] = [np.arange(2) if self.several else classes for _ in columns]
        self.factors: list[npt.NDArray[Any]] = [
            _balanced(column, own) if isinstance(one, str) else _named(one, own)
            for one, own, column in zip(each, self.classes, columns, strict=True)
        ]

    def __call__(self, y: Any) -> Weights:
        """Return the weight of each row, the product over its labels."""
        parts = [
            factors[np.searchsorted(classes, column)]
            for factors, classes, column in zip(self.factors, self.classes, _columns(y), strict=True)
        ]
        return np.prod(parts, axis=0)  # type: ignore[no-any-return]


def _columns(y: Any) -> list[Weights]:
    dense = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
    return list(dense.reshape(len(dense), -1).T)


def _balanced(column: Weights, classes: Weights) -> Weights:
    """Return rows / (classes that are there * rows of each), as scikit-learn does."""
    counts = np.bincount(np.searchsorted(classes, column), minlength=len(classes))
    there = counts > 0
    return np.where(there, len(column) / (there.sum() * np.maximum(counts, 1)), 1.0)


def _named(given: dict[Any, Any], classes: Weights) -> Weights:
    place = {label: at for at, label in enumerate(classes.tolist())}
    unknown: Sequence[Any] = [key for key in given if key not in place]
    if unknown and len(given) - len(unknown) < len(place):
        raise ValueError(f"class_weight has {unknown!r}, the classes are {classes.tolist()!r}")
    factors = np.ones(len(place))
    for key, weight in given.items():
        if not weight >= 0:
            raise ValueError(f"class_weight of {key!r} is {weight!r}, it must not be negative")
        if key in place:
            factors[place[key]] = weight
    return factors
