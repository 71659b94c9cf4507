"""A table with its target: what `fit` and `cmlp train` learn from, and the checks that both need."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cmlp.tabular.arrow import arrow_column, kind_of, simple
from cmlp.tabular.columns import DateColumn, NumericColumn
from cmlp.tabular.dates import from_arrow
from cmlp.tabular.errors import TableError, listing
from cmlp.tabular.habits import Habits, find_habits
from cmlp.tabular.inference import infer_column
from cmlp.tabular.target_cells import TargetCells, read_target

# Weights below this share of the largest one count as 0, as float32 has them.
LEAST_WEIGHT = 1e-30


@dataclass(frozen=True)
class LabelledTable:
    """The rows to learn from.

    Parameters
    ----------
    table : pyarrow.Table
        The inputs.
    name : str
        Of the target.
    cells : TargetCells
        The target, null where it is missing.
    habits : Habits
        How the inputs write numbers and dates.
    weight, groups, time : numpy.ndarray or None
        Of each row, (rows,).
    validates : numpy.ndarray or None
        Whether a row is held out from every network, (rows,).
    """

    table: pa.Table
    name: str
    cells: TargetCells
    habits: Habits
    weight: NDArray[np.float64] | None = None
    groups: NDArray[Any] | None = None
    time: NDArray[np.float64] | None = None
    validates: NDArray[np.bool_] | None = None

    @classmethod
    def read(cls, table: pa.Table, name: str, column: Any) -> "LabelledTable":
        """Read the target as the rest of the table is written.

        Parameters
        ----------
        table : pyarrow.Table
            The inputs.
        name : str
            Of the target.
        column : pyarrow.Array or pyarrow.ChunkedArray
            The target's cells.

        Returns
        -------
        LabelledTable
            Inputs and target.

        Raises
        ------
        TableError
            If the target cannot be used, or its length is not that of the table.
        """
        if len(column) != len(table):
            raise TableError(f"the target has {len(column)} values, the table has {len(table)} rows")
        habits = find_habits(table)
        return cls(table, name, read_target(name, simple(column), habits.decimal), habits)

    def extended(self, weight: Any = None, groups: Any = None, time: Any = None) -> "LabelledTable":
        """Add the weight, the group and the time of each row; rows of weight 0 lose their target.

        Parameters
        ----------
        weight, groups, time : array-like, optional
            Of each row, (rows,).

        Returns
        -------
        LabelledTable
            With them.

        Raises
        ------
        TableError
            If a length is not that of the table, a weight is negative, or a row has no weight or no time.
        """
        rows, factors = len(self.table), None
        cells = self.cells
        if weight is not None:
            factors = _weights(_numbers("sample_weight", weight, rows, self.habits))
            present = pa.array(factors > 0)
            cells = replace(cells, array=pc.if_else(present, cells.array, pa.scalar(None, cells.array.type)))
        moments = None if time is None else _times(_numbers("time", time, rows, self.habits))
        return replace(self, cells=cells, weight=factors, groups=_groups(groups, rows), time=moments)

    def joined(self, table: pa.Table, column: Any) -> "LabelledTable":
        """Add rows that are held out.

        Parameters
        ----------
        table : pyarrow.Table
            Their inputs.
        column : pyarrow.Array or pyarrow.ChunkedArray
            Their targets.

        Returns
        -------
        LabelledTable
            All rows.

        Raises
        ------
        TableError
            If columns are missing, hold another type, or rows have a group or a time.
        """
        if self.groups is not None or self.time is not None:
            raise TableError("eval_set says which rows validate: it takes no groups and no time")
        absent = [name for name in self.table.column_names if name not in table.column_names]
        if absent:
            raise TableError(f"eval_set lacks columns of X: {listing(absent)}")
        if column.null_count == len(column):
            raise TableError("eval_set has no row with a target")
        other = LabelledTable.read(table.select(self.table.column_names), self.name, column)
        try:
            both = pa.concat_tables([self.table, other.table], promote_options="permissive")
            parts = [pa.table([each.cells.array], ["y"]) for each in (self, other)]
            cells = simple(pa.concat_tables(parts, promote_options="permissive")["y"])
        except pa.ArrowException as error:
            raise TableError(f"eval_set has columns of other types than X: {error}") from error
        rows = len(self.table), len(table)
        weight = None if self.weight is None else np.concatenate([self.weight, np.ones(rows[1])])
        validates = np.repeat([False, True], rows)
        cells = replace(self.cells, array=cells)
        return replace(self, table=both, cells=cells, weight=weight, validates=validates)


def _weights(values: NDArray[np.float64]) -> NDArray[np.float64]:
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise TableError(f"the sample weight at row {row + 1} is {values[row]:g}; weights are 0 or more")
    peak = float(values.max(initial=0.0))
    if len(values) and peak == 0:
        raise TableError("the sample weights are zero in every row")
    values = np.where(values < LEAST_WEIGHT * peak, 0.0, values)
    return values if LEAST_WEIGHT < peak < 1 / LEAST_WEIGHT else values / peak


def _times(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if np.isnan(values).any():
        raise TableError(
            f"the time at row {int(np.argmax(np.isnan(values))) + 1} is missing; each row needs one"
        )
    return values


def _groups(values: Any, rows: int) -> NDArray[Any] | None:
    if values is None:
        return None
    array = np.asarray(values)
    if array.shape != (rows,):
        raise TableError(f"groups have one value a row: got shape {array.shape} for {rows} rows")
    if array.dtype != object:
        return array
    return np.array(["" if value is None or value != value else str(value) for value in array])


def _numbers(what: str, values: Any, rows: int, habits: Habits) -> NDArray[np.float64]:
    """Numbers, or dates as days, of a sequence of any kind; NaN where missing."""
    values = values if hasattr(values, "type") or hasattr(values, "dtype") else np.asarray(values)
    shape = np.asarray(values).shape
    if shape != (rows,):
        raise TableError(f"weights and times have one number a row: got shape {shape} for {rows} rows")
    return numbers_of(what, simple(arrow_column(values)), habits)


def numbers_of(what: str, array: Any, habits: Habits) -> NDArray[np.float64]:
    """Numbers, or dates as days, of a column.

    Parameters
    ----------
    what : str
        Of messages.
    array : pyarrow.Array
        Numbers, dates, or text that says them.
    habits : Habits
        How the rest of the table writes them.

    Returns
    -------
    numpy.ndarray
        (rows,), NaN where missing.

    Raises
    ------
    TableError
        If it holds something else.
    """
    kind = kind_of(array)
    if kind == "empty":
        return np.full(len(array), np.nan)
    if kind in ("number", "boolean"):
        array = array.cast(pa.uint8()) if kind == "boolean" else array
        return np.asarray(array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
    if kind == "date":
        return from_arrow(array)
    for given in ("", "number"):
        column = infer_column(what, array, habits, given).column if kind == "text" else None
        if isinstance(column, DateColumn | NumericColumn):
            return column.read(array, [])
    raise TableError(f"{what} has no numbers and no dates that differ")
