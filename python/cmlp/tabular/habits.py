"""How a table writes what can be read in two ways: 1.234 and 3/4/2021."""

from dataclasses import dataclass

import pyarrow as pa

from cmlp.tabular import dates, numbers
from cmlp.tabular.arrow import kind_of, simple, tidy
from cmlp.tabular.words import missing_words

# Different cells of a column that are looked at.
SAMPLE = 5000


@dataclass(frozen=True)
class Habits:
    """How a table writes what can be read in two ways.

    Parameters
    ----------
    decimal : str
        ``.`` or ``,``; nothing if no column shows it.
    day_first : bool or None
        Whether 3/4/2021 is in April; None if no column shows it.
    """

    decimal: str = ""
    day_first: bool | None = None


def find_habits(table: pa.Table) -> Habits:
    """Look at every text column of a table for its decimal mark and the order of its dates."""
    marks = {".": 0, ",": 0}
    day_first: bool | None = None
    for column in table.columns:
        array = simple(column)
        if kind_of(array) != "text":
            continue
        text = missing_words(tidy(array.unique()[:SAMPLE]))
        mark = numbers.decimal_mark(text)
        if mark:
            marks[mark] += 1
        found = dates.find_format(text)
        if found and not found.doubtful and found.name in ("day/month/year", "month/day/year"):
            day_first = found.name == "day/month/year"
    decimal = "" if marks["."] == marks[","] else max(marks, key=lambda mark: marks[mark])
    return Habits(decimal, True if day_first is None and decimal == "," else day_first)
