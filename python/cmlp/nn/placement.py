"""Where a module stands: alone, in one container, or in several; and the core network its numbers are in."""

from __future__ import annotations

import itertools
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any, ClassVar, cast
from weakref import ref

import numpy as np
import numpy.typing as npt

from cmlp import _core
from cmlp._sparse import InputLike
from cmlp.nn.fields import HasFields, table
from cmlp.nn.numbers import Core, LayerSpec, Numbers, Row, make_core
from cmlp.nn.parameter import Parameter

if TYPE_CHECKING:
    from cmlp.nn.container import Container
    from cmlp.nn.module import Module

_NUMBERS_OF_MOVES = itertools.count(1)
_MAKING = RLock()  # two threads that use a new module at once make one network
Place = tuple["Container", int]  # a container, and the module's index there


class Placed(HasFields):
    """The base of Module: its fields, its place, and the core network behind it."""

    _kind: ClassVar[str] = ""  # the core's name for such a layer; "": it is a stack of layers
    _moves: ClassVar[int] = 0  # another number after any module's numbers came to another core network
    _has_parameters = False  # of its own or in its children
    _may_be_shared = False  # may stand in several places: no parameters, no random numbers
    _is_sequence = False  # its output is that of its last child
    _is_slice = False  # a view of some children of its parent, with their names
    _has_own_dtype = False  # rather than its input's, where there are no numbers

    def __init__(self, *, seed: int = 0, dtype: npt.DTypeLike = "float32", **values: Any) -> None:
        self._seed, self._dtype = seed, dtype
        self._stand_alone()
        super().__init__(values)

    def _stand_alone(self) -> None:
        self._parent: Place | None = None
        self._shared: list[tuple[ref[Container], int]] = []  # where it stands, if in several places
        self._own: Numbers | None = None  # of a module that stands alone
        self._found_at = -1  # the number of _moves at which it last looked where it is
        self._found: tuple[Core, int, int]
        self._found_rows: list[Row]
        self._compared: set[str] = set()  # losses that its last layer was compared with
        self._parameters: dict[str, Parameter] = {}

    # ---- its fields in the core

    def _specs(self) -> list[LayerSpec]:
        """Return its layers; names are relative to the module, a lone layer's is empty."""
        return [("", self._kind, self._core_fields())]

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> Any:
        """Return the layer that a core layer's fields describe."""
        rows = [row for row in table(cls).values() if row.core]
        return cls(**{row.name: row.from_core(fields[row.core]) for row in rows if row.core in fields})

    def _check(self) -> None:
        if self._kind:
            _core.layer_parameters(self._kind, self._core_fields())

    def _take_effect(self) -> None:
        for core, layer in self._layers_in_cores():
            core.set_layer(layer, self._kind, self._core_fields())

    def _layers_in_cores(self) -> list[tuple[Core, int]]:
        """Return each core network that has this layer already, and the layer's index there."""
        here = [(self._root._own, self._first)]
        for container, at in ((container(), at) for container, at in self._shared):
            if container is not None:
                here.append((container._root._own, container._first + container._offsets[at]))
        return [(numbers.core, layer) for numbers, layer in here if numbers is not None]

    # ---- its place

    @property
    def _root(self) -> Module:
        """The outermost module of its network."""
        return cast("Module", self) if self._parent is None else self._parent[0]._root

    @property
    def _first(self) -> int:
        """Index of its first layer in the core network."""
        if self._parent is None:
            return 0
        container, at = self._parent
        return container._first + container._offsets[at]

    @property
    def _last(self) -> int:
        return self._first + self._layers

    @cached_property
    def _layers(self) -> int:
        """Number of layers of the core that this module is."""
        return len(self._specs())

    @property
    def _path(self) -> str:
        """Its name in the network: "1.0"."""
        if self._parent is None:
            return ""
        container, at = self._parent
        if self._is_slice:
            return container._path
        return f"{container._path}.{container._names[at]}".removeprefix(".")

    @property
    def _is_placed(self) -> bool:
        return self._parent is not None or bool(self._shared)

    def _join(self, container: Container, at: int) -> None:
        """Stand in a container, whose network takes over the values and gradients there are."""
        if self._is_placed:
            self._share(container, at)
            return
        kept = self._rows() if self._was_changed() else []
        self._parent, self._own = (container, at), None
        Placed._count_move()
        for before, row in zip(kept, self._rows() if kept else [], strict=True):
            row.data[...] = before.data
            if row.grad is not None and before.grad is not None:
                row.grad[...] = before.grad

    def _share(self, container: Container, at: int) -> None:
        if self._parent is not None:
            self._shared, self._mode = [(ref(self._parent[0]), self._parent[1])], self._core.training
            self._parent = None
        self._shared.append((ref(container), at))
        Placed._count_move()

    @staticmethod
    def _count_move() -> None:
        """Have every module and optimizer look again where its numbers are; called after a move."""
        Placed._moves = next(_NUMBERS_OF_MOVES)

    def _was_changed(self) -> bool:
        """Whether its parameters differ from what its own seed draws; else the network's seed draws them."""
        if self._own is None:
            return False
        drawn = Numbers(make_core(self._specs(), self._seed, self._dtype))
        return any(
            (own.data != new.data).any()
            for layer in range(self._layers)
            for own, new in zip(self._own.rows(layer), drawn.rows(layer), strict=True)
        )

    def _where(self) -> tuple[Core, int, int]:
        """Return the core network, and the range of its layers that this module is."""
        if self._found_at != Placed._moves:
            self._find()
        return self._found

    def _find(self) -> None:
        moves, numbers, first = Placed._moves, self._numbers, self._first
        last = first + self._layers
        self._found = numbers.core, first, last
        self._found_rows = [row for layer in range(first, last) for row in numbers.rows(layer)]
        self._found_at = moves

    # ---- its numbers

    @property
    def _numbers(self) -> Numbers:
        root = self._root
        if root._own is None:
            with _MAKING:
                if root._own is None:
                    root._own = Numbers(make_core(root._specs(), root._seed, root._dtype))
        return root._own

    @property
    def _core(self) -> Core:
        own = self._own  # only the outermost module has it
        return self._numbers.core if own is None else own.core

    def _follow_dtype(self, x: InputLike) -> None:
        """Let a lone module without numbers compute in the precision of its input."""
        numbers = self._numbers
        alone = self._parent is None and not self._has_own_dtype
        if alone and numbers.empty and _precision_of(x, self._dtype) != numbers.dtype:
            self._own = Numbers(numbers.core.convert())
            Placed._count_move()

    def _rows(self) -> list[Row]:
        """Return its parameters and buffers, layer by layer."""
        if self._found_at != Placed._moves:
            self._find()
        return self._found_rows

    def _parameter(self, key: str) -> Parameter:
        """Return the one object for a parameter of this layer."""
        if (parameter := self._parameters.get(key)) is None:
            parameter = self._parameters[key] = Parameter(cast("Module", self), key)
        return parameter


def _precision_of(x: Any, default: npt.DTypeLike) -> np.dtype[Any]:
    """Return the precision of an array of floats, the default for anything else."""
    dtype = getattr(x, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return np.dtype("float64" if dtype.itemsize > 4 else "float32")
    return np.dtype(default)
