"""Parameter: the values and the gradient of one parameter of a layer, wherever the layer's numbers are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cmlp.nn.numbers import Core, Row

if TYPE_CHECKING:
    from cmlp.nn.module import Module

Member = tuple[Any, int]  # a core network, and a parameter's index there


class Parameter:
    """One parameter of a layer: its values and its gradient, both views of its network's memory.

    There is one object for each layer and name: ``net[0].weight is net[0].weight``. It looks its numbers up
    when it is used, so that it stays right when its layer joins a network. Writing through ``data[...]``
    changes the network; an array that was taken before the layer joined is no view of it.

    Attributes
    ----------
    name : str
        Its name in the ``state_dict`` of its network: ``"0.weight"``.
    data, grad : ndarray
        Weights have shape ``(out, in)``, biases ``(out,)``; assigning an array copies it in.

    Examples
    --------
    >>> import numpy as np
    >>> from cmlp import nn
    >>> layer = nn.Linear(2, 1)
    >>> weight = layer.weight
    >>> net = nn.Sequential(layer, nn.Tanh())
    >>> weight.data = [[3.0, -1.0]]
    >>> np.asarray(net[0].weight).tolist(), weight is net[0].weight
    ([[3.0, -1.0]], True)
    """

    __slots__ = ("__weakref__", "_key", "_module")

    def __init__(self, module: Module, key: str) -> None:
        self._module = module
        self._key = key

    # ---- where its numbers are

    @property
    def _core(self) -> Core:
        return self._module._numbers.core

    @property
    def _row(self) -> Row:
        return self._module._numbers.row(self._module._first, self._key)

    @property
    def _index(self) -> int:
        return self._row.index

    # ---- what it holds

    @property
    def name(self) -> str:
        """Its name in the ``state_dict`` of its network."""
        path = self._module._path
        return f"{path}.{self._key}" if path else self._key

    @property
    def data(self) -> npt.NDArray[Any]:
        """The values; assigning an array copies it in."""
        return self._row.data

    @data.setter
    def data(self, value: npt.ArrayLike) -> None:
        with self._core.changing("Parameter"):
            copy_in(self.data, value, self.name, "Parameter")

    @property
    def grad(self) -> npt.NDArray[Any]:
        """The gradient; assigning an array copies it in."""
        grad = self._row.grad
        assert grad is not None  # only a buffer has none, and no buffer is a Parameter
        return grad

    @grad.setter
    def grad(self, value: npt.ArrayLike) -> None:
        with self._core.changing("Parameter"):
            copy_in(self.grad, value, self.name, "Parameter")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self.data.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.data.dtype

    def numel(self) -> int:
        """Return the number of elements."""
        return self.data.size

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        values = self.data
        if dtype is not None and values.dtype != dtype:
            if copy is False:
                raise ValueError(f"Parameter: '{self.name}' cannot become {np.dtype(dtype)} without a copy")
            return values.astype(dtype)
        return values.copy() if copy else values

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        root = self._module._root
        return _parameter_of, (root, self.name)

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, shape={self.shape}, dtype={self.dtype})"


def _parameter_of(root: Module, name: str) -> Parameter:
    """Return the parameter of that name: what a pickled one becomes."""
    return dict(root.named_parameters())[name]


def copy_in(target: npt.NDArray[Any], value: npt.ArrayLike, name: str, function: str) -> None:
    """Write a value of the same shape into an array."""
    target[...] = checked(value, target.shape, name, function)


def checked(value: npt.ArrayLike, shape: tuple[int, ...], name: str, function: str) -> npt.NDArray[Any]:
    """Return the value as an array; raise ValueError unless it is of this shape and real."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{function}: '{name}' has dtype {array.dtype}, it must hold real numbers")
    if array.shape != shape:
        raise ValueError(f"{function}: '{name}' has shape {shape}, the value {array.shape}")
    return array


def members_of(parameters: Iterable[Parameter], function: str = "") -> list[Member]:
    """Return the parameters as the core knows them: network and index.

    Raises ValueError in the function's name, if there is one, when they have different dtypes.
    """
    members = [(parameter._core, parameter._index) for parameter in parameters]
    if function and len({type(core) for core, _ in members}) > 1:
        raise ValueError(f"{function}: parameters have different dtypes")
    return members
