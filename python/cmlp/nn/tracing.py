"""Every value of a forward pass, and the gradient of a loss by each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy.typing as npt

from cmlp._sparse import InputLike, is_sparse
from cmlp.nn.numbers import Array, Core, LayerSpec

if TYPE_CHECKING:
    from cmlp.nn.losses.base import Loss
    from cmlp.nn.module import Module


class ValueRow(NamedTuple):
    """A layer and its output; the first row is the input."""

    name: str
    value: Array


class GradientRow(NamedTuple):
    """A layer, its output, and the gradient of the loss by it; the first row is the input."""

    name: str
    value: Array
    gradient: Array


def values(module: Module, x: InputLike) -> list[ValueRow]:
    """Return the input and the output of each layer, of a new forward pass."""
    module._follow_dtype(x)
    outputs: list[Any] = list(module._core.trace(x, module._first, module._last))
    if is_sparse(x):
        for at in _rows_of_input(module._specs()):
            outputs[at] = x
    names = ["input", *module._layer_titles()]
    return [ValueRow(name, value) for name, value in zip(names, outputs, strict=True)]


def _rows_of_input(specs: list[LayerSpec]) -> Iterator[int]:
    """Yield the places of the input among the values: the first, and brackets of ensembles that pass it."""
    yield 0
    passes_it: list[bool] = []  # of each ensemble that has begun, whether the input is its input
    last = 0
    for at, (_, kind, _) in enumerate(specs):
        if kind == "EnsembleBegin":
            passes_it.append(last == at)
        if kind in ("EnsembleBegin", "EnsembleNext") and passes_it[-1]:
            yield (last := at + 1)
        if kind == "EnsembleEnd":
            passes_it.pop()


def gradients(module: Module, rows: list[ValueRow], y: npt.ArrayLike, criterion: Loss) -> list[GradientRow]:
    """Return the rows of the last forward pass with the gradient of the loss by each value."""
    criterion(rows[-1].value, y)
    by_output = criterion.backward()
    found = _walk_back(module._core, module._first, module._specs(), by_output)
    return [GradientRow(*row, gradient) for row, gradient in zip(rows, found, strict=True)]


_BEGINS = ("ResidualBegin", "EnsembleBegin")


class _Group:
    """A residual or an ensemble on the way back."""

    def __init__(self, dy: Array) -> None:
        self.dy: Array = dy  # the gradient by its output
        self.shares: list[Array] = []  # what is added to the gradient by its input, in this order


def _walk_back(core: Core, first: int, specs: list[LayerSpec], dy: Array) -> list[Array]:
    """Return the gradients by the input and by the output of each layer.

    The brackets of residuals and ensembles have no backward of their own here: the gradient by the output of
    a group, in an ensemble times the weight, is that by the output of the last layer within; gradients
    by the inputs of the layers within are added where the group begins.
    """
    found, groups = [dy], list[_Group]()
    for at in reversed(range(len(specs))):
        _, kind, fields = specs[at]
        if kind in ("ResidualEnd", "EnsembleEnd"):
            groups.append(_Group(dy))
        if kind == "ResidualEnd":
            groups[-1].shares.append(dy)
        elif kind in ("EnsembleNext", "EnsembleEnd"):
            groups[-1].shares[:0] = [dy] if kind == "EnsembleNext" else []
            dy = groups[-1].dy * dy.dtype.type(fields["weight"])
        elif kind not in _BEGINS:
            dy = core.backward(dy, first + at, first + at + 1)
        if at > 0 and specs[at - 1][1] in _BEGINS:
            dy = sum(groups.pop().shares, dy)
        found.append(dy)
    return found[::-1]
