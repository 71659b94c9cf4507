"""From the layers of a core network, such as a loaded file holds, back to modules."""

from __future__ import annotations

from typing import Any, NamedTuple

from cmlp.nn import activations, gated
from cmlp.nn.container import Container, Residual
from cmlp.nn.ensemble import Ensemble
from cmlp.nn.module import Module


class _Bracket(NamedTuple):
    """A core layer at the beginning or the end of a residual, or of a member of an ensemble."""

    container: type[Container]
    fields: dict[str, Any]


Flat = dict[str, Module | _Bracket]  # modules by the names of the core's layers
_BRACKETS: dict[str, type[Container]] = {
    **dict.fromkeys(("ResidualBegin", "ResidualEnd"), Residual),
    **dict.fromkeys(("EnsembleBegin", "EnsembleNext", "EnsembleEnd"), Ensemble),
}


def modules_of(stack: type[Container], layers: list[tuple[str, str, dict[str, Any]]]) -> list[Module]:
    """Return a network's modules from the name, kind and fields of its layers.

    "1.0" and "1.1" are the second module, one of class `stack` unless there are brackets beside them.
    """
    return _nested(stack, {name: _layer_of(kind, fields) for name, kind, fields in layers})


def _layer_of(kind: str, fields: dict[str, Any]) -> Module | _Bracket:
    if kind == "Activation":
        return activations.from_fields(fields)
    if kind == "Gated":
        return gated.gate_of(fields)
    if kind in _BRACKETS:
        return _Bracket(_BRACKETS[kind], fields)
    module: Module = Module._kinds[kind]._from_fields(fields)
    return module


def _nested(stack: type[Container], flat: Flat) -> list[Module]:
    groups: dict[str, Flat] = {}
    for name, layer in flat.items():
        head, _, rest = name.partition(".")
        groups.setdefault(head, {})[rest] = layer
    return [_module_of(stack, group) for group in groups.values()]


def _module_of(stack: type[Container], group: Flat) -> Module:
    if isinstance(module := group.get(""), Module):
        return module
    brackets = {name: x for name, x in group.items() if isinstance(x, _Bracket) and "." not in name}
    children = _nested(stack, {name: layer for name, layer in group.items() if name not in brackets})
    if not brackets:
        return _container(stack, children)
    first, *others = brackets.values()
    values = {} if first.container is Residual else {"weights": [x.fields["weight"] for x in others]}
    return _container(first.container, children, **values)


def _container(cls: type[Container], modules: list[Module], **values: Any) -> Container:
    container = cls.__new__(cls)
    Module.__init__(container, **values)
    container._hold(modules)
    container._place_children()
    return container
