"""The kinds of columns: what to do with a column of each, inferred or as a user says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from cmlp.tabular import dates, durations, numbers
from cmlp.tabular.arrow import as_text, kind_of, tidy, to_numpy
from cmlp.tabular.columns import CategoryColumn, Column, DateColumn, ListColumn, NumericColumn, TextColumn
from cmlp.tabular.columns.dates import read_days
from cmlp.tabular.columns.lists import SEPARATORS
from cmlp.tabular.errors import TableError, printable
from cmlp.tabular.habits import Habits
from cmlp.tabular.words import missing_words, yes_no


@dataclass(frozen=True)
class Finding:
    """What was found in a column.

    Parameters
    ----------
    kind : str
        What it holds, in a word.
    column : Column or None
        What to do with it; None to leave it out.
    reason : str
        Why it is left out.
    doubt : str
        What another reading would be, and why this one may be wrong.
    """

    kind: str
    column: Column | None
    reason: str = ""
    doubt: str = ""


def checked(kind: str, column: Column | None, doubt: str = "") -> Finding:
    """A finding; the column is None where it never varies."""
    return Finding(kind, column, "" if column else "the same in every training row", doubt)


def as_category(name: str, array: Any, doubt: str = "", ordered: bool = True) -> Finding:
    """A column of categories; `ordered`: their order counts, where they have one."""
    column = CategoryColumn.fit(name, array, ordered)
    return checked("ordered category" if column and column.places else "category", column, doubt)


def as_duration(name: str, array: Any, habits: Habits) -> Finding:
    """A column of durations, in seconds."""
    if kind_of(array) == "duration":
        return checked("duration", NumericColumn.fit(name, "duration", to_numpy(array, name)))
    text = missing_words(tidy(as_text(array)))
    seconds = durations.parse(text)
    stray = int((np.isnan(seconds) & np.asarray(text.is_valid())).sum())
    doubt = f"{stray} cells are no durations: taken as missing" if stray else ""
    return checked("duration", NumericColumn.fit(name, "duration", seconds), doubt)


def as_date(name: str, array: Any, form: str, doubt: str = "") -> Finding:
    """A column of dates of one format, see `cmlp.tabular.dates.FORMATS`."""
    days = read_days(name, form, array, [])
    stray = int((np.isnan(days) & np.asarray(array.is_valid())).sum())
    if stray:
        doubt = "; ".join(filter(None, [doubt, f"{stray} cells are no dates: taken as missing"]))
    return checked("date", DateColumn.fit(name, form, days), doubt)


def as_yes_no(name: str, array: Any, habits: Habits) -> Finding:
    """A column of yes and no, as 1 and 0."""
    if kind_of(array) != "text":
        return checked("yes/no", NumericColumn.fit(name, "boolean", to_numpy(array, name)))
    return checked("yes/no", NumericColumn.fit(name, "boolean", yes_no(tidy(array))))


def _given_number(name: str, array: Any, habits: Habits) -> Finding:
    if kind_of(array) in ("number", "boolean", "duration"):
        return checked("number", NumericColumn.fit(name, "number", to_numpy(array, name)))
    text = missing_words(tidy(as_text(array)))
    form = numbers.best_format(text, habits.decimal)
    return checked("number", NumericColumn.fit(name, "number", form.parse(text), form))


def _given_date(name: str, array: Any, habits: Habits) -> Finding:
    if kind_of(array) in ("date", "time"):
        return as_date(name, array, "")
    text = missing_words(tidy(as_text(array)))
    found = dates.find_format(text, habits.day_first)
    if found:
        return as_date(name, text, found.name)
    if kind_of(array) == "number":
        return as_date(name, array, "epoch")
    first = printable(text.drop_null()[0]) if len(text.drop_null()) else ""
    raise TableError(f"column {printable(name)!r} holds no dates of one format (the first cell: {first!r})")


def _given_list(name: str, array: Any, habits: Habits) -> Finding:
    text = pc.drop_null(as_text(array))
    most = max(SEPARATORS, key=lambda mark: pc.sum(pc.match_substring(text, mark)).as_py() or 0)
    return Finding("list", ListColumn.fit(name, array, most))


# What a user can say a column is ...
GIVEN: dict[str, Callable[[str, Any, Habits], Finding]] = {
    "number": _given_number,
    "category": lambda name, array, habits: as_category(name, array, ordered=False),
    "date": _given_date,
    "duration": as_duration,
    "text": lambda name, array, habits: Finding("text", TextColumn(name)),
    "list": _given_list,
    "yes/no": as_yes_no,
}
# ... or leave out.
TYPES = (*GIVEN, "drop")
