"""Module: a range of layers of a core network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from threading import RLock
from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp import _core
from cmlp._sparse import InputLike, is_sparse
from cmlp.nn.parameter import Core, Parameter

__all__ = ["Core", "LayerSpec", "Module", "Parameter", "dtype_name", "make_core"]

LayerSpec = tuple[str, str, dict[str, Any]]  # name, type, fields

_MAKING = RLock()  # two threads that use a new module at once make one network
_CORES: dict[str, Any] = {"float32": _core.Network32, "float64": _core.Network64}


def make_core(specs: list[LayerSpec], seed: int, dtype: npt.DTypeLike) -> Core:
    """Return the core network of these layers in one of the two precisions."""
    if not 0 <= seed < 2**64:
        raise ValueError(f"{specs[0][1]}: seed is {seed}, it must be in [0, 2^64)")
    core: Core = _CORES[dtype_name(dtype)](specs, seed)
    return core


def dtype_name(dtype: npt.DTypeLike) -> str:
    """Return "float32" or "float64"; raise ValueError for anything else."""
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    if name not in _CORES:
        raise ValueError(f"unknown dtype '{name}'; choose from {', '.join(_CORES)}")
    return name


class Module:
    """A layer or a stack of them: call it forward, ask it back, read its parameters.

    A module is a range of layers of a core network. On its own it makes that network when it is first used;
    as part of a :class:`Sequential` it is a view of the whole's layers and parameters.
    """

    _has_parameters = False  # of its own or in its children

    def __init__(self) -> None:
        self._owner: Module | None = None  # the module whose network this one's layers belong to
        self._own_core: Core | None = None
        self._first = 0  # index of its first layer there
        self._path = ""  # and its name there
        self._seed = 0
        self._dtype: npt.DTypeLike = "float32"

    def _specs(self) -> list[LayerSpec]:
        """Return its layers; names are relative to the module, a lone layer's is empty."""
        raise NotImplementedError

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> Module:
        """Return the layer that a core layer's fields describe."""
        return cls(**fields)

    # ---- the network behind it

    @property
    def _core(self) -> Core:
        if self._owner is not None:
            return self._owner._core
        if self._own_core is None:
            with _MAKING:
                if self._own_core is None:
                    self._own_core = make_core(self._specs(), self._seed, self._dtype)
        return self._own_core

    @property
    def _last(self) -> int:
        return self._first + self._layers

    @cached_property
    def _layers(self) -> int:
        """Number of layers of the core that this module is."""
        return len(self._specs())

    def _join(self, owner: Module, first: int, path: str) -> None:
        """Become part of the owner's network, taking along the values there are."""
        values = self.state_dict() if self._was_changed() else {}
        self._place(owner, first, path)
        if values:
            self.load_state_dict(values)

    def _was_changed(self) -> bool:
        """Whether its parameters are others than its own seed draws; else the owner's seed draws them."""
        if self._own_core is None:
            return False
        own, drawn = self._own_core, make_core(self._specs(), self._seed, self._dtype)
        kept = [*own.parameters(), *own.buffers()], [*drawn.parameters(), *drawn.buffers()]
        return any((a[2] != b[2]).any() for a, b in zip(*kept, strict=True))

    def _place(self, owner: Module, first: int, path: str) -> None:
        self._owner, self._own_core, self._first, self._path = owner, None, first, path

    # ---- forward and backward

    def __call__(self, x: InputLike) -> npt.NDArray[Any]:
        """Return the output for ``x`` (batch, in), keeping what :meth:`backward` needs.

        In evaluation mode any number of threads may call one network, and what is kept is a copy of the last
        ``x``, from which backward repeats the pass. In training mode one thread at a time may.

        A Linear, alone or first of a network, also takes a SciPy sparse matrix.

        Raises
        ------
        ValueError
            When ``x`` is not two-dimensional or has the wrong number of columns.
        RuntimeError
            While another thread trains the network.
        """
        return self._core.forward(x, self._first, self._last)

    def forward(self, x: InputLike) -> npt.NDArray[Any]:
        """Return the output for ``x``; the same as calling the module."""
        return self(x)

    def backward(self, dy: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the gradient of the input, from that of the last output; parameters' gradients are added to.

        Parameters
        ----------
        dy : array (batch, out)
            Gradient of the loss by the last output.

        Returns
        -------
        ndarray (batch, in)

        Raises
        ------
        ValueError
            Without a forward pass, or when the shape is not that of the last output.
        RuntimeError
            While another thread trains the network, and when one has called it since this thread's last call.

        Examples
        --------
        >>> import numpy as np
        >>> from cmlp import nn
        >>> layer = nn.Linear(2, 1)
        >>> layer.weight.data = [[3.0, -1.0]]
        >>> _ = layer(np.ones((1, 2)))
        >>> layer.backward(np.ones((1, 1))).tolist()
        [[3.0, -1.0]]
        >>> layer.weight.grad.tolist()
        [[1.0, 1.0]]
        """
        return self._core.backward(dy, self._first, self._last)

    # ---- parameters

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield (name, parameter) with names as in :meth:`state_dict`."""
        prefix = self._path + "." if self._path else ""
        for index, (name, layer, data, grad) in enumerate(self._core.parameters()):
            if self._first <= layer < self._last:
                short = name.removeprefix(prefix)
                yield short, Parameter(self._core, index, short, data, grad)

    def parameters(self) -> list[Parameter]:
        """Return the parameters in the order of the layers."""
        return [parameter for _, parameter in self.named_parameters()]

    def named_buffers(self) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        """Yield (name, values) of what is kept but not trained, such as running means; views, not copies."""
        prefix = self._path + "." if self._path else ""
        for name, layer, data in self._core.buffers():
            if self._first <= layer < self._last:
                yield name.removeprefix(prefix), data

    def _state(self) -> dict[str, Parameter]:
        """Return parameters and buffers by name, layer by layer."""
        prefix = self._path + "." if self._path else ""
        rows = [(layer, 0, name, data) for name, layer, data, _ in self._core.parameters()]
        rows += [(layer, 1, name, data) for name, layer, data in self._core.buffers()]
        rows = sorted((row for row in rows if self._first <= row[0] < self._last), key=lambda row: row[:2])
        short = [(name.removeprefix(prefix), data) for _, _, name, data in rows]
        return {name: Parameter(self._core, -1, name, data, None) for name, data in short}

    def state_dict(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all values by name, buffers too, as PyTorch names and shapes them."""
        with self._core.reading("state_dict"):
            return {name: np.array(values.data, order="C") for name, values in self._state().items()}

    def load_state_dict(self, state: Mapping[str, npt.ArrayLike]) -> None:
        """Copy values in by name.

        Raises
        ------
        ValueError
            When a name is missing or unknown, or a shape differs; nothing is changed then.
        """
        own = self._state()
        if missing := sorted(own.keys() - state.keys()):
            raise ValueError(f"load_state_dict: the state has no {', '.join(missing)}")
        if unknown := sorted(state.keys() - own.keys()):
            raise ValueError(f"load_state_dict: the network has no {', '.join(unknown)}")
        arrays = {name: own[name]._checked(value, "load_state_dict") for name, value in state.items()}
        with self._core.changing("load_state_dict"):
            for name, array in arrays.items():
                own[name].data = array

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        with self._core.changing("zero_grad"):
            for parameter in self.parameters():
                parameter.grad[...] = 0

    @property
    def n_parameters(self) -> int:
        """Number of parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    def trace(self, x: InputLike) -> list[tuple[str, npt.NDArray[Any]]]:
        """Return every intermediate value of a forward pass.

        Parameters
        ----------
        x : array (batch, in)

        Returns
        -------
        list of (name, ndarray)
            ``("input", x)``, then the name and the output of each layer.

        Examples
        --------
        >>> from cmlp import nn
        >>> net = nn.Sequential(nn.Linear(1, 1, init="constant", init_settings={"value": -2.0}), nn.ReLU())
        >>> [(name, y.tolist()) for name, y in net.trace([[1.0]])]
        [('input', [[1.0]]), ('0: Linear', [[-2.0]]), ('1: ReLU', [[0.0]])]
        """
        values: list[Any] = list(self._core.trace(x, self._first, self._last))
        if is_sparse(x):
            values[0] = x
        return list(zip(["input", *self._layer_titles()], values, strict=True))

    def _layer_titles(self) -> list[str]:
        return [type(self).__name__]

    # ---- copies

    def __getstate__(self) -> dict[str, Any]:
        made = self._owner is not None or self._own_core is not None
        dtype = "float64" if made and isinstance(self._core, _core.Network64) else self._dtype
        own = {"_owner": None, "_own_core": None, "_first": 0, "_path": "", "_dtype": dtype}
        return {**self.__dict__, **own, "values": self.state_dict() if made else {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        values = state.pop("values")
        self.__dict__.update(state)
        if values:
            self.load_state_dict(values)

    # ---- mode

    @property
    def training(self) -> bool:
        """Whether dropout draws and BatchNorm1d goes by the batch; one mode for the whole network."""
        return self._core.training

    def train(self, mode: bool = True) -> Module:
        """Switch to training; return the module."""
        self._core.training = mode
        return self

    def eval(self) -> Module:
        """Switch to evaluation; return the module."""
        return self.train(False)

    def _extra_repr(self) -> str:
        return ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._extra_repr()})"
