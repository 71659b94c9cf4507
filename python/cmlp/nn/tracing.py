"""Every value of a forward pass, and the gradient of a loss by each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy.typing as npt

from cmlp._sparse import InputLike, is_sparse
from cmlp.nn.numbers import Array, Core

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
        outputs[0] = x
    names = ["input", *module._layer_titles()]
    return [ValueRow(name, value) for name, value in zip(names, outputs, strict=True)]


def gradients(module: Module, rows: list[ValueRow], y: npt.ArrayLike, criterion: Loss) -> list[GradientRow]:
    """Return the rows of the last forward pass with the gradient of the loss by each value."""
    criterion(rows[-1].value, y)
    by_output = criterion.backward()
    kinds = [kind for _, kind, _ in module._specs()]
    found = _walk_back(module._core, module._first, kinds, by_output)
    return [GradientRow(*row, gradient) for row, gradient in zip(rows, found, strict=True)]


def _walk_back(core: Core, first: int, kinds: list[str], dy: Array) -> list[Array]:
    """Return the gradients by the input and by the output of each layer.

    The ends of a residual are no layers of their own on the way back: the gradient at its end goes to the
    last layer within, and is added where it begins.
    """
    found, at_ends = [dy], []
    for at in reversed(range(len(kinds))):
        if kinds[at] == "ResidualEnd":
            at_ends.append(dy)
        elif kinds[at] != "ResidualBegin":
            dy = core.backward(dy, first + at, first + at + 1)
        if at > 0 and kinds[at - 1] == "ResidualBegin":
            dy = dy + at_ends.pop()
        found.append(dy)
    return found[::-1]
