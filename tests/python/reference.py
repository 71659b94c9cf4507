"""The oracle: a multilayer perceptron in NumPy float64; its tables have the names of the core's lists."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from reference_optimizers import OPTIMIZERS as OPTIMIZERS
from reference_activations import ACTIVATIONS
from reference_activations import sigmoid as _sigmoid

Array = np.ndarray[Any, np.dtype[Any]]

INF, ROOT2 = math.inf, math.sqrt(2)

# ---- losses: (values, slopes) by element, or by row for cross-entropy


def _mse(y: Array, t: Array) -> tuple[Array, Array]:
    return (y - t) ** 2, 2 * (y - t)


def _bce(y: Array, t: Array) -> tuple[Array, Array]:
    with np.errstate(divide="ignore"):
        log_y, log_n = np.maximum(np.log(y), -100), np.maximum(np.log1p(-y), -100)
    return -(t * log_y + (1 - t) * log_n), (y - t) / np.maximum(y * (1 - y), 1e-12)


def _bce_with_logits(y: Array, t: Array) -> tuple[Array, Array]:
    return np.maximum(y, 0) - t * y + np.log1p(np.exp(-abs(y))), _sigmoid(y) - t


def _cross_entropy(
    y: Array, t: Array, class_weight: Array | None = None, label_smoothing: float = 0.0
) -> tuple[Array, Array]:
    classes = y.shape[1]
    target = np.eye(classes)[t] if t.ndim == 1 else t
    q = (1 - label_smoothing) * target + label_smoothing / classes
    q = q if class_weight is None else q * class_weight
    shifted = y - y.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    p = np.exp(shifted - log_sum)
    return (q * (log_sum - shifted)).sum(axis=1), q.sum(axis=1, keepdims=True) * p - q


LOSSES: dict[str, Callable[..., tuple[Array, Array]]] = {
    "mse": _mse,
    "bce": _bce,
    "bce_with_logits": _bce_with_logits,
    "cross_entropy": _cross_entropy,
}


def loss(
    name: str, y: Any, t: Any, weight: Any = None, reduction: str = "mean", **s: Any
) -> tuple[Array, Array]:
    """Return the reduced value and its gradient by y; for "none" the values and the gradient of their sum."""
    y, t = np.asarray(y, float), np.asarray(t)
    t = t[:, None] if t.ndim == 1 and t.dtype.kind == "f" else t
    values, slopes = LOSSES[name](y, t, **s)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, float)
    by_row = w if values.ndim == 1 else w[:, None]
    if reduction == "none":
        return by_row * values, w[:, None] * slopes
    counted = w * s["class_weight"][t] if s.get("class_weight") is not None and t.ndim == 1 else w
    total = counted.sum() * (1 if values.ndim == 1 else y.shape[1])
    factor = (1 / total if total else 0.0) if reduction == "mean" else 1.0
    return (by_row * values).sum() * factor, w[:, None] * slopes * factor


# ---- metrics of (y, t, w), y as the network puts it out


def _accuracy(y: Array, t: Array, w: Array, threshold: float | None) -> Array:
    if threshold is None:
        right = y.argmax(axis=1) == (t if t.ndim == 1 else t.argmax(axis=1))
        return np.average(right, weights=w)
    return np.average(((y > threshold) == (t > 0.5)).mean(axis=1), weights=w)


def _mse_metric(y: Array, t: Array, w: Array) -> Array:
    return np.average((y - t) ** 2, axis=0, weights=w).mean()


def _r2(y: Array, t: Array, w: Array) -> Array:
    around = t - np.average(t, axis=0, weights=w)
    return (1 - (w @ (y - t) ** 2) / (w @ around**2)).mean()


METRICS: dict[str, Callable[..., Array]] = {
    "accuracy": _accuracy,
    "mse": _mse_metric,
    "rmse": lambda y, t, w: np.sqrt(_mse_metric(y, t, w)),
    "mae": lambda y, t, w: np.average(abs(y - t), axis=0, weights=w).mean(),
    "r2": _r2,
}

# ---- initialisers: (mean, standard deviation, least, largest) of a weight with n inputs and m outputs

Moments = tuple[float, float, float, float]


def _uniform(low: float, high: float) -> Moments:
    return (low + high) / 2, (high - low) / math.sqrt(12), low, high


def _symmetric(bound: float) -> Moments:
    return _uniform(-bound, bound)


def _normal(std: float, mean: float = 0.0) -> Moments:
    return mean, std, -INF, INF


INITIALIZERS: dict[str, Callable[..., Moments]] = {
    "zeros": lambda n, m: (0.0, 0.0, 0.0, 0.0),
    "constant": lambda n, m, value=0.0: (value, 0.0, value, value),
    "normal": lambda n, m, mean=0.0, std=1.0: _normal(std, mean),
    "uniform": lambda n, m, low=0.0, high=1.0: _uniform(low, high),
    "xavier_uniform": lambda n, m, gain=1.0: _symmetric(gain * math.sqrt(6 / (n + m))),
    "xavier_normal": lambda n, m, gain=1.0: _normal(gain * math.sqrt(2 / (n + m))),
    "kaiming_uniform": lambda n, m, gain=ROOT2: _symmetric(gain * math.sqrt(3 / n)),
    "kaiming_normal": lambda n, m, gain=ROOT2: _normal(gain / math.sqrt(n)),
    "lecun_uniform": lambda n, m: _symmetric(math.sqrt(3 / n)),
    "lecun_normal": lambda n, m: _normal(1 / math.sqrt(n)),
    "orthogonal": lambda n, m, gain=1.0: (0.0, gain / math.sqrt(max(n, m)), -gain, gain),
    "torch": lambda n, m: _symmetric(1 / math.sqrt(n)),
}

# ---- the network: dense layers, forward and back


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class MLP:
    """A copy of a cmlp network in evaluation mode: its layers' descriptions and its parameters in float64."""

    def __init__(self, net: Any) -> None:
        self.layers = net._core.layers()  # (name, kind, fields) each
        self.state = {name: value.astype(float) for name, value in net.state_dict().items()}
        self.inputs: list[Array] = []

    def forward(self, x: Any) -> Array:
        """Return the output (batch, out), keeping the input of each layer."""
        x, self.inputs = np.asarray(x, float), []
        for name, kind, fields in self.layers:
            self.inputs.append(x)
            if kind == "Linear":
                x = x @ self.state[f"{name}.weight"].T + self.state.get(f"{name}.bias", 0)
            elif kind == "Activation":
                x = ACTIVATIONS[fields["activation"]][0](x, **fields["settings"])
            elif kind == "Softmax":
                x = _softmax(x)
        return x

    def backward(self, dy: Any) -> tuple[Array, dict[str, Array]]:
        """Return the gradient of the input (batch, in), and those of the parameters by name."""
        dy, grads = np.asarray(dy, float), {}
        for (name, kind, fields), x in zip(reversed(self.layers), reversed(self.inputs), strict=True):
            if kind == "Linear":
                grads[f"{name}.weight"] = dy.T @ x
                grads[f"{name}.bias"] = dy.sum(axis=0)
                dy = dy @ self.state[f"{name}.weight"]
            elif kind == "Activation":
                dy = dy * ACTIVATIONS[fields["activation"]][1](x, **fields["settings"])
            elif kind == "Softmax":
                y = _softmax(x)
                dy = y * (dy - (y * dy).sum(axis=1, keepdims=True))
        return dy, {name: grads[name] for name in self.state}
