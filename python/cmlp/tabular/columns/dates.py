"""Date columns: the day, its place in the year and the week, and the time of day."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cmlp.tabular import dates
from cmlp.tabular.arrow import as_text, kind_of, tidy, to_numpy
from cmlp.tabular.columns.numbers import Matrix, smooth_clip
from cmlp.tabular.columns.reading import check_readable, refuse
from cmlp.tabular.errors import TableError, printable
from cmlp.tabular.words import missing_words

YEAR = 365.2425
PARTS = ("day", "year", "month day", "weekday", "hour")


@dataclass(frozen=True)
class DateColumn:
    """A date or time: the day as a number, seasons and hours on circles, the weekday as 0/1 columns.

    Parameters
    ----------
    name : str
        The column.
    format : str
        A key of `cmlp.tabular.dates.FORMATS`, ``epoch`` for Unix times, or nothing where the training column
        held dates.
    parts : tuple of str
        Those of `PARTS` that vary over the training rows.
    mean, deviation : float
        Of the day, over the training rows.
    indicator : bool
        Whether a last feature says 1 where the date is missing: so when the training rows had gaps.
    """

    kind: ClassVar[str] = "date"
    name: str
    format: str
    parts: tuple[str, ...]
    mean: float
    deviation: float
    indicator: bool

    def __post_init__(self) -> None:
        if self.format not in ("", "epoch", *dates.FORMATS):
            raise TableError(f"column {printable(self.name)!r}: unknown date format {self.format!r}")
        unknown = set(self.parts) - set(PARTS)
        if unknown or not (self.deviation > 0 and np.isfinite([self.mean, self.deviation]).all()):
            raise TableError(f"column {printable(self.name)!r}: a date has the parts {', '.join(PARTS)}")

    @classmethod
    def fit(cls, name: str, form: str, days: NDArray[np.float64]) -> "DateColumn | None":
        """Fit to days since 1970 (rows,), NaN where missing; None when nothing varies."""
        there = days[~np.isnan(days)]
        if not len(there):
            return None
        day = np.floor(there)
        hours, varies = there - day, float(np.ptp(day)) > 0
        parts = [part for part, use in zip(PARTS, (varies,) * 4 + (np.ptp(hours) > 0,), strict=True) if use]
        # A column of first days (months, quarters) has no day of the month, and its weekday is no weekday.
        month_days = np.unique(_month_day(day))
        if len(month_days) < 2:
            parts = [part for part in parts if part not in ("month day", "weekday")]
        indicator = len(there) < len(days)
        if not parts and not indicator:
            return None
        return cls(name, form, tuple(parts), float(there.mean()), float(there.std()) or 1.0, indicator)

    @property
    def features(self) -> list[str]:
        """Names of the features it makes."""
        names = [f"{self.name} {label}" for part in self.parts for label in _LABELS[part]]
        return [*names, f"{self.name} missing"] if self.indicator else names

    @property
    def continuous(self) -> int:
        """How many of its features, the first ones, are numbers that networks embed."""
        return int("day" in self.parts)

    @property
    def description(self) -> str:
        """What is done with it, in words."""
        gaps = "; missing -> zeros and a 0/1 column" if self.indicator else ""
        written = f"{self.format}: " if self.format else ""
        return f"{written}{', '.join(self.parts)} as numbers{gaps}"

    def read(self, array: Any, remarks: list[str]) -> NDArray[np.float64]:
        """Days since 1970 of a column, NaN where missing, (rows,)."""
        return read_days(self.name, self.format, array, remarks)

    def transform(self, array: Any, remarks: list[str]) -> Matrix:
        """Features of a column, (rows, features of the parts)."""
        days = self.read(array, remarks)
        missing = np.isnan(days)
        days = np.where(missing, self.mean, days)
        scaled = smooth_clip((days - self.mean) / self.deviation)
        blocks = [scaled[:, None] if part == "day" else _part(part, days) for part in self.parts]
        out = np.concatenate([*blocks, missing[:, None]] if self.indicator else blocks, axis=1)
        out[missing, : out.shape[1] - self.indicator] = 0.0
        return np.asarray(out, np.float32)


def read_days(name: str, form: str, array: Any, remarks: list[str]) -> NDArray[np.float64]:
    """Days since 1970 of a column written in a format, NaN where missing, (rows,)."""
    kind = kind_of(array)
    if kind == "empty":
        return np.full(len(array), np.nan)
    if kind == "date":
        return dates.from_arrow(array)
    if kind == "time":
        return to_numpy(array, name) / dates.DAY
    if kind not in ("text", "number") or (kind == "number" and form not in ("epoch", "yearmonthday")):
        raise refuse(name, array, "dates")
    text = missing_words(tidy(as_text(array)))
    if form == "epoch":
        from cmlp.tabular.numbers import NumberFormat

        days = dates.epochs(NumberFormat().parse(text))
    else:
        days = dates.parse(text, form or "year-month-day")
    if np.isnan(days).any() and form != "year-month-day":  # programs write dates in ISO form
        days = np.where(np.isnan(days), dates.parse(text, "year-month-day"), days)
    check_readable(name, array, text, days, "dates", remarks)
    return days


_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LABELS = {
    "day": ("day",),
    "year": ("season sin", "season cos", "half-year sin", "half-year cos"),
    "month day": ("day of month",),
    "weekday": _WEEK,
    "hour": ("hour", "hour sin", "hour cos"),
}


def _part(part: str, days: NDArray[np.float64]) -> NDArray[np.float64]:
    day = np.floor(days)
    if part == "year":
        return np.concatenate([_circle(_year_share(day)), _circle(2 * _year_share(day))], axis=1)
    if part == "month day":
        return np.asarray((_month_day(day)[:, None] - 16) / 9.0)
    if part == "weekday":  # 1970-01-01 was a Thursday
        return np.asarray(((day.astype(np.int64) + 3) % 7)[:, None] == np.arange(7.0), np.float64)
    hours = days - day
    return np.concatenate([(hours[:, None] - 0.5) * 3.5, _circle(hours)], axis=1)


def _circle(share: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.sin(2 * np.pi * share), np.cos(2 * np.pi * share)], axis=1)


def _year_share(days: NDArray[np.float64]) -> NDArray[np.float64]:
    date = days.astype(np.int64).astype("datetime64[D]")
    return np.asarray((date - date.astype("datetime64[Y]")).astype(np.float64) / YEAR)


def _month_day(days: NDArray[np.float64]) -> NDArray[np.float64]:
    date = days.astype(np.int64).astype("datetime64[D]")
    return np.asarray((date - date.astype("datetime64[M]")).astype(np.float64) + 1)
