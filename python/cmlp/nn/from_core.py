"""From the layers of a core network, such as a loaded file holds, back to modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from cmlp.nn import activations, gated
from cmlp.nn.container import Container, Residual
from cmlp.nn.ensemble import Ensemble
from cmlp.nn.module import Module


class _Bracket(NamedTuple):
    """A core layer at the beginning or the end of a residual, or of a member of an ensemble."""

    container: type[Container]
    word: str  # "Begin", "Next" or "End"
    weight: float


Layer = Module | _Bracket
_GROUPS: dict[str, type[Container]] = {"Residual": Residual, "Ensemble": Ensemble}
_BRACKETS = {group + word: (group, word) for group in _GROUPS for word in ("Begin", "Next", "End")}


def modules_of(stack: type[Container], layers: list[tuple[str, str, dict[str, Any]]]) -> list[Module]:
    """Return a network's modules from the name, kind and fields of its layers.

    "1.0" and "1.1" are the second module, one of class `stack` unless there are brackets beside them, such as
    "1.begin". Where brackets have other names, as in networks of C++ whose layers are numbered from first to
    last, the brackets alone decide; a member of an ensemble that has several modules is a `stack`.
    """
    flat = {name: _layer_of(kind, fields) for name, kind, fields in layers}
    brackets = [name for name, layer in flat.items() if isinstance(layer, _Bracket)]
    if all(name.rpartition(".")[2].startswith(("begin", "next", "end")) for name in brackets):
        return _by_names(stack, flat)
    return _by_brackets(stack, iter(flat.values()))[0]


def _layer_of(kind: str, fields: dict[str, Any]) -> Layer:
    if kind == "Activation":
        return activations.from_fields(fields)
    if kind == "Gated":
        return gated.gate_of(fields)
    if kind in _BRACKETS:
        group, word = _BRACKETS[kind]
        return _Bracket(_GROUPS[group], word, fields.get("weight", 1.0))
    module: Module = Module._kinds[kind]._from_fields(fields)
    return module


def _by_names(stack: type[Container], flat: dict[str, Layer]) -> list[Module]:
    groups: dict[str, dict[str, Layer]] = {}
    for name, layer in flat.items():
        head, _, rest = name.partition(".")
        groups.setdefault(head, {})[rest] = layer
    return [_named_module(stack, group) for group in groups.values()]


def _named_module(stack: type[Container], group: dict[str, Layer]) -> Module:
    if isinstance(module := group.get(""), Module):
        return module
    brackets = {name: x for name, x in group.items() if isinstance(x, _Bracket) and "." not in name}
    children = _by_names(stack, {name: layer for name, layer in group.items() if name not in brackets})
    return _group(list(brackets.values()), children) if brackets else _container(stack, children)


def _by_brackets(stack: type[Container], layers: Iterator[Layer]) -> tuple[list[Module], _Bracket | None]:
    """Return the modules up to a bracket that ends a member, and that bracket."""
    modules: list[Module] = []
    for layer in layers:
        if isinstance(layer, _Bracket) and layer.word != "Begin":
            return modules, layer
        modules.append(_bracketed(stack, layer, layers) if isinstance(layer, _Bracket) else layer)
    return modules, None


def _bracketed(stack: type[Container], begin: _Bracket, layers: Iterator[Layer]) -> Module:
    brackets, members = [begin], list[Module]()
    while brackets[-1].word != "End":
        modules, end = _by_brackets(stack, layers)
        assert end is not None  # the core has matched the brackets
        brackets.append(end)
        joined = begin.container is Residual or len(modules) == 1
        members += modules if joined else [_container(stack, modules)]
    return _group(brackets, members)


def _group(brackets: list[_Bracket], children: list[Module]) -> Container:
    if brackets[0].container is Residual:
        return _container(Residual, children)
    if len(children) != len(brackets) - 1:
        raise LookupError("the names of an ensemble's layers do not fit its members")
    return _container(Ensemble, children, weights=[end.weight for end in brackets[1:]])


def _container(cls: type[Container], modules: list[Module], **values: Any) -> Container:
    container = cls.__new__(cls)
    Module.__init__(container, **values)
    container._hold(modules)
    container._place_children()
    return container
