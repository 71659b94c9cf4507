"""Columns of numbers, yes/no and durations."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cmlp.tabular.arrow import kind_of, tidy, to_numpy
from cmlp.tabular.columns.reading import check_readable, refuse
from cmlp.tabular.errors import TableError, printable
from cmlp.tabular.numbers import NumberFormat, find_format
from cmlp.tabular.words import missing_words, yes_no

Matrix = NDArray[np.float32]  # (rows, features)

# A wild value at predict time must not swamp every other column, nor overflow float32.
CLIP = 10.0
WANTED = {"number": "numbers", "boolean": "yes/no values", "duration": "durations", "time": "times of day"}


@dataclass(frozen=True)
class NumericColumn:
    """A number, yes/no value or duration: the median where it is missing, then (x - mean) / deviation.

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
    format : NumberFormat, optional
        How text writes the numbers; None when the training column held numbers.
    """

    kind: ClassVar[str] = "numeric"
    name: str
    holds: str
    median: float
    mean: float
    deviation: float
    indicator: bool
    format: NumberFormat | None = None

    def __post_init__(self) -> None:
        if not (all(map(math.isfinite, (self.median, self.mean, self.deviation))) and self.deviation > 0):
            raise TableError(f"column {printable(self.name)!r}: its median, mean or deviation is not usable")

    @classmethod
    def fit(
        cls, name: str, holds: str, data: NDArray[np.float64], form: NumberFormat | None = None
    ) -> "NumericColumn | None":
        """Fit to training values (rows,), NaN where missing; None when they are all the same."""
        missing = np.isnan(data)
        if missing.all():
            return None
        median = float(np.median(data[~missing]))
        filled = np.where(missing, median, data) if missing.any() else data
        peak = float(np.abs(filled).max()) or 1.0
        scaled = filled / peak  # squares of large values would overflow
        mean, deviation = float(scaled.mean()) * peak, float(scaled.std()) * peak
        if not missing.any() and float(np.ptp(scaled)) == 0.0:
            return None
        constant = deviation <= 1e-12 * peak
        return cls(name, holds, median, mean, 1.0 if constant else deviation, bool(missing.any()), form)

    @property
    def features(self) -> list[str]:
        """Names of the features it makes."""
        return [self.name, f"{self.name} missing"] if self.indicator else [self.name]

    @property
    def description(self) -> str:
        """What is done with it, in words."""
        gaps = f"missing -> median {self.median:.6g} and a 0/1 column" if self.indicator else ""
        as_what = {"boolean": "0/1", "duration": "seconds"}.get(self.holds, "")
        written = self.format.description() if self.format else ""
        return ", ".join(filter(None, [written, as_what, gaps, "standardised"]))

    def read(self, array: Any, remarks: list[str]) -> NDArray[np.float64]:
        """Values of a column, NaN where missing, (rows,)."""
        kind = kind_of(array)
        if kind == "empty":
            return np.full(len(array), np.nan)
        if kind in ("number", "boolean") or (kind == self.holds == "duration"):
            return to_numpy(array, self.name)
        if kind != "text":
            raise refuse(self.name, array, WANTED[self.holds])
        text = missing_words(tidy(array))
        if self.holds == "boolean":
            values = yes_no(text)
        else:
            values = (self.format or find_format(text) or NumberFormat()).parse(text)
        check_readable(self.name, array, text, values, WANTED[self.holds], remarks)
        return values

    def transform(self, array: Any, remarks: list[str]) -> Matrix:
        """Features of a column, (rows, 1 or 2): standardised values, and 1 in the gaps."""
        data = self.read(array, remarks)
        missing = np.isnan(data)
        with np.errstate(over="ignore"):
            scaled = (np.where(missing, self.median, data) - self.mean) / self.deviation
        out = np.empty((len(data), len(self.features)), np.float32)
        np.clip(scaled, -CLIP, CLIP, out=scaled)
        out[:, 0] = scaled
        if self.indicator:
            out[:, 1] = missing
        return out
