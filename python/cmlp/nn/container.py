"""What stacks of modules share, Residual, and the way back from a core network's layers to modules."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy.typing as npt

from cmlp.nn import activations, embeddings, gated, layers, norms, tabular
from cmlp.nn.module import LayerSpec, Module, make_core

_CLASSES: dict[str, type[Module]] = {
    cls.__name__: cls
    for cls in (
        layers.Linear,
        layers.Dropout,
        layers.AlphaDropout,
        layers.Softmax,
        layers.LogSoftmax,
        layers.Flatten,
        norms.LayerNorm,
        norms.RMSNorm,
        norms.BatchNorm1d,
        gated.PReLU,
        gated.RReLU,
        embeddings.Embedding,
        tabular.Scale,
        tabular.ParametricActivation,
        embeddings.PeriodicEmbedding,
        embeddings.PiecewiseLinearEmbedding,
        tabular.BatchEnsemble,
    )
}


def layer_of(kind: str, fields: dict[str, Any]) -> Module | None:
    """Return the module that a core layer's description stands for; None for an end of a residual."""
    if kind == "Activation":
        return activations.from_fields(fields)
    if kind == "Gated":
        return gated.gate_of(fields)
    return None if kind.startswith("Residual") else _CLASSES[kind]._from_fields(fields)


class Container(Module):
    """Modules in order, as views of one network; base of Sequential and Residual."""

    _inset = 0  # layers of its own before the first child's

    def __init__(self, *modules: Module, seed: int = 0, dtype: npt.DTypeLike = "float32") -> None:
        super().__init__()
        for module in modules:
            if not isinstance(module, Module):
                raise ValueError(f"{type(self).__name__}: {module!r} is not a module")
        self._modules = list(modules)
        self._has_parameters = any(module._has_parameters for module in modules)
        self._seed, self._dtype = seed, dtype
        self._join_children()

    def _join_children(self) -> None:
        kind = type(self).__name__
        if not self._modules:
            raise ValueError(f"{kind}: there are no layers")
        owning = [module for module in self._modules if module._has_parameters]
        for at, module in enumerate(self._modules):
            if module._has_parameters and (module._owner is not None or owning.count(module) > 1):
                raise ValueError(
                    f"{kind}: module {at} already belongs to another network or stands here twice"
                )
        # This throws before any child is changed.
        self._own_core = make_core(self._specs(), self._seed, self._dtype)
        for at, module, first in self._placed(0):
            module._join(self, first, str(at))

    def _placed(self, first: int) -> Iterator[tuple[int, Module, int]]:
        """Yield (place, module, index of its first layer) for each child."""
        first += self._inset
        for at, module in enumerate(self._modules):
            yield at, module, first
            first += len(module._specs())

    def _specs(self) -> list[LayerSpec]:
        return [
            (f"{at}.{name}" if name else str(at), kind, fields)
            for at, module in enumerate(self._modules)
            for name, kind, fields in module._specs()
        ]

    def _place(self, owner: Module, first: int, path: str) -> None:
        super()._place(owner, first, path)
        for at, module, start in self._placed(first):
            module._place(owner, start, f"{path}.{at}")

    def _place_children(self) -> None:
        for at, module, first in self._placed(0):
            module._place(self, first, str(at))

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules)

    def __getitem__(self, index: int) -> Module:
        return self._modules[operator.index(index)]

    def _layer_titles(self) -> list[str]:
        return [
            f"{at}.{name}" if isinstance(module, Container) else f"{at}: {name}"
            for at, module in enumerate(self._modules)
            for name in module._layer_titles()
        ]

    def __repr__(self) -> str:
        lines = [
            f"  ({at}): " + repr(module).replace("\n", "\n  ") for at, module in enumerate(self._modules)
        ]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])


class Residual(Container):
    """``y = x + f(x)``, f a stack of modules that gives back as many columns as it takes.

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

    def __setstate__(self, state: dict[str, Any]) -> None:
        values = state.pop("values")
        self.__dict__.update(state)
        self._join_children()
        if values:
            self.load_state_dict(values)


def _bare(cls: type[Container], modules: list[Module]) -> Container:
    container = cls.__new__(cls)
    Module.__init__(container)
    container._modules = modules
    container._has_parameters = any(module._has_parameters for module in modules)
    return container


def nested(stack: type[Container], flat: dict[str, Module | None]) -> list[Module]:
    """Return a network's modules from its layers' names: "1.0" and "1.1" are the second, one of `stack`.

    Where a group has a layer "begin", it is a Residual.
    """
    groups: dict[str, dict[str, Module | None]] = {}
    for name, module in flat.items():
        head, _, rest = name.partition(".")
        groups.setdefault(head, {})[rest] = module
    modules: list[Module] = []
    for group in groups.values():
        if (module := group.get("")) is not None:
            modules.append(module)
            continue
        children = {name: child for name, child in group.items() if name not in ("begin", "end")}
        cls = Residual if len(children) < len(group) else stack
        modules.append(_bare(cls, nested(stack, children)))
    return modules
