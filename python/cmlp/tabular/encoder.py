"""TableEncoder: a table in, a float32 matrix out, and back; it travels in the model file as JSON."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cmlp.tabular.errors import TableError
from cmlp.tabular.judge import Column, column_from_dict, column_to_dict, learn_column
from cmlp.tabular.target import TASKS, Target, find_target

VERSION = 1


@dataclass(frozen=True)
class ColumnNote:
    """One line on what was understood of a column: its kind, its gaps, what is done with it."""

    name: str
    kind: str
    missing: int
    treatment: str


@dataclass
class TableEncoder:
    """Preprocessing of a table: learnt once on the training rows, kept with the model.

    - Numbers, booleans and durations: the median fills gaps, a 0/1 column marks them when the training
      rows had some, then (x - mean) / deviation, cut at 10 deviations. Integers are numbers, however few
      their values, unless `categorical` names them.
    - Text and pandas categories: one 0/1 column a value, for the 64 most frequent; rare, unseen and
      missing values share one more. A text column with more than 64 distinct values in more than
      half of its rows (names, identifiers, free text) is left out.
    - Dates, and text in which every value is an ISO date: days since 1970, month, weekday and hour.
    - A column that never varies, counts the rows, or holds what is none of these, is left out; `notes`
      says so.
    - The target: see `cmlp.tabular.choose_task`. Labels keep their type; a quantity is standardised.

    Attributes
    ----------
    columns : list
        What is done with each column in use.
    target : Target
        The column to predict.
    notes : list of ColumnNote
        What was understood of each column of the table it was fitted to; not kept with the model.

    Examples
    --------
    >>> import pandas as pd
    >>> from cmlp.tabular import TableEncoder
    >>> table = pd.DataFrame({"size": [1.0, None, 3.0], "colour": ["red", "blue", "red"]})
    >>> table["price"] = [9.5, 7.25, 30.0]
    >>> encoder = TableEncoder().fit(table, "price")
    >>> encoder.features
    ['size', 'size missing', 'colour=blue', 'colour=red']
    >>> encoder.transform(table).shape
    (3, 4)
    >>> encoder.target.task
    'regression'
    """

    columns: list[Column] = field(default_factory=list)
    target: Target = field(default_factory=lambda: Target("", "regression"))
    notes: list[ColumnNote] = field(default_factory=list, compare=False)

    def fit(
        self,
        frame: pd.DataFrame,
        target: str,
        *,
        task: str = "auto",
        drop: Collection[str] = (),
        categorical: Collection[str] = (),
        train_rows: NDArray[np.bool_] | None = None,
    ) -> "TableEncoder":
        """Learn the preprocessing.

        Parameters
        ----------
        frame : pandas.DataFrame
            The table; the target must have no missing value.
        target : str
            The column to predict.
        task : {"auto", "classification", "regression"}
            What to learn; "auto" looks at the target.
        drop : collection of str
            Columns to leave out.
        categorical : collection of str
            Columns of numbers that are codes, not quantities.
        train_rows : numpy.ndarray, optional
            Boolean (rows,): the rows that medians, means, deviations and categories come from (all rows by
            default). What kind a column is, is judged on every row.

        Returns
        -------
        TableEncoder
            Itself.

        Raises
        ------
        TableError
            If a named column is not there, the target does not fit the task, or no column is left.
        """
        if task not in TASKS:
            raise TableError(f"unknown task {task!r}; choose from {', '.join(TASKS)}")
        series = find_target(frame, target)
        for name in (*drop, *categorical):
            find_target(frame, name)
        rows = np.ones(len(frame), bool) if train_rows is None else train_rows
        self.target = Target.learn(series, task, rows)
        self.columns, self.notes = [], []
        for name in frame.columns:
            if name != target:
                self._learn(frame[name], rows, name in drop, name in categorical)
        if not self.columns:
            raise TableError(f"no column is left to predict {target!r} from")
        return self

    def _learn(self, series: pd.Series, rows: NDArray[np.bool_], dropped: bool, categorical: bool) -> None:
        kind, column, reason = "?", None, "left out: asked to"
        if not dropped:
            kind, column, reason = learn_column(series, rows, categorical)
        if column is not None:
            self.columns.append(column)
            reason = column.treatment
        self.notes.append(ColumnNote(str(series.name), kind, int(series.isna().sum()), reason))

    @property
    def features(self) -> list[str]:
        """Names of the columns of the matrix."""
        return [feature for column in self.columns for feature in column.features]

    @property
    def text_columns(self) -> list[str]:
        """Columns that must be read as text, see `read_table`."""
        text_target = any(isinstance(label, str) for label in self.target.classes)
        inputs = [column.name for column in self.columns if column.as_text]
        return [*inputs, self.target.name] if text_target else inputs

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """Turn a table into the matrix the network reads.

        Parameters
        ----------
        frame : pandas.DataFrame
            A table with at least the columns in use, in any order.

        Returns
        -------
        numpy.ndarray
            float32, (rows, features).

        Raises
        ------
        TableError
            If columns are missing (all are named), or a column holds something else than in training.
        """
        absent = [column.name for column in self.columns if column.name not in frame.columns]
        if absent:
            needed = f"{len(absent)} of the {len(self.columns)} columns the model reads"
            raise TableError(f"the table lacks {needed}: {', '.join(absent)}")
        matrix, start = np.empty((len(frame), len(self.features)), np.float32), 0
        for column in self.columns:
            part = column.transform(frame[column.name])
            matrix[:, start : start + part.shape[1]] = part
            start += part.shape[1]
        return matrix

    def unused(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that are neither an input nor the target."""
        used = {self.target.name, *(column.name for column in self.columns)}
        return [name for name in names if name not in used]

    def to_json(self) -> str:
        """Write the encoder as JSON text.

        Returns
        -------
        str
            What `from_json` reads; every number comes back bit for bit.
        """
        data = {
            "version": VERSION,
            "target": self.target.to_dict(),
            "columns": [column_to_dict(column) for column in self.columns],
        }
        return json.dumps(data, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "TableEncoder":
        """Read what `to_json` wrote.

        Parameters
        ----------
        text : str
            The JSON text.

        Returns
        -------
        TableEncoder
            The same preprocessing; `notes` is empty.

        Raises
        ------
        TableError
            If the text is damaged or of a later version.
        """
        try:
            data: dict[str, Any] = json.loads(text)
            if data["version"] != VERSION:
                raise TableError(f"it has version {data['version']!r}, this cmlp reads version {VERSION}")
            columns = [column_from_dict(column) for column in data["columns"]]
            return cls(columns, Target.from_dict(data["target"]))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise TableError(f"the model's table description cannot be read: {error}") from error
