"""The oracle of the layers that have no list: forward in NumPy float64 from (x, state, fields, training)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
State = dict[str, Array]
EPSILON = {np.dtype("float32"): 2.0**-23, np.dtype("float64"): 2.0**-52}
_erfc = np.vectorize(math.erfc, otypes=[float])


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


GATES: dict[str, Callable[[Array], Array]] = {
    "sigmoid": _sigmoid,
    "silu": lambda z: z * _sigmoid(z),
    "gelu": lambda z: z * _erfc(-z / math.sqrt(2)) / 2,
}


def _log_softmax(x: Array, s: State, training: bool, dtype: Any) -> Array:
    shifted = x - x.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _layer_norm(
    x: Array, s: State, training: bool, dtype: Any, features: int, eps: float, affine: bool, bias: bool
) -> Array:
    u = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + eps)
    return u * s.get("weight", 1) + s.get("bias", 0)


def _rms_norm(
    x: Array, s: State, training: bool, dtype: Any, features: int, eps: float, affine: bool
) -> Array:
    eps = EPSILON[np.dtype(dtype)] if eps < 0 else eps
    return x / np.sqrt((x * x).mean(axis=1, keepdims=True) + eps) * s.get("weight", 1)


def _batch_norm(
    x: Array,
    s: State,
    training: bool,
    dtype: Any,
    num_features: int,
    eps: float,
    momentum: float,
    affine: bool,
    track_running_stats: bool,
    bias: bool,
) -> Array:
    mean, var = x.mean(axis=0), x.var(axis=0)
    if track_running_stats and not training:
        mean, var = s["running_mean"], s["running_var"]
    return (x - mean) / np.sqrt(var + eps) * s.get("weight", 1) + s.get("bias", 0)


def _gated(x: Array, s: State, training: bool, dtype: Any, gate: str) -> Array:
    a, b = np.split(x, 2, axis=1)
    return a * GATES[gate](b)


def _prelu(x: Array, s: State, training: bool, dtype: Any, num_parameters: int, init: float) -> Array:
    return np.where(x > 0, x, s["weight"] * x)


def _rrelu(x: Array, s: State, training: bool, dtype: Any, lower: float, upper: float) -> Array:
    assert not training  # what it draws has tests of its own
    return np.where(x >= 0, x, (lower + upper) / 2 * x)


def _in_place(x: Array, columns: list[int], embed: Callable[[Array], list[Array]]) -> Array:
    """Return x with what embed makes of these columns (none: all) in their places."""
    chosen = columns or list(range(x.shape[1]))
    parts = dict(zip(chosen, embed(x[:, chosen]), strict=True))
    return np.concatenate([parts.get(j, x[:, [j]]) for j in range(x.shape[1])], axis=1)


def _embedding(
    x: Array,
    s: State,
    training: bool,
    dtype: Any,
    num_embeddings: int,
    embedding_dim: int,
    padding_idx: int,
    columns: list[int],
) -> Array:
    return _in_place(x, columns, lambda codes: [s["weight"][code.astype(int)] for code in codes.T])


def _linear(x: Array, s: State, training: bool, dtype: Any, **fields: Any) -> Array:
    factor = 1 / math.sqrt(fields["in_features"]) if fields["parametrization"] == "ntk" else 1.0
    return x @ s["weight"].T * factor + s.get("bias", 0)


def _parametric(
    x: Array,
    s: State,
    training: bool,
    dtype: Any,
    features: int,
    activation: str,
    settings: dict[str, float],
) -> Array:
    assert activation == "tanh"
    return x + s["weight"] * (np.tanh(x) - x)


def _periodic(
    x: Array,
    s: State,
    training: bool,
    dtype: Any,
    in_features: int,
    n_frequencies: int,
    embedding_dim: int,
    sigma: float,
    columns: list[int],
) -> Array:
    assert x.shape[1] == in_features
    count = len(columns or x.T)

    def embed(chosen: Array) -> list[Array]:
        parts = []
        for column, w, phase, w2, b2 in zip(
            chosen.T,
            *(s[key].reshape(count, n_frequencies) for key in ("frequency", "phase")),
            s["weight"].reshape(count, n_frequencies, -1),
            s["bias"].reshape(count, -1),
            strict=True,
        ):
            cosines = np.cos(2 * math.pi * column[:, None] * w + phase)
            parts.append(np.concatenate([cosines @ w2 + b2, column[:, None]], axis=1))
        return parts

    return _in_place(x, columns, embed)


def _piecewise(
    x: Array,
    s: State,
    training: bool,
    dtype: Any,
    bins: list[list[float]],
    embedding_dim: int,
    columns: list[int],
) -> Array:
    def embed(chosen: Array) -> list[Array]:
        parts, first = [], 0
        for i, edges in enumerate(map(np.asarray, bins)):
            code = (chosen[:, [i]] - edges[:-1]) / np.diff(edges)
            low, high = np.zeros(code.shape[1]), np.ones(code.shape[1])
            low[0], high[-1] = -np.inf, np.inf  # the outermost bins have no outer limit
            v = s["weight"][first : first + len(edges) - 1]
            parts.append(chosen[:, [i]] * s["linear"][i] + s["bias"][i] + np.clip(code, low, high) @ v)
            first += len(edges) - 1
        return parts

    return _in_place(x, columns, embed)


def _ensemble(
    x: Array,
    s: State,
    training: bool,
    dtype: Any,
    in_features: int,
    out_features: int,
    members: int,
    shared_input: bool,
    init: str,
) -> Array:
    inputs = [x] * members if shared_input else np.split(x, members, axis=1)
    parts = zip(inputs, s["r"], s["s"], s["bias"], strict=True)
    return np.concatenate([(one * r) @ s["weight"].T * factor + b for one, r, factor, b in parts], axis=1)


def _same(x: Array, s: State, training: bool, dtype: Any, **fields: Any) -> Array:
    assert not training
    return x


LAYERS: dict[str, Callable[..., Array]] = {
    "Linear": _linear,
    "LogSoftmax": _log_softmax,
    "LayerNorm": _layer_norm,
    "RMSNorm": _rms_norm,
    "BatchNorm1d": _batch_norm,
    "Gated": _gated,
    "PReLU": _prelu,
    "RReLU": _rrelu,
    "Embedding": _embedding,
    "Scale": lambda x, s, training, dtype, features: x * s["weight"],
    "ParametricActivation": _parametric,
    "PeriodicEmbedding": _periodic,
    "PiecewiseLinearEmbedding": _piecewise,
    "BatchEnsemble": _ensemble,
    "Flatten": lambda x, s, training, dtype: x,
    "AlphaDropout": _same,
}


BRACKETS = {"ResidualBegin", "ResidualEnd", "EnsembleBegin", "EnsembleNext", "EnsembleEnd"}


def expected(net: Any, x: Any, training: bool) -> Array:
    """Return what a network of such layers gives for x, its buffers as they are before the pass."""
    y = np.asarray(x, float)
    inputs, sums = [], []  # of the groups that have begun
    for name, kind, fields in net._core.layers():
        state = {
            key.removeprefix(name + "."): np.asarray(value, float)
            for key, value in net.state_dict().items()
            if key.startswith(name + ".")
        }
        if kind in ("ResidualBegin", "EnsembleBegin"):
            inputs.append(y)
            sums.append(y if kind == "ResidualBegin" else 0.0)
        elif kind in BRACKETS:
            sums[-1] = sums[-1] + fields.get("weight", 1.0) * y
            y = inputs[-1] if kind == "EnsembleNext" else sums.pop()
            inputs = inputs[: len(sums)]
        else:
            y = LAYERS[kind](y, state, training, net.dtype, **fields)
    return y
