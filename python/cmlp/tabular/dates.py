"""Dates and times in any common format: the format is found on the column, then applied to each cell."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_TIME = (
    r"(?:[T ,]+(?P<H>[0-9]{1,2})[:.h](?P<M>[0-9]{2})(?:[:.](?P<S>[0-9]{2}(?:[.,][0-9]+)?))?"
    r"\s*(?P<p>[AaPp])?(?:\.?[Mm]\.?)?\s*(?P<z>Z|UTC|GMT|[-+][0-9]{2}:?[0-9]{2}|[A-Z]{3,4})?)?"
)
_DAY_NAME = r"(?:[\pL]{2,10}\.?,?\s+)?"
_YEAR = r"(?P<y>[0-9]{4}|'?[0-9]{2})"
_MONTH = r"(?P<b>\pL{3,10})\.?"
_DAY = r"(?P<d>[0-9]{1,2})"
_ORDINAL = r"(?:st|nd|rd|th|\.)?"
# Each way to write a date. y year, m month, b month's name, d day, q quarter, w week, H M S p z time.
FORMATS = {
    "year-month-day": rf"(?P<y>[0-9]{{4}})[-/.](?P<m>[0-9]{{1,2}})[-/.](?P<d>[0-9]{{1,2}}){_TIME}",
    "day/month/year": rf"{_DAY_NAME}(?P<d>[0-9]{{1,2}})[-/. ]+(?P<m>[0-9]{{1,2}})[-/. ]+{_YEAR}{_TIME}",
    "month/day/year": rf"{_DAY_NAME}(?P<m>[0-9]{{1,2}})[-/. ]+(?P<d>[0-9]{{1,2}})[-/. ]+{_YEAR}{_TIME}",
    "day month year": rf"{_DAY_NAME}{_DAY}{_ORDINAL}[-/. ]*"
    rf"(?:de |of )?{_MONTH}(?: de)?[-/., ]*{_YEAR}{_TIME}",
    "month day, year": rf"{_DAY_NAME}{_MONTH}[-/. ]*(?P<d>[0-9]{{1,2}}){_ORDINAL}[-/, ]+{_YEAR}{_TIME}",
    "yearmonthday": r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"
    r"(?:[T ]?(?P<H>[0-9]{2})(?P<M>[0-9]{2})(?P<S>[0-9]{2})?)?",
    "year-month": r"(?P<y>[0-9]{4})[-/](?P<m>[0-9]{1,2})",
    "month/year": r"(?P<m>[0-9]{1,2})[-/](?P<y>[0-9]{4})",
    "month year": rf"{_MONTH}[-/., ]*{_YEAR}",
    "year quarter": r"(?P<y>[0-9]{4})[-/ ]*[Qq](?P<q>[1-4])",
    "quarter year": r"[Qq](?P<q>[1-4])[-/ ]*(?P<y>[0-9]{4})",
    "year week": r"(?P<y>[0-9]{4})[-/ ]*[Ww](?P<w>[0-9]{1,2})",
    "time of day": r"(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2}(?:\.[0-9]+)?))?"
    r"\s*(?P<p>[AaPp])?(?:\.?[Mm]\.?)?",
}
MONTHS = (
    ("jan", "ene", "gen", "sty"),
    ("feb", "fev", "fév", "lut"),
    ("mar", "mär", "mae", "mrt"),
    ("apr", "avr", "abr", "kwi"),
    ("may", "mai", "mei", "mag", "maj"),
    ("jun", "juin", "giu"),
    ("jul", "juil", "lug"),
    ("aug", "ago", "aoû", "aou", "sie"),
    ("sep", "set", "wrz"),
    ("oct", "okt", "ott", "out"),
    ("nov",),
    ("dec", "dez", "dic", "déc", "gru"),
)
# At least this share of the filled cells must be dates of one format.
SHARE = 0.9
DAY = 86400.0


@dataclass(frozen=True)
class FoundFormat:
    """A date format that fits a column: its name in `FORMATS`, and whether another order fits as well."""

    name: str
    doubtful: bool = False


def find_format(text: Any, day_first: bool | None = None) -> FoundFormat | None:
    """Find the format of a column of tidy text.

    Parameters
    ----------
    text : pyarrow.StringArray
        The cells, missing words taken out.
    day_first : bool, optional
        What the rest of the table does, for a column in which 3/4/2021 can be either.

    Returns
    -------
    FoundFormat or None
        None when no format fits 9 of 10 filled cells.
    """
    text = text.drop_null().unique()
    for name, pattern in FORMATS.items():
        fitting = pc.sum(pc.match_substring_regex(text, f"^{pattern}$")).as_py() or 0
        if not len(text) or fitting < SHARE * len(text):
            continue
        good = _share(text, name)
        other = {"day/month/year": "month/day/year"}.get(name)
        if other is None:
            if good >= SHARE:
                return FoundFormat(name)
            continue
        return _order(text, good, _share(text, other), day_first)
    return None


def _order(text: Any, day: float, month: float, day_first: bool | None) -> FoundFormat | None:
    """Choose between day/month and month/day by which gives more dates; dots mean day first."""
    if max(day, month) < SHARE:
        return None
    if day != month:
        return FoundFormat("day/month/year" if day > month else "month/day/year")
    if day_first is None:
        day_first = not (pc.sum(pc.match_substring(text, "/")).as_py() or 0)
    return FoundFormat("day/month/year" if day_first else "month/day/year", doubtful=True)


def _share(text: Any, name: str) -> float:
    return float(np.isfinite(parse(text, name)).mean()) if len(text) else 0.0


def parse(text: Any, name: str) -> NDArray[np.float64]:
    """Days since 1970-01-01 UTC of a column of tidy text, NaN where a cell is no date of the format.

    A time without a zone counts as UTC; a time of day is a share of a day.

    Parameters
    ----------
    text : pyarrow.StringArray
        The cells, (rows,).
    name : str
        The format, a key of `FORMATS`.

    Returns
    -------
    numpy.ndarray
        float64, (rows,).

    Examples
    --------
    >>> import pyarrow as pa
    >>> from cmlp.tabular.dates import parse
    >>> parse(pa.array(["2.1.1970", "40.1.1970"]), "day/month/year").tolist()
    [1.0, nan]
    """
    distinct = text.dictionary_encode()
    days = _days(pc.extract_regex(distinct.dictionary, f"^{FORMATS[name]}$"))
    codes = pc.fill_null(distinct.indices, len(days)).to_numpy(zero_copy_only=False)
    return np.asarray(np.append(days, np.nan)[codes])


def _days(parts: Any) -> NDArray[np.float64]:
    field = _Fields(parts)
    year = field.year()
    month = field.month()
    day = field.number("d", 1)
    if field.has("w"):
        month, day = np.where(np.isnan(year), np.nan, 1.0), (field.number("w", 1) - 1) * 7 + 1
        days = _start_of_month(year, month) + day - 1
    else:
        days = _start_of_month(year, month) + day - 1
        ends = _start_of_month(year + (month == 12), np.where(month == 12, 1, month + 1))
        days = np.where((day >= 1) & (days < ends), days, np.nan)
    return days + field.time()


def _start_of_month(year: NDArray[np.float64], month: NDArray[np.float64]) -> NDArray[np.float64]:
    good = (month >= 1) & (month <= 12) & (year >= 1) & (year <= 9999)
    months = np.where(good, (year - 1970) * 12 + month - 1, 0).astype(np.int64).astype("datetime64[M]")
    return np.where(good, months.astype("datetime64[D]").astype(np.float64), np.nan)


class _Fields:
    """The named parts of matched dates, as numbers."""

    def __init__(self, parts: Any) -> None:
        self._parts = parts
        self._names = {field.name for field in parts.type}
        self._missing = np.asarray(parts.is_null())

    def has(self, name: str) -> bool:
        return name in self._names

    def text(self, name: str) -> Any:
        return pc.fill_null(pc.struct_field(self._parts, name), "")

    def number(self, name: str, default: float) -> NDArray[np.float64]:
        if not self.has(name):
            return np.where(self._missing, np.nan, default)
        text = pc.replace_substring(pc.replace_substring(self.text(name), ",", "."), "'", "")
        number = pc.cast(pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text), pa.float64())
        values = np.asarray(number.to_numpy(zero_copy_only=False), np.float64)
        return np.where(np.isnan(values) & ~self._missing, default, values)

    def year(self) -> NDArray[np.float64]:
        year = self.number("y", 1970)
        short = (
            (year < 100) & np.asarray(pc.less_equal(pc.utf8_length(self.text("y")), 3))
            if self.has("y")
            else False
        )
        return np.where(short, year + np.where(year < 69, 2000, 1900), year)

    def month(self) -> NDArray[np.float64]:
        if self.has("q"):
            return self.number("q", 1) * 3 - 2
        if not self.has("b"):
            return self.number("m", 1)
        names, month = pc.utf8_lower(self.text("b")), np.full(len(self._parts), np.nan)
        for number, starts in enumerate(MONTHS, 1):
            for start in starts:
                month[np.asarray(pc.starts_with(names, start))] = number
        return month

    def time(self) -> NDArray[np.float64]:
        if not self.has("H"):
            return np.zeros(len(self._parts))
        hour = self.number("H", 0)
        if self.has("p"):
            half = pc.utf8_lower(self.text("p"))
            hour = np.where(np.asarray(pc.equal(half, "p")), hour % 12 + 12, hour)
            hour = np.where(np.asarray(pc.equal(half, "a")), hour % 12, hour)
        minute, second = self.number("M", 0), self.number("S", 0)
        valid = (hour <= 24) & (minute < 60) & (second < 61)
        seconds = hour * 3600 + minute * 60 + second - self.zone()
        return np.where(valid, seconds / DAY, np.nan)

    def zone(self) -> NDArray[np.float64]:
        if not self.has("z"):
            return np.zeros(len(self._parts))
        offset = pc.extract_regex(self.text("z"), r"^(?P<s>[-+])(?P<h>[0-9]{2}):?(?P<m>[0-9]{2})$")
        field = _Fields(offset)
        seconds = np.nan_to_num(field.number("h", 0) * 3600 + field.number("m", 0) * 60)
        return np.where(np.asarray(pc.fill_null(pc.equal(field.text("s"), "-"), False)), -seconds, seconds)


def from_arrow(array: Any) -> NDArray[np.float64]:
    """Days since 1970-01-01 UTC of an Arrow date or timestamp column, NaN where missing."""
    stamps = array.cast(pa.timestamp("us"), safe=False) if pa.types.is_date(array.type) else array
    unit = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[stamps.type.unit]
    counts = stamps.cast(pa.int64()).cast(pa.float64(), safe=False)
    return np.asarray(counts.to_numpy(zero_copy_only=False) / (unit * DAY), np.float64)


def epochs(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Days since 1970 of Unix times in seconds, milli-, micro- or nanoseconds (by their size)."""
    size = np.abs(values)
    unit = np.where(size > 1e17, 1e9, np.where(size > 1e14, 1e6, np.where(size > 1e11, 1e3, 1.0)))
    return values / unit / DAY
