"""The oracle's activations: (f, f') of z in NumPy float64, by the names of the core's list."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Function = Callable[..., Array]
INF, ROOT2 = math.inf, math.sqrt(2)
SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
_erfc = np.vectorize(math.erfc, otypes=[float])


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)) without overflow."""
    e = np.exp(-abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def _softplus(z: Array) -> Array:
    return np.maximum(z, 0) + np.log1p(np.exp(-abs(z)))


def _limits(f: Function, high: float) -> Function:
    """f, with its limits 0 and high at the infinities, where the formula says inf * 0."""

    def limited(z: Array) -> Array:
        inner = f(np.where(np.isinf(z), 0, z))
        return np.where(np.isinf(z), np.where(z > 0, high, 0), inner)

    return limited


def _gelu(z: Array) -> Array:
    return z * _erfc(-z / ROOT2) / 2


def _gelu_prime(z: Array) -> Array:
    return _erfc(-z / ROOT2) / 2 + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _gelu_u(z: Array) -> Array:  # (1 + tanh(u / 2)) / 2 = sigmoid(u)
    return 2 * math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)


def _gelu_tanh_prime(z: Array) -> Array:
    s, u_prime = sigmoid(_gelu_u(z)), 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z**2)
    return s + z * s * sigmoid(-_gelu_u(z)) * u_prime


def _mish_prime(z: Array) -> Array:
    t = np.tanh(_softplus(z))
    return t + z * sigmoid(z) * (1 - t) * (1 + t)


def _elu(z: Array, alpha: float = 1.0) -> Array:
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def _elu_prime(z: Array, alpha: float = 1.0) -> Array:
    return np.where(z > 0, 1, alpha * np.exp(np.minimum(z, 0)))


def _softsign(z: Array) -> Array:
    return np.where(np.isinf(z), np.sign(z), z / (1 + np.where(np.isinf(z), 0, abs(z))))


def _tanhshrink(z: Array) -> Array:
    """z - tanh(z); near 0, where that cancels, Lambert's tanh(z) = z / (1 + z^2 / (3 + z^2 / (5 + ...)))."""
    s, fraction = np.minimum(z * z, 4), 0.0
    for odd in range(41, 1, -2):
        fraction = s / (odd + fraction)
    return np.where(abs(z) < 2, z * (fraction / (1 + fraction)), z - np.tanh(z))


def _tail_kept(f: Function) -> Function:
    """f, which is z exp(z) below -40: there without the rounding of a subnormal exp(z)."""
    return lambda z: np.where(z < -40, -np.exp(z + np.log(np.maximum(-z, 1))), f(z))


def _shrinks(z: Array, lambd: float) -> Array:
    return (z >= -lambd) & (z <= lambd)


ACTIVATIONS: dict[str, tuple[Function, Function]] = {
    "identity": (lambda z: z, np.ones_like),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
    "tanh": (np.tanh, lambda z: 4 * sigmoid(2 * z) * sigmoid(-2 * z)),
    "relu": (lambda z: np.maximum(z, 0), lambda z: np.where(z > 0, 1.0, 0.0)),
    "leaky_relu": (
        lambda z, negative_slope=0.01: np.where(z > 0, z, negative_slope * z),
        lambda z, negative_slope=0.01: np.where(z > 0, 1.0, negative_slope),
    ),
    "gelu": (_limits(_gelu, INF), _limits(_gelu_prime, 1)),
    "gelu_tanh": (_limits(lambda z: z * sigmoid(_gelu_u(z)), INF), _limits(_gelu_tanh_prime, 1)),
    "relu6": (lambda z: np.clip(z, 0, 6), lambda z: np.where((z > 0) & (z < 6), 1.0, 0.0)),
    "elu": (_elu, _elu_prime),
    "selu": (
        lambda z: SELU_SCALE * _elu(z, SELU_ALPHA),
        lambda z: SELU_SCALE * _elu_prime(z, SELU_ALPHA),
    ),
    "celu": (
        lambda z, alpha=1.0: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0) / alpha)),
        lambda z, alpha=1.0: np.where(z > 0, 1, np.exp(np.minimum(z, 0) / alpha)),
    ),
    "silu": (
        _limits(_tail_kept(lambda z: z * sigmoid(z)), INF),
        _limits(lambda z: sigmoid(z) * (1 + z * sigmoid(-z)), 1),
    ),
    "mish": (_limits(_tail_kept(lambda z: z * np.tanh(_softplus(z))), INF), _limits(_mish_prime, 1)),
    "softplus": (
        lambda z, beta=1.0, threshold=20.0: np.where(beta * z > threshold, z, _softplus(beta * z) / beta),
        lambda z, beta=1.0, threshold=20.0: np.where(beta * z > threshold, 1, sigmoid(beta * z)),
    ),
    "softsign": (_softsign, lambda z: 1 / (1 + abs(z)) ** 2),
    "hardtanh": (
        lambda z, min_val=-1.0, max_val=1.0: np.clip(z, min_val, max_val),
        lambda z, min_val=-1.0, max_val=1.0: np.where((z > min_val) & (z < max_val), 1.0, 0.0),
    ),
    "hardsigmoid": (
        lambda z: np.clip(z + 3, 0, 6) / 6,
        lambda z: np.where(abs(z) < 3, 1 / 6, 0.0),
    ),
    "hardswish": (
        _limits(lambda z: z * (np.clip(z + 3, 0, 6) / 6), INF),
        lambda z: np.where(z <= -3, 0.0, np.where(z < 3, np.clip(z, -3, 3) / 3 + 0.5, 1.0)),
    ),
    "log_sigmoid": (lambda z: -_softplus(-z), lambda z: sigmoid(-z)),
    "tanhshrink": (_tanhshrink, lambda z: np.tanh(z) ** 2),
    "softshrink": (
        lambda z, lambd=0.5: np.where(_shrinks(z, lambd), 0, z - np.copysign(lambd, z)),
        lambda z, lambd=0.5: np.where(_shrinks(z, lambd), 0.0, 1.0),
    ),
    "hardshrink": (
        lambda z, lambd=0.5: np.where(_shrinks(z, lambd), 0, z),
        lambda z, lambd=0.5: np.where(_shrinks(z, lambd), 0.0, 1.0),
    ),
    "threshold": (
        lambda z, threshold=0.0, value=0.0: np.where(z <= threshold, value, z),
        lambda z, threshold=0.0, value=0.0: np.where(z <= threshold, 0.0, 1.0),
    ),
    "step": (lambda z: np.where(np.isnan(z), z, z > 0), lambda z: np.zeros_like(z)),
}
