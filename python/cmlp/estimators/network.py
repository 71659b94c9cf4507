"""The network behind an estimator: its layers, scikit-learn's first weights, and the views of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

import cmlp
from cmlp import nn
from cmlp.nn.activations import from_fields

Arrays = list[npt.NDArray[Any]]


def activation_of(given: Any) -> nn.Module:
    """Return a new layer: of a name of scikit-learn or :func:`cmlp.activations`, or like the one given."""
    if isinstance(given, nn.Module):
        (_, kind, fields), *more = given._specs()
        if kind != "Activation" or more:
            raise ValueError(f"activation: {given!r} is not an activation of cmlp.nn")
        return from_fields(fields)
    name = "sigmoid" if given == "logistic" else given
    try:
        return from_fields({"activation": name, "settings": {}})
    except KeyError as error:
        choices = ", ".join(cmlp.activations())
        raise ValueError(f"activation: unknown {given!r}; choose from {choices}") from error


def activations_of(given: Any, hidden: int) -> list[nn.Module]:
    """Return the activation of each hidden layer."""
    if isinstance(given, str | nn.Module):
        return [activation_of(given) for _ in range(hidden)]
    if len(given) != hidden:
        raise ValueError(f"activation: there are {len(given)} for {hidden} hidden layers")
    return [activation_of(each) for each in given]


class Architecture:
    """What the layers of an estimator's network are, from its parameters."""

    def __init__(self, estimator: Any, units: Sequence[int], activation: Any) -> None:
        self.units: list[int] = list(units)  # of the input, each hidden layer, the output
        self.activations: list[Any] = activations_of(activation, len(units) - 2)
        self.dropout: float = float(estimator.dropout)
        self.residual: bool = bool(estimator.residual)
        self.input_dropout: float = float(estimator.input_dropout)
        self.batch_norm: bool = bool(estimator.batch_norm)
        self.layer_norm: bool = bool(estimator.layer_norm)
        self.init: str = estimator.init

    def settings(self) -> dict[str, Any]:
        """Return what the network is made from, as values to compare."""
        return {
            "hidden_layer_sizes": self.units[1:-1],
            "activation": [layer._specs() for layer in self.activations],
            **{name: getattr(self, name) for name in ("dropout", "input_dropout", "residual")},
            **{name: getattr(self, name) for name in ("batch_norm", "layer_norm", "init")},
        }

    def network(self, dtype: Any, seed: int = 0) -> nn.Sequential:
        """Return the network; its weights are drawn by ``init``, or are 0 where scikit-learn's follow."""
        pairs = list(pairwise(self.units))
        modules: list[nn.Module] = [nn.Dropout(self.input_dropout)] if self.input_dropout else []
        for (fan_in, fan_out), activation in zip(pairs, self.activations, strict=False):
            block = self._block(fan_in, fan_out, activation)
            modules += [nn.Residual(*block)] if self.residual and fan_in == fan_out else block
        modules.append(self._linear(*pairs[-1]))
        return nn.Sequential(*modules, seed=seed, dtype=dtype)

    def _block(self, fan_in: int, fan_out: int, activation: nn.Module) -> list[nn.Module]:
        block = [self._linear(fan_in, fan_out)]
        block += [nn.BatchNorm1d(fan_out)] if self.batch_norm else []
        block += [nn.LayerNorm(fan_out)] if self.layer_norm else []
        return [*block, activation, *([nn.Dropout(self.dropout)] if self.dropout else [])]

    def _linear(self, fan_in: int, fan_out: int) -> nn.Module:
        return nn.Linear(fan_in, fan_out, init="zeros" if self.init == "sklearn" else self.init)

    @property
    def random(self) -> bool:
        """Whether training draws masks."""
        return self.dropout > 0 or self.input_dropout > 0


def linear_layers(module: nn.Module) -> list[nn.Linear]:
    """Return the linear layers in order."""
    if isinstance(module, nn.Linear):
        return [module]
    return [layer for child in getattr(module, "_modules", ()) for layer in linear_layers(child)]


def hidden_ends(net: nn.Sequential) -> list[int]:
    """Return, for each hidden layer, how many layers of the core lead to its activations."""
    ends, at = [], 0
    for module in net:
        titles = module._layer_titles()
        at += len(titles)
        if isinstance(module, nn.Residual | nn.Activation):
            ends.append(at)
        elif isinstance(module, nn.Dropout) and ends:  # the identity in evaluation
            ends[-1] = at
    return ends


def views_of(net: nn.Sequential) -> tuple[Arrays, Arrays]:
    """Return the weights (in, out) and biases of the linear layers as views of the network's memory."""
    values, paths = dict(net.named_parameters()), [layer._path for layer in linear_layers(net)]
    return [values[f"{path}.weight"].data.T for path in paths], [
        values[f"{path}.bias"].data for path in paths
    ]


def draw(units: Sequence[int], activation: Any, rng: np.random.RandomState) -> tuple[Arrays, Arrays]:
    """Draw weights and biases as scikit-learn does, in its order (Glorot and Bengio, AISTATS 2010)."""
    factor = 2.0 if activation == "logistic" else 6.0
    weights, biases = [], []
    for fan_in, fan_out in pairwise(units):
        bound = np.sqrt(factor / (fan_in + fan_out))
        weights.append(rng.uniform(-bound, bound, (fan_in, fan_out)))
        biases.append(rng.uniform(-bound, bound, fan_out))
    return weights, biases


@cache
def output_network(kind: str, dtype: str) -> nn.Sequential:
    """Return the function of the outputs, "softmax" or "logistic", as a network."""
    return nn.Sequential(nn.Softmax(1) if kind == "softmax" else nn.Sigmoid(), dtype=dtype)


def output_of(kind: str, z: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Apply "identity", "exp", "softmax" or "logistic" to the network's outputs."""
    if kind == "identity":
        return z
    return np.exp(z) if kind == "exp" else output_network(kind, z.dtype.char).predict(z)


@cache
def _least_and_most(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    numbers = np.finfo(dtype)
    return numbers.tiny, dtype.type(1 - numbers.epsneg)


def inside_0_1(p: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Replace 0 and 1 by the nearest number between, in place: the logarithms are finite."""
    least, most = _least_and_most(p.dtype)
    np.maximum(p, least, out=p)
    return np.minimum(p, most, out=p)  # type: ignore[no-any-return]
