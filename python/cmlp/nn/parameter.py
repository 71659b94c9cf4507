"""Parameter: a view of one parameter of a core network."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp import _core

Core = _core.Network32 | _core.Network64


class Parameter:
    """One parameter of a network: its values and its gradient, both views of the network's own memory.

    Writing through ``data[...]`` changes the network. Views stay valid as long as anything refers to them.

    Attributes
    ----------
    name : str
        Its name in ``state_dict``: ``"0.weight"``.
    data, grad : ndarray
        Weights have shape ``(out, in)``, biases ``(out,)``.
    """

    def __init__(self, core: Core, index: int, name: str, data: Any, grad: Any) -> None:
        self._core = core
        self._index = index
        self.name = name
        self._data = data
        self._grad = grad

    @property
    def data(self) -> npt.NDArray[Any]:
        """The values; assigning an array copies it in."""
        return self._data  # type: ignore[no-any-return]

    @data.setter
    def data(self, value: npt.ArrayLike) -> None:
        self._copy_in(self._data, value)

    @property
    def grad(self) -> npt.NDArray[Any]:
        """The gradient; assigning an array copies it in."""
        return self._grad  # type: ignore[no-any-return]

    @grad.setter
    def grad(self, value: npt.ArrayLike) -> None:
        self._copy_in(self._grad, value)

    def _copy_in(self, target: npt.NDArray[Any], value: npt.ArrayLike) -> None:
        array = self._checked(value, "Parameter")
        with self._core.changing("Parameter"):
            target[...] = array

    def _checked(self, value: npt.ArrayLike, function: str) -> npt.NDArray[Any]:
        """Return the value as an array; raise ValueError unless it is of this shape and real."""
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise ValueError(f"{function}: '{self.name}' has dtype {array.dtype}, it must hold real numbers")
        if array.shape != self.shape:
            raise ValueError(f"{function}: '{self.name}' has shape {self.shape}, the value {array.shape}")
        return array

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.data.dtype

    def numel(self) -> int:
        """Return the number of elements."""
        return self.data.size

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, shape={self.shape}, dtype={self.dtype})"
