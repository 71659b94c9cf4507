"""Module: a layer or a stack of layers, a range of layers of a core network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, overload

import numpy as np
import numpy.typing as npt

from cmlp._foreign_names import advice
from cmlp._sparse import InputLike
from cmlp.nn.fields import is_default
from cmlp.nn.numbers import Array, Core, LayerSpec, dtype_name, make_core
from cmlp.nn.parameter import Parameter, checked
from cmlp.nn.placement import Placed
from cmlp.nn.tracing import GradientRow, ValueRow, gradients, values

if TYPE_CHECKING:
    from cmlp.nn.losses.base import Loss

__all__ = ["Array", "Core", "LayerSpec", "Module", "Parameter", "dtype_name", "make_core"]

# The attributes that say where a module is and what its core network is.
PLACE = (
    "_parent",
    "_shared",
    "_own",
    "_parameters",
    "_layers",
    "_compared",
    "_mode",
    "_found",
    "_found_at",
    "_found_rows",
)


class Module(Placed):
    """A layer or a stack of them: call it for the output, ``backward`` for the gradient, read its parameters.

    A module is a range of layers of a core network. On its own it makes that network when it is first used;
    as a part of a :class:`Sequential` it is a view of that network's layers and parameters. Activations and
    other layers without parameters or random numbers may stand in several places, as in PyTorch; any other
    module stands in one.
    """

    _kinds: ClassVar[dict[str, type[Module]]] = {}  # by the core's name
    _mode = True  # of a module that stands in several places

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__dict__.get("_kind"):
            Module._kinds[cls._kind] = cls
        if "forward" in cls.__dict__ and not cls.__module__.startswith("cmlp."):
            raise TypeError(
                f"{cls.__name__}: a forward of its own has no gradient, there is no autograd here; "
                "stack layers in nn.Sequential, with nn.Residual for x + f(x)"
            )

    # ---- forward and backward

    def __call__(self, x: InputLike) -> Array:
        """Return the output for ``x`` (batch, in), keeping what :meth:`backward` needs.

        In evaluation mode any number of threads may call one network, and what is kept is a copy of the last
        ``x``, from which backward repeats the pass; a batch may have no rows then. In training mode one
        thread at a time may.

        A Linear, alone or first of a network, also takes a SciPy sparse matrix. A lone layer without
        parameters computes in the precision of ``x``.

        Raises
        ------
        ValueError
            When ``x`` is not two-dimensional or has the wrong number of columns.
        RuntimeError
            While another thread trains the network.
        """
        if not self._has_own_dtype:
            self._follow_dtype(x)
        core, first, last = self._where()
        return core.forward(x, first, last)

    def forward(self, x: InputLike) -> Array:
        """Return the output for ``x``; the same as calling the module."""
        return self(x)

    def backward(self, dy: npt.ArrayLike) -> Array:
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
        if self._shared:
            raise ValueError(
                f"{type(self).__name__}.backward: the module stands in several places; call backward of the "
                "network, or make a module for each place"
            )
        core, first, last = self._where()
        return core.backward(dy, first, last)

    # ---- modules and parameters

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield (name, module) for the module itself, "", and every module in it, "0.1"; each once."""
        return self._named_modules(prefix)

    def _named_modules(self, prefix: str) -> Iterator[tuple[str, Module]]:
        yield prefix, self

    def _children(self) -> list[Module]:
        return []

    def modules(self) -> Iterator[Module]:
        """Yield the module itself and every module in it."""
        for _, module in self._named_modules(""):
            yield module

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield (name, parameter) with names as in :meth:`state_dict`."""
        for row in self._rows():
            if row.grad is not None:
                yield row.name, self._parameter(row.name)

    def parameters(self) -> list[Parameter]:
        """Return the parameters in the order of the layers."""
        return self._parameter_list()

    def _parameter_list(self) -> list[Parameter]:
        return [self._parameter(row.name) for row in self._rows() if row.grad is not None]

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """Yield (name, values) of what is kept but not trained, such as running means; views, not copies."""
        for row in self._rows():
            if row.grad is None:
                yield row.name, row.data

    def _named_values(self) -> Iterator[tuple[str, Array]]:
        """Yield (name, values) of parameters and buffers, layer by layer; views."""
        for row in self._rows():
            yield row.name, row.data

    def state_dict(self) -> dict[str, Array]:
        """Return copies of all values by name, buffers too, as PyTorch names and shapes them."""
        with self._core.reading("state_dict"):
            return {name: np.array(data, order="C") for name, data in self._named_values()}

    def load_state_dict(self, state: Mapping[str, npt.ArrayLike]) -> None:
        """Copy values in by name.

        Raises
        ------
        ValueError
            When a name is missing or unknown, or a shape differs; nothing is changed then.
        """
        own = dict(self._named_values())
        if missing := sorted(own.keys() - state.keys()):
            raise ValueError(f"load_state_dict: the state has no {', '.join(missing)}")
        if unknown := sorted(state.keys() - own.keys()):
            raise ValueError(f"load_state_dict: the network has no {', '.join(unknown)}")
        arrays = {k: checked(state[k], data.shape, k, "load_state_dict") for k, data in own.items()}
        with self._core.changing("load_state_dict"):
            for name, array in arrays.items():
                own[name][...] = array

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        with self._core.changing("zero_grad"):
            for row in self._rows():
                if row.grad is not None:
                    row.grad[...] = 0

    @property
    def n_parameters(self) -> int:
        """Number of parameters."""
        return sum(row.data.size for row in self._rows() if row.grad is not None)

    @overload
    def trace(self, x: InputLike) -> list[ValueRow]: ...
    @overload
    def trace(self, x: InputLike, y: npt.ArrayLike, criterion: Loss) -> list[GradientRow]: ...
    def trace(
        self, x: InputLike, y: npt.ArrayLike | None = None, criterion: Loss | None = None
    ) -> list[ValueRow] | list[GradientRow]:
        """Return every intermediate value of a forward pass, with a loss also the gradient by each.

        Parameters
        ----------
        x : array (batch, in)
        y, criterion : array and Loss, optional
            Targets and a loss: then a backward pass follows, which adds to the parameters' gradients.

        Returns
        -------
        list of (name, value) or of (name, value, gradient)
            The input, then each layer with its output; a gradient is that of the loss by the value beside it.

        Examples
        --------
        >>> from cmlp import nn
        >>> net = nn.Sequential(nn.Linear(1, 1, init="constant", init_settings={"value": -2.0}), nn.ReLU())
        >>> for name, value in net.trace([[1.0]]):
        ...     print(name, value.tolist())
        input [[1.0]]
        0: Linear [[-2.0]]
        1: ReLU [[0.0]]
        >>> for name, value, gradient in net.trace([[-1.0]], [[1.0]], nn.MSELoss()):
        ...     print(name, value.tolist(), gradient.tolist())
        input [[-1.0]] [[-4.0]]
        0: Linear [[2.0]] [[2.0]]
        1: ReLU [[2.0]] [[2.0]]
        """
        rows = values(self, x)
        if y is None and criterion is None:
            return rows
        if y is None or criterion is None:
            raise ValueError("trace: y and criterion must both be given, one of them is None")
        if not self.training:
            self(x)  # in evaluation mode a trace keeps nothing for a backward pass
        return gradients(self, rows, y, criterion)

    def _layer_titles(self) -> list[str]:
        return [type(self).__name__]

    # ---- copies

    def __getstate__(self) -> dict[str, Any]:
        kept = {key: value for key, value in self.__dict__.items() if key not in PLACE}
        made = self._root._own is not None or self._parent is not None
        if made:
            kept["_dtype"] = self._numbers.dtype.name
        return {
            **kept,
            "values": self.state_dict() if made else {},
            "training": self.training if made else True,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        values, training = state.pop("values"), state.pop("training", True)
        self.__dict__.update(state)
        self._stand_alone()
        self._restore(values, training)

    def _restore(self, values: dict[str, Array], training: bool) -> None:
        if values:
            self.load_state_dict(values)
        if not training:
            self.eval()

    # ---- mode

    @property
    def training(self) -> bool:
        """Whether dropout draws and BatchNorm1d goes by the batch; one mode for a network."""
        return self._mode if self._shared else self._core.training

    def train(self, mode: bool = True) -> Self:
        """Switch its network to training; return the module."""
        if not isinstance(mode, bool | np.bool_):
            raise TypeError(f"{type(self).__name__}.train: mode is {mode!r}, it must be True or False")
        if self._shared:
            self._mode = bool(mode)
            return self
        root = self._root
        root._core.training = bool(mode)
        for module in root.modules():
            if module._shared:
                module._mode = bool(mode)
        return self

    def eval(self) -> Self:
        """Switch its network to evaluation; return the module."""
        return self.train(False)

    # ---- what it is

    def _arguments(self) -> list[str]:
        shown = super()._arguments()
        if not self._is_placed:
            shown += [] if self._seed == 0 else [f"seed={self._seed}"]
            shown += [] if is_default(self._dtype, "float32") else [f"dtype={dtype_name(self._dtype)!r}"]
        return shown

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            hint = advice("module", name)
            raise AttributeError(
                f"'{type(self).__name__}' has no attribute '{name}'" + (f"; {hint}" if hint else "")
            )
