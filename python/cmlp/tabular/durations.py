"""Durations as people and programs write them: 2h 30m, 1 day 02:30:00, 36:15:00, PT45M, 3 weeks."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# Seconds of each part. A month is a twelfth of a year.
SECONDS = {
    "years": 31557600.0,
    "months": 31557600.0 / 12,
    "weeks": 604800.0,
    "days": 86400.0,
    "hours": 3600.0,
    "minutes": 60.0,
    "seconds": 1.0,
    "millis": 1e-3,
}
WORDS = {
    "years": "y|yrs?|years?",
    "months": "mos?|mths?|months?",
    "weeks": "w|wks?|weeks?",
    "days": "d|days?",
    "hours": "h|hrs?|hours?|std",
    "minutes": "m|mins?|minutes?",
    "seconds": "s|secs?|seconds?|sek",
    "millis": "ms|msecs?|milliseconds?",
}
NUMBER = "[0-9]+(?:[.,][0-9]+)?"
CLOCK = r"(?:(?P<first>[0-9]+):(?P<second>[0-5]?[0-9])(?::(?P<third>[0-5]?[0-9](?:[.,][0-9]+)?))?)?"
WRITTEN = (
    r"(?i)^(?P<sign>[-+−])?\s*"
    + "".join(rf"(?:(?P<{part}>{NUMBER})\s*(?:{words})\.?,?\s*(?:and\s+)?)?" for part, words in WORDS.items())
    + r"(?P<plus>\+)?"
    + CLOCK
    + "$"
)
ISO = (
    rf"^(?P<sign>[-+−])?P(?:(?P<years>{NUMBER})Y)?(?:(?P<months>{NUMBER})M)?(?:(?P<weeks>{NUMBER})W)?"
    rf"(?:(?P<days>{NUMBER})D)?(?:T(?:(?P<hours>{NUMBER})H)?(?:(?P<minutes>{NUMBER})M)?"
    rf"(?:(?P<seconds>{NUMBER})S)?)?$"
)
# Columns of these names hold durations where 3:45 could be a time of day as well.
NAMED = re.compile(
    r"durat|length|elapsed|run_?time|lap|split|dauer|durée|duración|took|spent|delay", re.IGNORECASE
)
# At least this share of the filled cells must be durations.
SHARE = 0.9


def are_durations(name: str, text: Any) -> bool:
    """Whether a column of tidy text holds durations.

    Parameters
    ----------
    name : str
        The column: it decides where all cells are clock times before 24:00.
    text : pyarrow.StringArray
        The cells, missing words taken out.
    """
    filled = text.drop_null()
    if not len(filled) or np.isfinite(parse(filled)).sum() < SHARE * len(filled):
        return False
    early = pc.match_substring_regex(filled, r"^(?:[01]?[0-9]|2[0-3]):[0-9]+(?::[0-9.,]+)?$")
    return bool(NAMED.search(name)) or not pc.all(early).as_py()


def parse(text: Any) -> NDArray[np.float64]:
    """Seconds of each cell of tidy text, NaN where it is no duration, (rows,).

    Of two numbers with a colon the second is seconds, after a number of days it is minutes.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from cmlp.tabular.durations import parse
    >>> parse(pa.array(["1h 30m", "PT90M", "1:30:00", "90:00", "0 days 01:30:00", "soon"])).tolist()
    [5400.0, 5400.0, 5400.0, 5400.0, 5400.0, nan]
    """
    written = _seconds(pc.extract_regex(text, WRITTEN))
    return np.where(np.isnan(written), _seconds(pc.extract_regex(text, ISO)), written)


def _seconds(parts: Any) -> NDArray[np.float64]:
    """Sum the parts of matched durations; NaN where there is none."""
    total, found = np.zeros(len(parts)), np.zeros(len(parts), bool)
    names = {field.name for field in parts.type}
    values = {name: _number(parts, name) for name in names - {"sign", "plus"}}
    for part in names & SECONDS.keys():
        total += np.nan_to_num(values[part]) * SECONDS[part]
        found |= np.isfinite(values[part])
    minus = pc.is_in(pc.struct_field(parts, "sign"), pa.array(["-", "−"])).to_numpy(zero_copy_only=False)
    if "first" not in names:
        return np.where(found, np.where(minus, -total, total), np.nan)
    plus = pc.equal(pc.struct_field(parts, "plus"), "+")  # -1 days +23:00:00 is an hour less than 0
    plus = pc.fill_null(plus, False).to_numpy(zero_copy_only=False)
    clock = _clock(values)
    total = np.where(minus, -total, total) + np.where(minus & ~plus, -clock, clock)
    return np.where(found | np.isfinite(values["first"]), total, np.nan)


def _clock(values: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    first, second = np.nan_to_num(values["first"]), np.nan_to_num(values["second"])
    has_hours = np.isfinite(values["third"]) | np.isfinite(values["days"])
    minutes_first = first * 60 + second
    return np.where(has_hours, minutes_first * 60 + np.nan_to_num(values["third"]), minutes_first)


def _number(parts: Any, name: str) -> NDArray[np.float64]:
    text = pc.replace_substring(pc.struct_field(parts, name), ",", ".")
    number = pc.cast(pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text), pa.float64())
    return np.asarray(number.to_numpy(zero_copy_only=False), np.float64)
