"""A table with its target: what `fit` and `cmlp train` learn from, and the checks that both need."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cmlp.tabular.arrow import simple
from cmlp.tabular.errors import TableError, listing
from cmlp.tabular.inference import Habits, find_habits
from cmlp.tabular.target_cells import TargetCells, read_target


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
        """Add the weight, the group and the time of each row.

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
        rows = len(self.table)
        return replace(
            self, weight=_weights(weight, rows), groups=_groups(groups, rows), time=_times(time, rows)
        )

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
        other = LabelledTable.read(table.select(self.table.column_names), self.name, column)
        try:
            both = pa.concat_tables([self.table, other.table], promote_options="permissive")
            cells = pa.chunked_array([self.cells.array, other.cells.array]).combine_chunks()
        except pa.ArrowException as error:
            raise TableError(f"eval_set has columns of other types than X: {error}") from error
        rows = len(self.table), len(table)
        weight = None if self.weight is None else np.concatenate([self.weight, np.ones(rows[1])])
        validates = np.repeat([False, True], rows)
        cells = replace(self.cells, array=cells)
        return replace(self, table=both, cells=cells, weight=weight, validates=validates)


def _weights(values: Any, rows: int) -> NDArray[np.float64] | None:
    array = _numbers(values, rows)
    if array is None:
        return None
    bad = ~(np.isfinite(array) & (array >= 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise TableError(f"the sample weight at row {row + 1} is {array[row]:g}; weights are 0 or more")
    if rows and not array.any():
        raise TableError("the sample weights are zero in every row")
    return array


def _times(values: Any, rows: int) -> NDArray[np.float64] | None:
    array = _numbers(values, rows)
    if array is not None and np.isnan(array).any():
        raise TableError(
            f"the time at row {int(np.argmax(np.isnan(array))) + 1} is missing; each row needs one"
        )
    return array


def _groups(values: Any, rows: int) -> NDArray[Any] | None:
    if values is None:
        return None
    array = np.asarray(values)
    if array.shape != (rows,):
        raise TableError(f"groups have one value a row: got shape {array.shape} for {rows} rows")
    return array


def _numbers(values: Any, rows: int) -> NDArray[np.float64] | None:
    if values is None:
        return None
    array = np.asarray(values, np.float64)
    if array.shape != (rows,):
        raise TableError(f"weights and times have one number a row: got shape {array.shape} for {rows} rows")
    return array
