"""One row at a time, as a server gets them: the features of a dictionary of cells in microseconds."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmlp.tabular.arrow import arrow_column, simple
from cmlp.tabular.columns import Column, NumericColumn
from cmlp.tabular.columns.categories import dense
from cmlp.tabular.columns.numbers import CLIP, HUGE

# Cells of each column whose features are kept.
MOST_CELLS = 4096
NUMBERS = (float, int, np.floating, np.integer)


class RowEncoder:
    """Features of single rows, with the bits of `TableEncoder.transform`.

    Numbers are computed; the features of other cells are kept by cell, since they repeat.

    Parameters
    ----------
    columns : sequence of Column
        The fitted columns.
    places : sequence of slice
        Of their features in the row.
    """

    def __init__(self, columns: Sequence[Column], places: Sequence[slice]) -> None:
        self._columns = [(column, at.start, at.stop) for column, at in zip(columns, places, strict=True)]
        self._width: int = places[-1].stop
        self._kept: list[dict[Any, NDArray[np.float32]]] = [{} for _ in columns]

    def __call__(self, row: Mapping[str, Any]) -> NDArray[np.float32]:
        """Features (1, features) of a row that has all the columns."""
        out = np.zeros((1, self._width), np.float32)
        flat = out[0]
        for (column, start, end), kept in zip(self._columns, self._kept, strict=True):
            cell = row[column.name]
            if isinstance(column, NumericColumn) and isinstance(cell, NUMBERS) and -1e300 < cell < 1e300:
                z = min(max((float(cell) - column.median) * column.scale, -HUGE), HUGE)
                flat[start] = z / math.sqrt(1.0 + (z / CLIP) * (z / CLIP))
                continue
            key = (type(cell), cell)
            found = kept.get(key) if cell.__hash__ else None
            if found is None:
                found = _features(column, cell)
                if cell.__hash__ and len(kept) < MOST_CELLS:
                    kept[key] = found
            flat[start:end] = found
        return out


def _features(column: Column, cell: Any) -> NDArray[np.float32]:
    return np.asarray(dense(column.transform(simple(arrow_column([cell])), []))[0], np.float32)
