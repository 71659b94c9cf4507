"""Classes and attributes of users' modules, which a core network does not hold, in copies of a network."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from cmlp.nn.module import PLACE
from cmlp.nn.parameter import Parameter

if TYPE_CHECKING:
    from cmlp.nn.module import Module

# What the package keeps in the __dict__ of a module.
_STACK = ("history", "_has_parameters", "_is_slice", "_metadata", "_modules", "_names", "_offsets")
_KEPT = frozenset((*PLACE, *_STACK, "_dtype", "_seed", "_values"))


Path = tuple[int, ...]  # the indices that lead to a module of a network
Subclass = tuple[type, dict[str, Any]]  # the class of a module, and its attributes


class Inside(NamedTuple):
    """An attribute that is a module of the same network, by its path there, or a parameter of that module."""

    path: Path
    parameter: str = ""

    def of(self, modules: Mapping[Path, Module]) -> Module | Parameter:
        """Return it from the network's modules."""
        module = modules[self.path]
        return module._parameter(self.parameter) if self.parameter else module


def _is_users(module: Module) -> bool:
    return not type(module).__module__.startswith("cmlp.")


def own_attributes(module: Module) -> dict[str, Any]:
    """Return the attributes that a module of a user's class has beside those of the package's."""
    kept = vars(module).items() if _is_users(module) else ()
    return {name: value for name, value in kept if name not in _KEPT}


def _paths(module: Module, path: Path = ()) -> Iterator[tuple[Path, Module]]:
    """Yield each module of a network with its path."""
    yield path, module
    for at, child in enumerate(module._children()):
        yield from _paths(child, (*path, at))


def copy_subclasses(old: Module, new: Module, memo: dict[int, Any]) -> None:
    """Give the modules of a copy the classes of the old ones, and deep copies of their attributes."""
    pairs = [(before, after) for (_, before), (_, after) in zip(_paths(old), _paths(new), strict=True)]
    memo.update({id(before): after for before, after in pairs})
    for before, after in pairs:
        if not _is_users(before):
            continue
        after.__class__ = type(before)
        after.__dict__.update(copy.deepcopy(own_attributes(before), memo))


def subclasses_in(net: Module) -> dict[Path, Subclass]:
    """Return class and attributes of each module, by its path, that is of a user's class."""
    paths = {id(module): path for path, module in _paths(net)}

    def kept(value: Any) -> Any:
        if isinstance(value, Parameter) and id(value._module) in paths:
            return Inside(paths[id(value._module)], value._key)
        return Inside(paths[id(value)]) if id(value) in paths else value

    return {
        path: (type(module), {name: kept(value) for name, value in own_attributes(module).items()})
        for path, module in _paths(net)
        if _is_users(module)
    }


def restore_subclasses(net: Module, subclasses: Mapping[Path, Subclass]) -> None:
    """Give the modules of a network classes and attributes that :func:`subclasses_in` returned."""
    modules = dict(_paths(net))
    for path, (cls, attributes) in subclasses.items():
        modules[path].__class__ = cls
        for name, value in attributes.items():
            vars(modules[path])[name] = value.of(modules) if isinstance(value, Inside) else value
