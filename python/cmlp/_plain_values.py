"""Values as JSON and back: plain data, arrays and objects of listed classes, never code."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

_NUMBERS = "biufcMm"  # kinds of arrays that are written as bytes
_IN_FILES = "biuf"  # kinds of arrays that a model file holds as arrays
_PLAIN = (type(None), bool, int, str)
Classes = Mapping[str, type]


class NotPlainError(ValueError):
    """A value that cannot be written as plain data; the text names its type."""


class PlainWriter:
    """Makes JSON types of values.

    Parameters
    ----------
    classes : dict of str to class, optional
        Classes whose objects are written, by their names: as what their ``__getstate__`` returns.
    arrays : dict of str to ndarray, optional
        Takes the arrays of numbers, which are then not part of the text.
    prefix : str
        What their names begin with.
    """

    def __init__(
        self,
        classes: Classes | None = None,
        arrays: dict[str, npt.NDArray[Any]] | None = None,
        prefix: str = "",
    ) -> None:
        self.classes: Classes = classes or {}
        self.arrays = arrays
        self.prefix = prefix

    def encode(self, value: Any) -> Any:
        """Return a value as JSON types; raise NotPlainError for one that is neither plain nor of the list."""
        kind = type(value)
        if kind in _PLAIN or (kind is float and math.isfinite(value)):
            return value
        if kind is list:
            return [self.encode(each) for each in value]
        if isinstance(value, np.generic):
            return {"type": "generic", **self._bytes(np.asarray(value))}
        if isinstance(value, np.dtype):
            return {"type": "dtype", "name": value.str}
        if kind in (float, tuple, dict, np.ndarray, np.random.RandomState):
            return self._typed(value)
        if self.classes.get(kind.__name__) is kind:
            return {"type": kind.__name__, "state": self.encode(value.__getstate__())}
        raise NotPlainError(kind.__name__)

    def _typed(self, value: Any) -> dict[str, Any]:
        kind = type(value).__name__
        if isinstance(value, float):
            return {"type": kind, "value": repr(value)}
        if isinstance(value, tuple):
            return {"type": kind, "items": [self.encode(each) for each in value]}
        if isinstance(value, dict):
            return {
                "type": kind,
                "items": [[self.encode(key), self.encode(each)] for key, each in value.items()],
            }
        if isinstance(value, np.ndarray):
            return self._array(value)
        state: Any = value.get_state(legacy=False)
        if state["bit_generator"] != "MT19937":
            raise NotPlainError(f"RandomState of {state['bit_generator']}")
        return {"type": kind, "state": self.encode(state)}

    def _array(self, value: npt.NDArray[Any]) -> dict[str, Any]:
        if self.arrays is None or value.dtype.kind not in _IN_FILES:
            return {"type": "ndarray", **self._bytes(value)}
        name = f"{self.prefix}.{sum(key.startswith(f'{self.prefix}.') for key in self.arrays)}"
        self.arrays[name] = value
        return {"type": "array", "name": name}

    def _bytes(self, value: npt.NDArray[Any]) -> dict[str, Any]:
        if value.dtype.kind in _NUMBERS:
            data: Any = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        elif value.dtype.kind in "UO":
            data = [self.encode(each) for each in value.ravel().tolist()]
        else:
            raise NotPlainError(f"array of {value.dtype}")
        return {"dtype": value.dtype.str, "shape": list(value.shape), "data": data}


class PlainReader:
    """Makes values of what a :class:`PlainWriter` wrote, of the same classes and arrays."""

    def __init__(
        self, classes: Classes | None = None, arrays: Mapping[str, npt.NDArray[Any]] | None = None
    ) -> None:
        self.classes: Classes = classes or {}
        self.arrays: Mapping[str, npt.NDArray[Any]] = arrays or {}

    def decode(self, data: Any) -> Any:
        """Return the value; what was not written raises ValueError or one of `cmlp.files.BAD_DATA`."""
        if isinstance(data, list):
            return [self.decode(each) for each in data]
        if not isinstance(data, dict):
            return data
        name = data["type"]
        if name in _READERS:
            return getattr(self, _READERS[name])(data)
        kind = self.classes[name]
        state = self.decode(data["state"])
        made: Any = object.__new__(kind)
        if hasattr(kind, "__setstate__"):
            made.__setstate__(state)
        else:
            made.__dict__.update(state)
        return made

    def _float(self, data: dict[str, Any]) -> float:
        return float(data["value"])

    def _tuple(self, data: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(self.decode(data["items"]))

    def _dict(self, data: dict[str, Any]) -> dict[Any, Any]:
        return {self.decode(key): self.decode(value) for key, value in data["items"]}

    def _named(self, data: dict[str, Any]) -> npt.NDArray[Any]:
        return self.arrays[data["name"]]

    def _array(self, data: dict[str, Any]) -> npt.NDArray[Any]:
        dtype, shape = np.dtype(data["dtype"]), tuple(data["shape"])
        if dtype.kind in _NUMBERS:
            return np.frombuffer(base64.b64decode(data["data"], validate=True), dtype).reshape(shape).copy()
        if dtype.kind not in "UO":
            raise ValueError(f"an array of {dtype}")
        values = np.empty(len(data["data"]), object)
        values[:] = self.decode(data["data"])
        return values.astype(str if dtype.kind == "U" else object).reshape(shape)

    def _generic(self, data: dict[str, Any]) -> Any:
        return self._array(data)[()]

    def _dtype(self, data: dict[str, Any]) -> np.dtype[Any]:
        dtype: np.dtype[Any] = np.dtype(data["name"])
        return dtype

    def _generator(self, data: dict[str, Any]) -> np.random.RandomState:
        made = np.random.RandomState()
        made.set_state(self.decode(data["state"]))
        return made


_READERS = {
    "float": "_float",
    "tuple": "_tuple",
    "dict": "_dict",
    "array": "_named",
    "ndarray": "_array",
    "generic": "_generic",
    "dtype": "_dtype",
    "RandomState": "_generator",
}
