"""The oracle: a multilayer perceptron in NumPy float64; its tables have the names of the core's lists."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from reference_activations import ACTIVATIONS
from reference_losses import LOSSES as LOSSES
from reference_losses import loss as loss
from reference_metrics import METRICS as METRICS
from reference_optimizers import OPTIMIZERS as OPTIMIZERS

Array = np.ndarray[Any, np.dtype[Any]]

INF, ROOT2 = math.inf, math.sqrt(2)

# ---- initialisers: (mean, standard deviation, least, largest) of a weight with n inputs and m outputs

Moments = tuple[float, float, float, float]


def _uniform(low: float, high: float) -> Moments:
    return (low + high) / 2, (high - low) / math.sqrt(12), low, high


def _symmetric(bound: float) -> Moments:
    return _uniform(-bound, bound)


def _normal(std: float, mean: float = 0.0) -> Moments:
    return mean, std, -INF, INF


def _truncated(
    n: int, m: int, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0
) -> Moments:
    low, high = (a - mean) / std, (b - mean) / std
    phi = [math.exp(-z * z / 2) / math.sqrt(2 * math.pi) for z in (low, high)]
    total = (math.erf(high / ROOT2) - math.erf(low / ROOT2)) / 2
    shift = (phi[0] - phi[1]) / total
    variance = 1 + (low * phi[0] - high * phi[1]) / total - shift**2
    return mean + std * shift, std * math.sqrt(variance), a, b


INITIALIZERS: dict[str, Callable[..., Moments]] = {
    "zeros": lambda n, m: (0.0, 0.0, 0.0, 0.0),
    "constant": lambda n, m, value=0.0: (value, 0.0, value, value),
    "normal": lambda n, m, mean=0.0, std=1.0: _normal(std, mean),
    "uniform": lambda n, m, low=0.0, high=1.0: _uniform(low, high),
    "xavier_uniform": lambda n, m, gain=1.0: _symmetric(gain * math.sqrt(6 / (n + m))),
    "xavier_normal": lambda n, m, gain=1.0: _normal(gain * math.sqrt(2 / (n + m))),
    "kaiming_uniform": lambda n, m, gain=ROOT2, fan_out=0: _symmetric(
        gain * math.sqrt(3 / (m if fan_out else n))
    ),
    "kaiming_normal": lambda n, m, gain=ROOT2, fan_out=0: _normal(gain / math.sqrt(m if fan_out else n)),
    "lecun_uniform": lambda n, m: _symmetric(math.sqrt(3 / n)),
    "lecun_normal": lambda n, m: _normal(1 / math.sqrt(n)),
    "orthogonal": lambda n, m, gain=1.0: (0.0, gain / math.sqrt(max(n, m)), -gain, gain),
    "torch": lambda n, m: _symmetric(1 / math.sqrt(n)),
    "ones": lambda n, m: (1.0, 0.0, 1.0, 1.0),
    "eye": lambda n, m: (1 / max(n, m), math.sqrt((1 - 1 / max(n, m)) / max(n, m)), 0.0, 1.0),
    "trunc_normal": _truncated,
    "sparse": lambda n, m, sparsity=0.5, std=0.01: _normal(std * math.sqrt(1 - math.ceil(sparsity * m) / m)),
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
