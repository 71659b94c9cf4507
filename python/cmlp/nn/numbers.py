"""The core network behind a module, with the places of its parameters listed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp import _core
from cmlp._foreign_names import advice

Core = _core.Network32 | _core.Network64
Array = npt.NDArray[Any]
LayerSpec = tuple[str, str, dict[str, Any]]  # name, type, fields

_CORES: dict[str, Any] = {"float32": _core.Network32, "float64": _core.Network64}


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter, or a buffer with the index -1: its name in its layer, and views of its numbers."""

    name: str
    index: int
    data: Array
    grad: Array | None


class Numbers:
    """A core network with its parameters and buffers by layer, as views of the core's memory."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._rows: dict[int, list[Row]] = {}
        parameters: list[Any] = list(core.parameters())
        for index, (name, layer, data, grad) in enumerate(parameters):
            self._rows.setdefault(layer, []).append(Row(_short(name), index, data, grad))
        buffers: list[Any] = list(core.buffers())
        for name, layer, data in buffers:
            self._rows.setdefault(layer, []).append(Row(_short(name), -1, data, None))

    def rows(self, layer: int) -> list[Row]:
        """Return the parameters, then the buffers of a layer."""
        return self._rows.get(layer, [])

    def row(self, layer: int, name: str) -> Row:
        """Return one parameter by its name in the layer."""
        return next(row for row in self.rows(layer) if row.name == name)

    @property
    def empty(self) -> bool:
        """Whether there is neither a parameter nor a buffer."""
        return not self._rows

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return np.dtype("float32" if isinstance(self.core, _core.Network32) else "float64")


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
        hint = advice("module", name.partition(":")[0])
        more = f"; {hint}" if hint else ""
        raise ValueError(f"unknown dtype '{name}'{more}; choose from {', '.join(_CORES)}")
    return name


def _short(name: str) -> str:
    return name.rpartition(".")[2]
