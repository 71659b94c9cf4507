"""The losses' oracle in NumPy float64: (values, slopes) of predictions and targets, by element or row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Pair = tuple[Array, Array]
LOG_2_PI = np.log(2 * np.pi)


def _sigmoid(z: Array) -> Array:
    e = np.exp(-abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def _softplus(z: Array) -> Array:
    return np.maximum(z, 0) + np.log1p(np.exp(-abs(z)))


def _log(t: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(t)


# ---- values


def _mse(y: Array, t: Array) -> Pair:
    return (y - t) ** 2, 2 * (y - t)


def _smooth_l1(y: Array, t: Array, beta: float = 1.0) -> Pair:
    d = y - t
    near = abs(d) < beta
    scale = beta or 1.0
    value = np.where(near, 0.5 * d * d / scale, abs(d) - 0.5 * beta)
    return value, np.where(near, d / scale, np.sign(d))


def _huber(y: Array, t: Array, delta: float = 1.0) -> Pair:
    value, slope = _smooth_l1(y, t, delta)
    return value * delta, slope * delta


def _log_cosh(y: Array, t: Array) -> Pair:
    size = abs(y - t)
    near = np.log1p(2 * np.sinh(np.minimum(size, 1) / 2) ** 2)
    return np.where(size < 1, near, size + np.log1p(np.exp(-2 * size)) - np.log(2)), np.tanh(y - t)


def _quantile(y: Array, t: Array, column: Array | None = None) -> Pair:
    q = np.tile(np.array([0.5]) if column is None else column, t.shape[1])
    d = np.repeat(t, y.shape[1] // t.shape[1], axis=1) - y
    return np.maximum(q * d, (q - 1) * d), np.where(d > 0, -q, np.where(d < 0, 1 - q, 0))


# ---- yes or no


def _bce(y: Array, t: Array) -> Pair:
    with np.errstate(divide="ignore"):
        log_y, log_n = np.maximum(np.log(y), -100), np.maximum(np.log1p(-y), -100)
    return -(t * log_y + (1 - t) * log_n), (y - t) / np.maximum(y * (1 - y), 1e-12)


def _bce_with_logits(y: Array, t: Array, column: Array | float = 1.0) -> Pair:
    value = column * t * _softplus(-y) + (1 - t) * _softplus(y)
    return value, (1 - t) * _sigmoid(y) - column * t * _sigmoid(-y)


def _binary_focal(y: Array, t: Array, gamma: float = 2.0, alpha: float = 0.25) -> Pair:
    bce, slope = _bce_with_logits(y, t)
    wrong = t * _sigmoid(-y) + (1 - t) * _sigmoid(y)
    grown = (1 - 2 * t) * _sigmoid(y) * _sigmoid(-y)  # its slope
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(t == 1, -_sigmoid(y), np.where(t == 0, _sigmoid(-y), grown / wrong))
    factor = (alpha * t + (1 - alpha) * (1 - t) if alpha >= 0 else 1.0) * wrong**gamma
    return factor * bce, factor * (slope + gamma * bce * ratio)


def _soft_margin(y: Array, t: Array) -> Pair:
    return _softplus(-t * y), -t * _sigmoid(-t * y)


def _hinge(y: Array, t: Array) -> Pair:
    return np.maximum(1 - t * y, 0), np.where(1 - t * y > 0, -t, 0)


# ---- classes


def _shares(y: Array, t: Array, ignore_index: float = -100) -> Array:
    return np.eye(y.shape[1])[np.where(t == ignore_index, 0, t)] if t.ndim == 1 else t


def _log_softmax(y: Array) -> Array:
    shifted = y - y.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _column(column: Array | None, y: Array) -> Array:
    return np.ones(y.shape[1]) if column is None else np.asarray(column, float)


def _cross_entropy(
    y: Array, t: Array, column: Array | None = None, label_smoothing: float = 0.0, ignore_index: float = -100
) -> Pair:
    target = _shares(y, t, ignore_index)
    q = ((1 - label_smoothing) * target + label_smoothing / y.shape[1]) * _column(column, y)
    log_p = _log_softmax(y)
    return -(q * log_p).sum(axis=1), q.sum(axis=1, keepdims=True) * np.exp(log_p) - q


def _nll(y: Array, t: Array, column: Array | None = None, ignore_index: float = -100) -> Pair:
    q = _shares(y, t, ignore_index) * _column(column, y)
    return -np.where((q == 0) & ~np.isnan(y), 0, q * np.where(q == 0, 1, y)).sum(axis=1), -q


def _focal(y: Array, t: Array, column: Array | None = None, gamma: float = 2.0) -> Pair:
    q, log_p = _shares(y, t) * _column(column, y), _log_softmax(y)
    p, wrong = np.exp(log_p), -np.expm1(log_p)
    ratio = np.divide(-log_p, wrong, out=np.ones_like(p), where=wrong > 0)
    g = np.where(q == 0, 0, q * wrong**gamma * np.where(q == 0, 1, 1 + gamma * p * ratio))
    value = np.where(q == 0, 0, q * wrong**gamma * -log_p)
    return value.sum(axis=1), p * g.sum(axis=1, keepdims=True) - g


def _multi_margin(y: Array, t: Array, column: Array | None = None, p: float = 1, margin: float = 1.0) -> Pair:
    q, others = _shares(y, t) * _column(column, y), 1 - np.eye(y.shape[1])
    z = np.maximum(margin - y[:, :, None] + y[:, None, :], 0) * others  # (row, target, other)
    slope = q[:, :, None] * (p * z ** (p - 1) * (z > 0)) / y.shape[1]
    return (q * (z**p).sum(axis=2)).sum(axis=1) / y.shape[1], slope.sum(axis=1) - slope.sum(axis=2)


# ---- distributions


def _kl_div(y: Array, t: Array, log_target: float = 0) -> Pair:
    if log_target:
        return np.exp(t) * (t - y), -np.exp(t)
    return t * (np.where(t == 0, 0, _log(t)) - y), -t


def _poisson_nll(y: Array, t: Array, log_input: float = 1, full: float = 0, eps: float = 1e-8) -> Pair:
    stirling = t * _log(t) - t + (LOG_2_PI + _log(t)) / 2
    constant = np.where(t > 1, stirling, 0) if full else 0
    if log_input:
        return np.exp(y) - t * y + constant, np.exp(y) - t
    return y - np.where(t == 0, 0, t) * _log(y + eps) + constant, 1 - t / (y + eps)


def _gamma_deviance(y: Array, t: Array) -> Pair:
    d = _log(t) - y
    return 2 * (np.expm1(d) - d), -2 * np.expm1(d)


def _tweedie(y: Array, t: Array, power: float = 1.5) -> Pair:
    a, b = 1 - power, 2 - power
    value = 2 * (t**b / (a * b) - t * np.exp(a * y) / a + np.exp(b * y) / b)
    return value, 2 * (np.exp(b * y) - t * np.exp(a * y))


def _gaussian_nll(y: Array, t: Array, full: float = 0, eps: float = 1e-6, log_var: float = 0) -> Pair:
    means, variances = np.hsplit(y, 2)
    variances = np.exp(variances) if log_var else variances
    d, v = means - t, np.maximum(variances, eps)
    value = (np.log(v) + d * d / v + (LOG_2_PI if full else 0)) / 2
    return value, np.hstack([d / v, (1 - d * d / v) / (1 if log_var else v) / 2])


LOSSES: dict[str, Callable[..., Pair]] = {
    "mse": _mse,
    "bce": _bce,
    "bce_with_logits": _bce_with_logits,
    "cross_entropy": _cross_entropy,
    "l1": lambda y, t: (abs(y - t), np.sign(y - t)),
    "smooth_l1": _smooth_l1,
    "huber": _huber,
    "log_cosh": _log_cosh,
    "soft_margin": _soft_margin,
    "hinge": _hinge,
    "squared_hinge": lambda y, t: (np.maximum(1 - t * y, 0) ** 2, -2 * t * np.maximum(1 - t * y, 0)),
    "binary_focal": _binary_focal,
    "nll": _nll,
    "focal": _focal,
    "multi_margin": _multi_margin,
    "kl_div": _kl_div,
    "poisson_nll": _poisson_nll,
    "gamma_deviance": _gamma_deviance,
    "tweedie": _tweedie,
    "gaussian_nll": _gaussian_nll,
    "quantile": _quantile,
}
COUNTED = ("cross_entropy", "nll")  # the mean divides by the class weights


def loss(name: str, y: Any, t: Any, weight: Any = None, reduction: str = "mean", **s: Any) -> Pair:
    """Return the reduced value and its gradient by y; for "none" the values and the gradient of their sum."""
    y, t = np.asarray(y, float), np.asarray(t)
    t = t[:, None] if t.ndim == 1 and t.dtype.kind == "f" else t
    s = {key: value for key, value in s.items() if value is not None}
    values, slopes = LOSSES[name](y, t, **s)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, float)
    present = w * (t != s.get("ignore_index", -100)) if t.ndim == 1 else w
    by_row = (slice(None),) + (None,) * (values.ndim - 1)
    values = np.where(present[by_row] == 0, 0, values) * present[by_row]
    slopes = np.where(present[:, None] == 0, 0, slopes) * present[:, None]
    if reduction == "none":
        return values, slopes
    if name in COUNTED and t.ndim == 1 and "column" in s:
        present = present * s["column"][np.where(present == 0, 0, t)]
    total = w.sum() if reduction == "batchmean" else present.sum() * values[0].size
    factor = 1.0 if reduction == "sum" else (1 / total if total else 0.0)
    return values.sum() * factor, slopes * factor
