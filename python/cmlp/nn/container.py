"""What stacks of modules share, and Residual."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from typing import Any, Self, overload

import numpy.typing as npt

from cmlp.nn.fields import is_default
from cmlp.nn.module import Array, LayerSpec, Module, Parameter, dtype_name, make_core
from cmlp.nn.numbers import Numbers
from cmlp.nn.placement import Placed


class Container(Module):
    """Modules in order, as views of one network; base of Sequential, Residual and Ensemble."""

    _inset = 0  # layers of its own before the first child's
    _gap = 0  # ... and between two children's

    def __init__(
        self,
        *modules: Module | list[Module] | tuple[Module, ...],
        seed: int = 0,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__(seed=seed, dtype=dtype)
        self._hold(in_order(type(self).__name__, modules))
        self._join_children()

    def _hold(self, modules: list[Module]) -> None:
        self._modules = modules
        self._names = [str(at) for at in range(len(modules))]
        self._has_parameters = any(module._has_parameters for module in modules)

    def _join_children(self) -> None:
        """Make the children views of this network; throws before any of them is changed."""
        name = type(self).__name__
        if not self._modules:
            raise ValueError(f"{name}: there are no layers")
        for at, module in enumerate(self._modules):
            twice = any(module is other for other in self._modules[:at])
            if (module._is_placed or twice) and not module._may_be_shared:
                raise ValueError(
                    f"{name}: module {at}, {type(module).__name__}, already belongs to another network or "
                    "stands here twice; make a module for each place (copy.deepcopy copies one)"
                )
        self._own = Numbers(make_core(self._specs(), self._seed, self._dtype))
        for at, module in enumerate(self._modules):
            module._join(self, at)

    def _place_children(self) -> None:
        """Be the place of the children, whose values are in the network already."""
        for at, module in enumerate(self._modules):
            module._parent, module._own = (self, at), None
        Placed._count_move()

    @cached_property
    def _offsets(self) -> list[int]:
        """Index of each child's first layer among the container's."""
        sizes = (module._layers + self._gap for module in self._modules[:-1])
        return list(accumulate(sizes, initial=self._inset))

    def _specs(self) -> list[LayerSpec]:
        return [spec for at in range(len(self)) for spec in self._specs_of_child(at)]

    def _specs_of_child(self, at: int) -> list[LayerSpec]:
        specs = self._modules[at]._specs()
        return [(f"{at}.{name}" if name else str(at), kind, fields) for name, kind, fields in specs]

    # ---- its children

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules)

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Module | Self:
        if isinstance(index, slice):
            return self._slice(index)
        return self._modules[operator.index(index)]

    def _slice(self, index: slice) -> Self:
        raise TypeError(f"{type(self).__name__}: it has no slices; index its modules one by one")

    def _children(self) -> list[Module]:
        return self._modules

    def _named_children(self) -> Iterator[tuple[str, Module]]:
        return zip(self._names, self._modules, strict=True)

    def _named_modules(self, prefix: str) -> Iterator[tuple[str, Module]]:
        visited: set[int] = set()
        yield prefix, self
        for name, child in self._named_children():
            for path, module in child._named_modules(f"{prefix}.{name}".removeprefix(".")):
                if id(module) not in visited:
                    visited.add(id(module))
                    yield path, module

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield (name, parameter) with names as in :meth:`state_dict`."""
        for name, child in self._named_children():
            for key, parameter in child.named_parameters() if child._has_parameters else ():
                yield f"{name}.{key}", parameter

    def _parameter_list(self) -> list[Parameter]:
        return [p for child in self._modules if child._has_parameters for p in child._parameter_list()]

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """Yield (name, values) of what is kept but not trained, such as running means; views, not copies."""
        for name, child in self._named_children():
            for key, data in child.named_buffers() if child._has_parameters else ():
                yield f"{name}.{key}", data

    def _named_values(self) -> Iterator[tuple[str, Array]]:
        for name, child in self._named_children():
            for key, data in child._named_values() if child._has_parameters else ():
                yield f"{name}.{key}", data

    def _layer_titles(self) -> list[str]:
        return [title for at in range(len(self)) for title in self._titles_of_child(at)]

    def _titles_of_child(self, at: int) -> list[str]:
        name, module = self._names[at], self._modules[at]
        join = "." if isinstance(module, Container) else ": "
        return [f"{name}{join}{title}" for title in module._layer_titles()]

    def _restore(self, values: dict[str, Array], training: bool) -> None:
        self._join_children()
        super()._restore(values, training)

    # ---- what it is

    def _arguments(self) -> list[str]:
        """Return the children, and what a network of its own has."""
        shown = [*map(repr, self._modules), *self._settings()]
        if not self._is_placed:
            core = self._core
            shown += [] if core.seed == 0 else [f"seed={core.seed}"]
            name = dtype_name(self._numbers.dtype)
            shown += [] if is_default(name, "float32") else [f"dtype={name!r}"]
        return shown

    def _settings(self) -> list[str]:
        """Return the constructor's arguments beside the children, seed and dtype."""
        return []

    def __repr__(self) -> str:
        lines = ",\n".join("  " + text.replace("\n", "\n  ") for text in self._arguments())
        return f"{type(self).__name__}(\n{lines},\n)"


class Residual(Container):
    """``y = x + f(x)``, f a stack of modules that returns as many columns as it takes.

    He, Zhang, Ren and Sun, CVPR 2016.

    Parameters
    ----------
    *modules : Module
        The layers of f, in order.
    seed, dtype
        Used when the layer stands alone; in a :class:`Sequential` the network's count.

    Examples
    --------
    >>> from cmlp import nn
    >>> net = nn.Sequential(nn.Residual(nn.Linear(2, 2, init="zeros"), nn.ReLU()), nn.Linear(2, 1))
    >>> net[0]([[1.0, -2.0]]).tolist()
    [[1.0, -2.0]]
    >>> list(net.state_dict())
    ['0.0.weight', '0.0.bias', '1.weight', '1.bias']
    """

    _inset = 1

    def _specs(self) -> list[LayerSpec]:
        return [("begin", "ResidualBegin", {}), *super()._specs(), ("end", "ResidualEnd", {})]

    def _layer_titles(self) -> list[str]:
        return ["begin", *super()._layer_titles(), "end"]


def in_order(name: str, modules: tuple[Any, ...]) -> list[Module]:
    """Return the modules of a stack, given one by one or as one list."""
    if len(modules) == 1 and isinstance(modules[0], list | tuple):
        modules = tuple(modules[0])
    for module in modules:
        if not isinstance(module, Module):
            remedy = f"; call {module.__name__}(...) first" if isinstance(module, type) else ""
            if isinstance(module, list | tuple):
                remedy = "; nn.Sequential makes one of a list of modules"
            raise ValueError(f"{name}: {module!r} is not a module{remedy}")
    return list(modules)
