"""Columns of numbers and of categories: what they learn from the training rows, what they become."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cmlp.tabular import values
from cmlp.tabular.errors import TableError

Matrix = NDArray[np.float32]  # (rows, features)

MAX_CATEGORIES = 64
# A wild value at predict time must not swamp every other column, nor overflow float32.
CLIP = 10.0


@dataclass(frozen=True)
class NumericColumn:
    """A number, boolean or duration: the median where it is missing, then (x - mean) / deviation.

    Parameters
    ----------
    name : str
        The column.
    holds : str
        ``number``, ``boolean`` (0 and 1) or ``duration`` (seconds).
    median, mean, deviation : float
        Of the training rows; mean and deviation after the median filled the gaps.
    indicator : bool
        Whether a second feature says 1 where the value is missing: so when the training rows had gaps.
    """

    kind: ClassVar[str] = "numeric"
    name: str
    holds: str
    median: float
    mean: float
    deviation: float
    indicator: bool

    def __post_init__(self) -> None:
        if not (all(map(math.isfinite, (self.median, self.mean, self.deviation))) and self.deviation > 0):
            raise TableError(f"column {self.name!r}: its median, mean or deviation is no use")

    @classmethod
    def learn(cls, name: str, holds: str, data: NDArray[np.float64]) -> "NumericColumn | None":
        """Fit to training values (rows,), NaN where missing; None when they are all the same."""
        missing = np.isnan(data)
        if missing.all():
            return None
        median = float(np.median(data[~missing]))
        filled = np.where(missing, median, data)
        peak = float(np.abs(filled).max()) or 1.0
        scaled = filled / peak  # squares of large values would overflow
        mean, deviation = float(scaled.mean()) * peak, float(scaled.std()) * peak
        if not missing.any() and float(np.ptp(scaled)) == 0.0:
            return None
        constant = deviation <= 1e-12 * peak
        return cls(name, holds, median, mean, 1.0 if constant else deviation, bool(missing.any()))

    @property
    def as_text(self) -> bool:
        """Whether a CSV reader must keep it as text."""
        return False

    @property
    def features(self) -> list[str]:
        """Names of the features it makes."""
        return [self.name, f"{self.name} missing"] if self.indicator else [self.name]

    @property
    def treatment(self) -> str:
        """What is done with it, in words."""
        gaps = f"missing -> median {self.median:.6g} and a 0/1 column" if self.indicator else ""
        as_what = {"boolean": "0/1", "duration": "seconds"}.get(self.holds, "")
        return ", ".join(filter(None, [as_what, gaps, "standardised"]))

    def scale(self, data: NDArray[np.float64]) -> Matrix:
        """Standardised values of (rows,), with the 0/1 column of the gaps when there is one."""
        missing = np.isnan(data)
        with np.errstate(over="ignore"):
            scaled = (np.where(missing, self.median, data) - self.mean) / self.deviation
        parts = [np.clip(scaled, -CLIP, CLIP), missing] if self.indicator else [np.clip(scaled, -CLIP, CLIP)]
        return np.stack(parts, axis=1).astype(np.float32)

    def transform(self, series: pd.Series) -> Matrix:
        """Features of a column, (rows, 1 or 2)."""
        wanted = ("duration",) if self.holds == "duration" else ("number", "boolean")
        if values.expect(series, wanted, values.plural(self.holds)):
            return self.scale(values.numbers(series))
        return self.scale(np.full(len(series), np.nan))


@dataclass(frozen=True)
class CategoryColumn:
    """Text or a pandas category: one 0/1 feature a value, one for "other".

    Parameters
    ----------
    name : str
        The column.
    holds : str
        ``text`` or ``number``: what the categories are.
    categories : tuple
        The values with a feature of their own: at most `MAX_CATEGORIES`, the most frequent ones.
    other : bool
        Whether a last feature stands for missing, rare and unseen values: so when the training rows
        had such values. Without it they are all zeros, since weights nobody trained would be noise.
    """

    kind: ClassVar[str] = "category"
    name: str
    holds: str
    categories: tuple[str | int | float, ...]
    other: bool

    @classmethod
    def learn(cls, name: str, holds: str, data: NDArray[Any]) -> "CategoryColumn | None":
        """Fit to training values (rows,), None or NaN where missing; None when they are all the same."""
        counts = pd.Series(data).value_counts().sort_index(kind="stable")
        kept = sorted(counts.sort_values(ascending=False, kind="stable").index[:MAX_CATEGORIES])
        other = bool(pd.isna(data).any()) or len(counts) > MAX_CATEGORIES
        if not kept or (len(kept) == 1 and not other):
            return None
        return cls(name, holds, tuple(_plain(value) for value in kept), other)

    @property
    def as_text(self) -> bool:
        """Whether a CSV reader must keep it as text."""
        return self.holds == "text"

    @property
    def features(self) -> list[str]:
        """Names of the features it makes."""
        own = [f"{self.name}={value}" for value in self.categories]
        return [*own, f"{self.name} other"] if self.other else own

    @property
    def treatment(self) -> str:
        """What is done with it, in words."""
        rest = "rare, unseen, missing -> one more" if self.other else "unseen, missing -> all zeros"
        return f"{len(self.categories)} values, one 0/1 column each; {rest}"

    def transform(self, series: pd.Series) -> Matrix:
        """Features of a column, (rows, categories [+ 1])."""
        wanted = ("number", "boolean") if self.holds == "number" else ("text",)
        codes = np.full(len(series), -1)
        if values.expect(series, wanted, values.plural(self.holds)):
            number = self.holds == "number"
            found = values.numbers(series) if number else values.texts(series)
            own = np.array(self.categories, np.float64 if number else object)
            codes = pd.Index(own).get_indexer(pd.Index(found))
        matrix = np.zeros((len(series), len(self.features)), np.float32)
        seen = codes >= 0
        matrix[seen, codes[seen]] = 1.0
        if self.other:
            matrix[~seen, -1] = 1.0
        return matrix


def _plain(value: Any) -> str | int | float:
    if isinstance(value, str):
        return value
    return int(value) if float(value).is_integer() else float(value)
