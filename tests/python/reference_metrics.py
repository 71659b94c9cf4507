"""The oracle of the metrics: NumPy in float64, from a network's outputs y, targets t and weights w.

Those of classes take class indices with a column of logits each, or 0/1 with a column of log-odds each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def log_softmax(y: Array) -> Array:
    shifted = y - y.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _accuracy(y: Array, t: Array, w: Array, threshold: float | None = 0.0) -> Any:
    """Count classes where threshold is None, elements beside the threshold otherwise."""
    if threshold is None:
        return np.average(y.argmax(axis=1) == t, weights=w)
    return np.average(((y > threshold) == (t > 0.5)).mean(axis=1), weights=w)


def _mse(y: Array, t: Array, w: Array) -> Any:
    return np.average((y - t) ** 2, axis=0, weights=w).mean()


def _r2(y: Array, t: Array, w: Array) -> Any:
    around = t - np.average(t, axis=0, weights=w)
    return (1 - (w @ (y - t) ** 2) / (w @ around**2)).mean()


def _top(k: int) -> Callable[..., Any]:
    def top(y: Array, t: Array, w: Array) -> Any:
        best = np.argsort(-y, axis=1, kind="stable")[:, :k]
        return np.average((best == t[:, None]).any(axis=1), weights=w)

    return top


def _two(y: Array, t: Array) -> list[tuple[Array, Array, list[int]]]:
    """Return predicted and actual class and the classes: of the rows, or of each binary output."""
    if t.ndim == 1:
        return [(y.argmax(axis=1), t, list(range(y.shape[1])))]
    return [(column > 0, truth > 0.5, [0, 1]) for column, truth in zip(y.T, t.T, strict=True)]


def _balanced(y: Array, t: Array, w: Array) -> Any:
    found = []
    for guess, truth, classes in _two(y, t):
        there = [c for c in classes if w[truth == c].sum() > 0]
        found.append(np.mean([np.average(guess[truth == c] == c, weights=w[truth == c]) for c in there]))
    return np.mean(found)


def _f1(y: Array, t: Array, w: Array) -> Any:
    found = []
    for guess, truth, classes in _two(y, t):
        counted = classes if t.ndim == 1 else [1]
        sums = [
            (w[(guess == c) & (truth == c)].sum(), w[guess == c].sum() + w[truth == c].sum()) for c in counted
        ]
        found.append(np.mean([2 * hit / both if both else 0.0 for hit, both in sums if both or t.ndim > 1]))
    return np.mean(found)


def _log_loss(y: Array, t: Array, w: Array) -> Any:
    if t.ndim == 1:
        return np.average(-log_softmax(y)[np.arange(len(t)), t], weights=w)
    return np.average((t * np.logaddexp(0, -y) + (1 - t) * np.logaddexp(0, y)).mean(axis=1), weights=w)


def _brier(y: Array, t: Array, w: Array) -> Any:
    if t.ndim == 1:
        return np.average(((np.exp(log_softmax(y)) - np.eye(y.shape[1])[t]) ** 2).sum(axis=1), weights=w)
    return np.average(((1 / (1 + np.exp(-y)) - t) ** 2).mean(axis=1), weights=w)


def _auc(y: Array, t: Array, w: Array) -> Any:
    scores, truth = (log_softmax(y), np.eye(y.shape[1])[t]) if t.ndim == 1 else (y, t)
    found = []
    for score, own in zip(scores.T, truth.T > 0.5, strict=True):
        pairs = w[own][:, None] * w[~own]
        above = np.sign(score[own][:, None] - score[~own]) / 2 + 0.5
        found += [(pairs * above).sum() / pairs.sum()] if pairs.sum() else []
    return np.mean(found)


METRICS: dict[str, Callable[..., Any]] = {
    "accuracy": _accuracy,
    "mse": _mse,
    "rmse": lambda y, t, w: np.sqrt(_mse(y, t, w)),
    "mae": lambda y, t, w: np.average(abs(y - t), axis=0, weights=w).mean(),
    "r2": _r2,
    "top_3": _top(3),
    "top_5": _top(5),
    "balanced_accuracy": _balanced,
    "f1": _f1,
    "log_loss": _log_loss,
    "auc": _auc,
    "brier": _brier,
}
