"""The column to predict: which task it makes, how it becomes numbers and back."""

import difflib
import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cmlp.tabular import numbers
from cmlp.tabular.arrow import as_text, first_row, keys, kind_of, plural, tidy, to_numpy
from cmlp.tabular.errors import TableError, listing, printable
from cmlp.tabular.recipe import TASKS
from cmlp.tabular.target_cells import (
    Label,
    TargetCells,
    choose_task,
    classes_of,
    first_text,
    read_target,
)
from cmlp.tabular.words import missing_signs

# A positive target is learned as its logarithm when it is so skewed, and its logarithm half as much.
SKEWED = 8.0


@dataclass(frozen=True)
class Target:
    """The target column.

    Parameters
    ----------
    name : str
        The column.
    task : {"classification", "regression"}
        What the network learns.
    classes : tuple
        The labels in sorted order, with their own type; empty for regression. Labels that differ in case and
        blanks only are one class, called by its most frequent spelling.
    mean, deviation : float
        Of the training rows of a regression target (of their logarithms); 0 and 1 for classification.
    low, high : float
        The least and the largest target of a regression's rows, as the network learns them.
    log : bool
        Whether the network learns the logarithm.
    threshold : float
        Of two classes the second is predicted from this probability on.
    format : NumberFormat, optional
        How text writes a regression target.
    """

    name: str
    task: str
    classes: tuple[Label, ...] = ()
    mean: float = 0.0
    deviation: float = 1.0
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    threshold: float = 0.5
    format: numbers.NumberFormat | None = field(default=None)

    def __post_init__(self) -> None:
        if self.task not in TASKS[1:] or (self.task == "classification") != (len(self.classes) > 1):
            raise TableError(
                f"target {printable(self.name)!r}: classification needs classes, regression has none"
            )
        if not (math.isfinite(self.mean) and math.isfinite(self.deviation) and self.deviation > 0):
            raise TableError(
                f"target {printable(self.name)!r}: mean and deviation must be finite, deviation > 0"
            )
        if not self.low <= self.high:
            raise TableError(f"target {printable(self.name)!r}: its least value is above its largest")
        if not 0 <= self.threshold <= 1:
            raise TableError(f"target {printable(self.name)!r}: a threshold is between 0 and 1")

    @classmethod
    def fit(cls, name: str, cells: TargetCells, task: str = "auto") -> "Target":
        """Fit to the rows that have a target."""
        if task not in TASKS:
            raise TableError(f"unknown task {task!r}; choose from {', '.join(TASKS)}")
        if len(cells.array) == cells.array.null_count:
            raise TableError(f"target {printable(name)!r} has no values: there is nothing to learn")
        task = choose_task(cells) if task == "auto" else task
        if task == "classification":
            return cls(name, task, classes_of(name, cells))
        kind = kind_of(cells.array)
        if kind not in ("number", "boolean"):
            raise TableError(
                f"target {printable(name)!r} holds {plural(kind)}; regression needs numbers"
                f"{first_text(cells)}"
            )
        data = to_numpy(cells.array, name)
        data = data[~np.isnan(data)]
        if float(np.ptp(data)) == 0.0:
            raise TableError(
                f"target {printable(name)!r} is {data[0]:g} in each training row: nothing to learn"
            )
        log = _better_as_logarithm(data)
        learned = np.log(data) if log else data
        mean, deviation = _moments(learned)
        low, high = ((float(v) - mean) / deviation for v in (learned.min(), learned.max()))
        return cls(name, task, (), mean, deviation, low, high, log, format=cells.format)

    @property
    def outputs(self) -> int:
        """How many outputs the network has: one a class, or one."""
        return len(self.classes) or 1

    def read(self, array: Any) -> Any:
        """Cells of another table's column as the training cells were read, null where missing."""
        if self.task == "regression":
            cells = read_target(self.name, array, self.format.decimal if self.format else "").array
            if kind_of(cells) == "text":
                raise TableError(
                    f"column {printable(self.name)!r} holds text, the model was trained on numbers"
                    f"{first_text(TargetCells(cells))}"
                )
            return cells
        if not isinstance(self.classes[0], str):
            return read_target(self.name, array).array
        return missing_signs(tidy(as_text(array)))

    def encode(self, cells: Any) -> NDArray[Any]:
        """Turn target values without gaps, see `read`, into what the network learns.

        Parameters
        ----------
        cells : pyarrow.Array
            The cells, (rows,).

        Returns
        -------
        numpy.ndarray
            Class indices int64 (rows,), or standardised values float32 (rows, 1).

        Raises
        ------
        TableError
            If a value is no class the model knows, or no number; names the row.
        """
        if self.task == "regression":
            data = to_numpy(cells, self.name)
            if self.log:
                with np.errstate(divide="ignore", invalid="ignore"):
                    data = np.log(data)
            return np.asarray(((data - self.mean) / self.deviation)[:, None], np.float32)
        found = keys(cells)
        found = pc.index_in(found, pa.array(self._keys, found.type))
        if found.null_count:
            row = first_row(np.asarray(found.is_null()))
            raise TableError(
                f"target {printable(self.name)!r} holds {printable(cells[row - 1])!r} at row {row}, "
                f"which is none of the {len(self.classes)} classes"
            )
        return np.asarray(found, np.int64)

    def decode(self, encoded: NDArray[Any]) -> NDArray[Any]:
        """Turn class indices (rows,) into labels of their own type, or standardised values (rows,) back."""
        if self.task == "regression":
            values = np.asarray(encoded, np.float64) * self.deviation + self.mean
            return np.exp(np.minimum(values, 700.0)) if self.log else values
        labels = np.array(self.classes, object)[encoded]
        same = len({type(label) for label in self.classes}) == 1
        exact = same and not isinstance(self.classes[0], str)
        return np.asarray(labels.astype(type(self.classes[0]))) if exact else labels

    def within(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """A network's outputs (rows, outputs), of a quantity within the range of the training rows."""
        return np.clip(outputs, self.low, self.high) if self.task == "regression" else outputs

    def choose(self, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
        """The predicted class of each row of probabilities (rows, classes)."""
        if len(self.classes) == 2:
            return (probabilities[:, 1] >= self.threshold).astype(np.int64)
        return np.asarray(probabilities.argmax(axis=1), np.int64)

    @property
    def _keys(self) -> list[str]:
        return [keys(pa.array([label]))[0].as_py() for label in self.classes]

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Target":
        """Read the JSON form; TypeError, KeyError or TableError when it is damaged."""
        form = data["format"]
        form = None if form is None else numbers.NumberFormat(**form)
        return cls(**{**data, "classes": tuple(data["classes"]), "format": form})


def find_column(table: pa.Table, name: str) -> Any:
    """Get a column of a table, or an error that lists the columns and the likeliest name.

    Parameters
    ----------
    table : pyarrow.Table
        The table.
    name : str
        The column's name.

    Returns
    -------
    pyarrow.ChunkedArray
        The column.

    Raises
    ------
    TableError
        If it is not there.
    """
    if name in table.column_names:
        return table[name]
    folded = {column.lower(): column for column in table.column_names}
    near = [folded[key] for key in difflib.get_close_matches(name.lower(), folded, n=1)]
    hint = f" (did you mean {printable(near[0])!r}?)" if near else ""
    if len(table.column_names) == 1:
        marks = [mark for mark in (";", ",", "\t", "|") if mark in table.column_names[0]]
        hint = f" (it looks like several columns separated by {marks[0]!r})" if marks else hint
    raise TableError(
        f"there is no column {printable(name)!r}{hint}; the columns are {listing(table.column_names)}"
    )


def _better_as_logarithm(data: NDArray[np.float64]) -> bool:
    if len(data) < 20 or not (data > 0).all():
        return False
    skew, log_skew = _skew(data / data.max()), _skew(np.log(data))
    return skew > SKEWED and abs(log_skew) < skew / 2


def _skew(data: NDArray[np.float64]) -> float:
    centred = data - data.mean()
    return float(np.mean(centred**3) / max(float(np.mean(centred**2)) ** 1.5, 1e-300))


def _moments(data: NDArray[np.float64]) -> tuple[float, float]:
    peak = float(np.abs(data).max()) or 1.0  # squares of large values would overflow
    return float((data / peak).mean()) * peak, float((data / peak).std()) * peak
