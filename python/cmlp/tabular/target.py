"""The column to predict: which task it makes, how it becomes numbers and back."""

import difflib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cmlp.tabular import values
from cmlp.tabular.errors import TableError

TASKS = ("auto", "classification", "regression")
# Whole numbers with more distinct values than this are a quantity, not classes.
MAX_INTEGER_CLASSES = 20

Label = str | bool | int | float


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
        The labels in sorted order, with their own type; empty for regression.
    mean, deviation : float
        Of the training rows of a regression target; 0 and 1 for classification.
    """

    name: str
    task: str
    classes: tuple[Label, ...] = ()
    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        if self.task not in TASKS[1:] or (self.task == "classification") != (len(self.classes) > 1):
            raise TableError(f"target {self.name!r}: classification needs classes, regression has none")
        if not (math.isfinite(self.mean) and math.isfinite(self.deviation) and self.deviation > 0):
            raise TableError(f"target {self.name!r}: mean and deviation must be finite, deviation > 0")

    @classmethod
    def learn(cls, series: pd.Series, task: str, train_rows: NDArray[np.bool_]) -> "Target":
        """Judge a target without missing values; mean and deviation come from `train_rows`."""
        name = str(series.name)
        task = choose_task(series) if task == "auto" else task
        if task == "classification":
            return cls(name, task, _classes(series))
        what = values.family(series)
        if what not in ("number", "boolean"):
            raise TableError(f"target {name!r} holds {values.plural(what)}; regression needs numbers")
        data = values.numbers(series)
        if float(np.ptp(data[train_rows])) == 0.0:
            raise TableError(f"target {name!r} is {data[0]:g} in each training row: nothing to learn")
        mean, deviation = _moments(data[train_rows])
        return cls(name, task, (), mean, deviation)

    @property
    def outputs(self) -> int:
        """How many outputs the network has: one a class, or one."""
        return len(self.classes) or 1

    def encode(self, series: pd.Series) -> NDArray[Any]:
        """Turn target values into what the network learns.

        Parameters
        ----------
        series : pandas.Series
            The column, (rows,), without missing values.

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
            values.expect(series, ("number", "boolean"), "numbers")
            scaled = (values.numbers(series) - self.mean) / self.deviation
            return np.asarray(scaled[:, None], np.float32)
        codes = pd.Index(np.array(self.classes, object)).get_indexer(pd.Index(labels(series)))
        if (codes < 0).any():
            bad = series[codes < 0].iloc[0]
            raise TableError(
                f"target {self.name!r} holds {bad!r} at row {values.first_row(series, codes < 0)}, "
                f"which is none of the {len(self.classes)} classes"
            )
        return np.asarray(codes, np.int64)

    def decode(self, encoded: NDArray[Any]) -> NDArray[Any]:
        """Turn class indices (rows,) into labels of their own type, or standardised values (rows,) back."""
        if self.task == "regression":
            return np.asarray(encoded, np.float64) * self.deviation + self.mean
        return np.array(pd.Series(np.array(self.classes, object)[encoded]).infer_objects().to_numpy())

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Target":
        """Read the JSON form; TypeError, KeyError or TableError when it is damaged."""
        return cls(**{**data, "classes": tuple(data["classes"])})


def choose_task(series: pd.Series) -> str:
    """Choose the task when nobody says.

    Text, booleans and pandas categories, and whole numbers with at most `MAX_INTEGER_CLASSES` distinct
    values make a classification; every other column of numbers makes a regression.

    Parameters
    ----------
    series : pandas.Series
        The target without missing values.

    Returns
    -------
    str
        ``classification`` or ``regression``.

    Raises
    ------
    TableError
        If the column holds dates, durations or what no network can learn.
    """
    what = values.family(series)
    if isinstance(series.dtype, pd.CategoricalDtype) or what in ("text", "boolean"):
        return "classification"
    if what != "number":
        raise TableError(f"target {series.name!r} holds {values.plural(what)}; it takes classes or numbers")
    distinct = np.unique(values.numbers(series))
    whole = bool((distinct == np.round(distinct)).all())
    return "classification" if whole and len(distinct) <= MAX_INTEGER_CLASSES else "regression"


def labels(series: pd.Series) -> NDArray[np.object_]:
    """Class labels as Python strings, booleans, integers or floats; 3.0 and 3 are one class."""
    what = values.family(series)
    if what == "text":
        return values.texts(series)
    data = values.numbers(series)
    if what == "boolean":
        return data.astype(bool).astype(object)
    whole = (data == np.round(data)) & (np.abs(data) < 2**53)
    return (data.astype(np.int64) if whole.all() else data).astype(object)


def find_target(frame: pd.DataFrame, name: str) -> pd.Series:
    """Get the target column of a table, or an error that lists the columns and the likeliest name.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    name : str
        The column to predict.

    Returns
    -------
    pandas.Series
        The column.

    Raises
    ------
    TableError
        If it is not there.
    """
    if name in frame.columns:
        return frame[name]
    folded = {column.lower(): column for column in frame.columns}
    near = [folded[key] for key in difflib.get_close_matches(name.lower(), folded, n=1)]
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise TableError(f"there is no column {name!r}{hint}; the columns are {listing(frame.columns)}")


def listing(names: Sequence[str], limit: int = 40) -> str:
    """Join names into a sentence's list, cut after `limit`."""
    rest = len(names) - limit
    return ", ".join(list(names)[:limit]) + (f" and {rest} more" if rest > 0 else "")


def _classes(series: pd.Series) -> tuple[Label, ...]:
    name, what = str(series.name), values.family(series)
    if what not in ("text", "boolean", "number"):
        raise TableError(f"target {name!r} holds {values.plural(what)}; it takes classes or numbers")
    found: tuple[Label, ...] = tuple(sorted(set(labels(series))))
    if len(found) == 1:
        raise TableError(f"target {name!r} has one class only ({found[0]!r}): nothing to learn")
    if len(found) > max(MAX_INTEGER_CLASSES, len(series) // 2):
        counts = f"{len(found)} distinct values in {len(series)} rows"
        raise TableError(f"target {name!r} has {counts}: too many for classes")
    return found


def _moments(data: NDArray[np.float64]) -> tuple[float, float]:
    peak = float(np.abs(data).max())  # squares of large values would overflow
    return float((data / peak).mean()) * peak, float((data / peak).std()) * peak
