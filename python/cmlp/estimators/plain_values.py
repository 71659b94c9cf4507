"""Values of fitted estimators as JSON and back: plain data and objects of listed classes, never code."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import LabelBinarizer, StandardScaler

from cmlp import nn
from cmlp.estimators.data import Imputer
from cmlp.estimators.losses import Objective
from cmlp.estimators.row_order import RowOrder
from cmlp.estimators.solvers import Solver
from cmlp.estimators.weights import ClassWeights
from cmlp.nn import losses
from cmlp.nn.activations import Activation

_PARTS = (Imputer, Objective, RowOrder, Solver, ClassWeights, LabelBinarizer, StandardScaler)
_ACTIVATIONS = tuple(
    kind for kind in vars(nn).values() if isinstance(kind, type) and issubclass(kind, Activation)
)
_LOSSES = tuple(getattr(losses, name) for name in losses.__all__)
_CLASSES: dict[str, type] = {kind.__name__: kind for kind in (*_PARTS, *_ACTIVATIONS, *_LOSSES)}
_NUMBERS = "biufcMm"  # kinds of arrays that are written as bytes
_PLAIN = (type(None), bool, int, str)


class NotPlainError(ValueError):
    """A value that cannot be written as plain data; the text names its type."""


# ---- writing


def encode(value: Any) -> Any:
    """Return a value as JSON types; raise NotPlainError for one that is neither plain nor of the list."""
    kind = type(value)
    if kind in _PLAIN or (kind is float and math.isfinite(value)):
        return value
    if kind is list:
        return [encode(each) for each in value]
    if kind in _WRITERS:
        return {"type": kind.__name__, **_WRITERS[kind](value)}
    if isinstance(value, np.generic):
        return {"type": "generic", **_array(np.asarray(value))}
    if isinstance(value, np.dtype):
        return {"type": "dtype", "name": value.str}
    if _CLASSES.get(kind.__name__) is kind:
        return {"type": kind.__name__, "state": encode(value.__getstate__())}
    raise NotPlainError(kind.__name__)


def _array(value: npt.NDArray[Any]) -> dict[str, Any]:
    if value.dtype.kind in _NUMBERS:
        data: Any = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
    elif value.dtype.kind in "UO":
        data = [encode(each) for each in value.ravel().tolist()]
    else:
        raise NotPlainError(f"array of {value.dtype}")
    return {"dtype": value.dtype.str, "shape": list(value.shape), "data": data}


def _generator(value: np.random.RandomState) -> dict[str, Any]:
    state: Any = value.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        raise NotPlainError(f"RandomState of {state['bit_generator']}")
    return {"state": encode(state)}


_WRITERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    float: lambda value: {"value": repr(value)},
    tuple: lambda value: {"items": [encode(each) for each in value]},
    dict: lambda value: {"items": [[encode(key), encode(each)] for key, each in value.items()]},
    np.ndarray: _array,
    np.random.RandomState: _generator,
}


# ---- reading


def decode(data: Any) -> Any:
    """Return the value of what `encode` returned; anything else raises ValueError or one of `BAD_DATA`."""
    if isinstance(data, list):
        return [decode(each) for each in data]
    if not isinstance(data, dict):
        return data
    name = data["type"]
    if name in _READERS:
        return _READERS[name](data)
    kind = _CLASSES[name]
    state = decode(data["state"])
    made: Any = object.__new__(kind)
    if hasattr(kind, "__setstate__"):
        made.__setstate__(state)
    else:
        made.__dict__.update(state)
    return made


def _array_of(data: dict[str, Any]) -> npt.NDArray[Any]:
    dtype, shape = np.dtype(data["dtype"]), tuple(data["shape"])
    if dtype.kind in _NUMBERS:
        return np.frombuffer(base64.b64decode(data["data"], validate=True), dtype).reshape(shape).copy()
    if dtype.kind not in "UO":
        raise ValueError(f"an array of {dtype}")
    values = np.empty(len(data["data"]), object)
    values[:] = decode(data["data"])
    return values.astype(str if dtype.kind == "U" else object).reshape(shape)


def _generator_of(data: dict[str, Any]) -> np.random.RandomState:
    made = np.random.RandomState()
    made.set_state(decode(data["state"]))
    return made


_READERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "float": lambda data: float(data["value"]),
    "tuple": lambda data: tuple(decode(data["items"])),
    "dict": lambda data: {decode(key): decode(value) for key, value in data["items"]},
    "ndarray": _array_of,
    "generic": lambda data: _array_of(data)[()],
    "dtype": lambda data: np.dtype(data["name"]),
    "RandomState": _generator_of,
}
