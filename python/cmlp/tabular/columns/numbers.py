"""Columns of numbers, yes/no and durations."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cmlp.tabular import durations
from cmlp.tabular.arrow import kind_of, tidy, to_numpy
from cmlp.tabular.columns.reading import check_readable, refuse
from cmlp.tabular.errors import TableError, printable
from cmlp.tabular.numbers import NumberFormat, find_format
from cmlp.tabular.words import missing_words, yes_no

Matrix = NDArray[np.float32]  # (rows, features)

# Features stay within (-CLIP, CLIP): a wild value must not swamp every other column.
CLIP = 3.0
HUGE = 1e100  # squares of larger numbers overflow
WANTED = {"number": "numbers", "boolean": "yes/no values", "duration": "durations", "time": "times of day"}


@dataclass(frozen=True)
class NumericColumn:
    """A number, yes/no value or duration: the median where it is missing, then scaled and smoothly clipped.

    ``z = (x - median) * scale`` with a scale of 1 over the range of the middle half of the training rows, and
    the feature is ``z / sqrt(1 + (z / 3)^2)`` (Holzmueller, Grinsztajn and Steinwart, arXiv:2407.04491).

    Parameters
    ----------
    name : str
        The column.
    holds : str
        ``number``, ``boolean`` (0 and 1) or ``duration`` (seconds).
    median, scale : float
        Of the training rows; where their middle half is one value, the scale is 2 over their range.
    indicator : bool
        Whether a second feature says 1 where the value is missing: so when the training rows had gaps.
    format : NumberFormat, optional
        How text writes the numbers; None when the training column held numbers.
    """

    kind: ClassVar[str] = "numeric"
    name: str
    holds: str
    median: float
    scale: float
    indicator: bool
    format: NumberFormat | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.median) and math.isfinite(self.scale) and self.scale >= 0):
            raise TableError(f"column {printable(self.name)!r}: its median or scale is not usable")

    @classmethod
    def fit(
        cls, name: str, holds: str, data: NDArray[np.float64], form: NumberFormat | None = None
    ) -> "NumericColumn | None":
        """Fit to training values (rows,), NaN where missing; None when they are all the same."""
        missing = np.isnan(data)
        if missing.all():
            return None
        there = data[~missing]
        peak = float(np.abs(there).max()) or 1.0  # differences of large values would overflow
        low, quarter, median, upper, high = np.quantile(there / peak, (0, 0.25, 0.5, 0.75, 1)) * peak
        if low == high and not missing.any():
            return None
        return cls(name, holds, float(median), _scale(low, quarter, upper, high), bool(missing.any()), form)

    @property
    def continuous(self) -> int:
        """How many of its features, the first ones, are numbers that networks embed."""
        return int(self.holds != "boolean")

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
        return ", ".join(filter(None, [written, as_what, gaps, "scaled by quartiles"]))

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
        elif self.holds == "duration":
            values = durations.parse(text)
        else:
            values = (self.format or find_format(text) or NumberFormat()).parse(text)
        check_readable(self.name, array, text, values, WANTED[self.holds], remarks)
        return values

    def transform(self, array: Any, remarks: list[str]) -> Matrix:
        """Features of a column, (rows, 1 or 2): scaled values, and 1 in the gaps."""
        data = self.read(array, remarks)
        missing = np.isnan(data)
        out = np.empty((len(data), len(self.features)), np.float32)
        with np.errstate(over="ignore"):
            scaled = (np.where(missing, self.median, data) - self.median) * self.scale
        out[:, 0] = smooth_clip(scaled)
        if self.indicator:
            out[:, 1] = missing
        return out


def smooth_clip(scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map numbers into (-3, 3): nearly themselves around 0."""
    z = np.clip(scaled, -HUGE, HUGE)
    return np.asarray(z / np.sqrt(1.0 + (z / CLIP) ** 2))


def _scale(low: float, quarter: float, upper: float, high: float) -> float:
    """1 / (middle half's range), or 2 / range; 0 for numbers that are all the same or too close."""
    for part, half in ((0.5, upper / 2 - quarter / 2), (1.0, high / 2 - low / 2)):
        if half > 0 and math.isfinite(part / half):
            return float(part / half)
    return 0.0
