"""Weights of classes as weights of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp._arrays import as_numbers

Array = npt.NDArray[Any]


def weighted_by_class(y: Any, sample_weight: Any, class_weight: Any, ignored: Any = None) -> Any:
    """Return sample weights times the weight of each row's class.

    Parameters
    ----------
    y : array (rows,) or (rows, 1)
        The classes.
    sample_weight : array (rows,) or None
    class_weight : "balanced", dict or array
        "balanced": rows / (classes * rows of the class), each row counted by its sample weight, while the
        estimators count rows once; a dict by class (1 for a class it lacks); an array with a number a class.
    ignored : int or None
        The label of rows that the loss leaves out; they keep their weight and count in none.

    Raises
    ------
    ValueError
        For weights that match no class, are not finite or are below 0.
    """
    labels = _labels(y)
    weight = (
        np.ones(len(labels)) if sample_weight is None else as_numbers(sample_weight, "fit: sample_weight")
    )
    if len(weight) != len(labels):
        raise ValueError(f"fit: y has {len(labels)} rows, sample_weight has {len(weight)}")
    counted = np.ones(len(labels), bool) if ignored is None else labels != ignored
    if not counted.any():
        return sample_weight
    classes, codes = np.unique(labels[counted], return_inverse=True)
    factors = np.ones(len(labels))
    factors[counted] = _factors(class_weight, classes, codes, weight[counted])[codes]
    return weight * factors


def _labels(y: Any) -> Array:
    labels = as_numbers(y, "fit: y")
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.ndim != 1:
        raise ValueError(f"fit: class_weight needs one class a row, y has shape {labels.shape}")
    return labels


def _factors(class_weight: Any, classes: Array, codes: Array, weight: Array) -> Array:
    """Return the factor of each class."""
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(f"fit: class_weight is '{class_weight}'; choose 'balanced', a dict or an array")
        counts = np.bincount(codes, weight)
        share = np.count_nonzero(counts) * counts
        balanced: Array = np.divide(weight.sum(), share, where=counts > 0, out=np.zeros(len(counts)))
        return balanced
    if isinstance(class_weight, Mapping):
        _check_keys(class_weight, classes)
        return _checked(np.array([float(class_weight.get(c.item(), 1.0)) for c in classes]))
    table = _checked(as_numbers(class_weight, "fit: class_weight"))
    if table.ndim != 1 or classes.min() < 0 or classes.max() >= len(table) or (classes % 1).any():
        raise ValueError(f"fit: class_weight has shape {table.shape}, y has classes up to {classes.max()}")
    factors: Array = table[classes.astype(int)]
    return factors


def _check_keys(class_weight: Mapping[Any, float], classes: Array) -> None:
    """Refuse keys that no class can have, and weights of which none is for a class there is."""
    known = set(classes.tolist())
    text = [key for key in class_weight if isinstance(key, str)]
    if text or (class_weight and not known.intersection(class_weight)):
        keys = ", ".join(repr(key) for key in text or class_weight)
        raise ValueError(
            f"fit: class_weight has the keys {keys}, y has the classes {', '.join(map(repr, sorted(known)))}"
        )


def _checked(factors: Array) -> Array:
    bad = factors[~(np.isfinite(factors) & (factors >= 0))]
    if bad.size:
        raise ValueError(f"fit: class_weight has {bad.flat[0]}, it must be finite and at least 0")
    return factors.astype(float)
