"""Which kind of column a column is, when it is left out, and what the report says of it."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cmlp.tabular import dates, durations, numbers
from cmlp.tabular.arrow import as_text, keys, kind_of, tidy, to_numpy
from cmlp.tabular.columns import ListColumn, NumericColumn, TextColumn
from cmlp.tabular.columns.categories import FEW
from cmlp.tabular.errors import printable
from cmlp.tabular.findings import GIVEN, Finding, as_category, as_date, as_duration, as_yes_no, checked
from cmlp.tabular.habits import Habits
from cmlp.tabular.words import missing_words, yes_no

# Fewer integers than this may well be in a row by chance.
MIN_ROWS_TO_COUNT = 20
IDENTIFIER = re.compile(
    r"(^|[\s_.-])(id|ids|uuid|guid|key|index|idx|rowid|row_?number)$|[a-z]Id$|ID$", re.IGNORECASE
)
CLOCK = re.compile(r"time|date|stamp|epoch|(^|_)(at|ts|on|since|until)$|datum|created|updated", re.IGNORECASE)


def infer_column(name: str, array: Any, habits: Habits, given: str = "") -> Finding:
    """Infer the type of one column and fit its encoder.

    Parameters
    ----------
    name : str
        The column.
    array : pyarrow.Array
        Its training rows.
    habits : Habits
        Of the table.
    given : str
        One of `TYPES` to take instead of what is inferred.

    Returns
    -------
    Finding
        What it is.
    """
    if given == "drop":
        return Finding("?", None, "requested")
    kind = kind_of(array)
    if given:
        return GIVEN[given](name, array, habits)
    if kind == "empty":
        return Finding(kind, None, "no values")
    if kind == "text":
        return _infer_text(name, array, habits)
    if kind in ("date", "time"):
        return as_date(name, array, "")
    if kind == "number":
        return _infer_number(name, to_numpy(array, name), None)
    if kind in ("boolean", "duration"):
        return checked(kind, NumericColumn.fit(name, kind, to_numpy(array, name)))
    return Finding(kind, None, "holds neither numbers, text nor dates")


def _infer_number(name: str, values: NDArray[np.float64], form: numbers.NumberFormat | None) -> Finding:
    kept = values[~np.isnan(values)]
    integral = len(kept) > 0 and bool((kept == np.round(kept)).all())
    if integral and form in (None, numbers.NumberFormat()):
        if counts_rows(values):
            return Finding(
                "number", None, "it counts the rows", _other(name, "number", "uses it as a quantity")
            )
        if IDENTIFIER.search(name) and len(np.unique(kept)) == len(kept) >= MIN_ROWS_TO_COUNT:
            return Finding(
                "number", None, "an identifier: each row has its own", "say number if it is a quantity"
            )
        found = _number_date(name, values)
        if found:
            return found
    return checked("number", NumericColumn.fit(name, "number", values, form))


def _number_date(name: str, values: NDArray[np.float64]) -> Finding | None:
    """Numbers that are dates: 20210304, or Unix times in a column whose name says time."""
    low, high = np.nanmin(values), np.nanmax(values)
    cells = pa.array(values, mask=np.isnan(values))
    if low >= 18000101 and high <= 22001231 and low < high:
        found = dates.find_format(as_text(cells))
        if found:
            return as_date(name, cells, found.name)
    days = dates.epochs(values)
    if CLOCK.search(name) and np.nanmin(days) > 3650 and np.nanmax(days) < 36500:
        return as_date(
            name,
            cells,
            "epoch",
            "read as Unix times because of its name; " + _other(name, "number", "uses it as a quantity"),
        )
    return None


def _infer_text(name: str, array: Any, habits: Habits) -> Finding:
    text = tidy(array)
    plain = missing_words(text)
    distinct = plain.unique().drop_null()
    if len(distinct) == 0:
        return Finding("text", None, "no values")
    if _is_code(distinct):
        return as_category(name, array, "taken as codes, since digits have leading zeros")
    if _is_yes_no(distinct):
        return as_yes_no(name, array, habits)
    if not pc.any(pc.match_substring_regex(distinct, "[0-9]")).as_py():
        return _infer_words(name, array)
    written = numbers.read_numbers(plain, habits.decimal)
    if written is not None and written.plain:
        return _infer_number(name, written.values, numbers.NumberFormat())
    if (written is None or _has_strays(plain, written)) and durations.are_durations(name, plain):
        return as_duration(name, array, habits)
    found = _found_date(name, plain, habits)
    if found is None and written is not None:
        found = _written_number(name, plain, written)
    return found or _infer_words(name, array)


def _is_yes_no(distinct: Any) -> bool:
    """Whether both sides occur, and a word or just two letters: y, n, t and f may be four codes."""
    values = yes_no(distinct)
    if np.isnan(values).any() or not (0 in values and 1 in values):
        return False
    words = pc.any(pc.match_substring_regex(distinct, r"\pL\pL")).as_py()
    letters = pc.any(pc.match_substring_regex(distinct, r"\pL")).as_py()
    return bool(words or (letters and len(pc.utf8_lower(distinct).unique()) == 2))


def _other(name: str, kind: str, effect: str) -> str:
    """How to overrule a reading."""
    return f'--column "{printable(name)}={kind}" {effect}'


def _is_code(distinct: Any) -> bool:
    zeros = pc.sum(pc.match_substring_regex(distinct, "^0[0-9]+$")).as_py() or 0
    return zeros > 0 and bool(pc.all(pc.match_substring_regex(distinct, "^[0-9]+$")).as_py())


def _has_strays(text: Any, written: numbers.Reading) -> bool:
    return bool((np.asarray(text.is_valid()) & np.isnan(written.values)).any())


def _found_date(name: str, text: Any, habits: Habits) -> Finding | None:
    found = dates.find_format(text, habits.day_first)
    if found is None:
        return None
    return as_date(
        name, text, found.name, f"read as {found.name}: other orders fit as well" if found.doubtful else ""
    )


def _written_number(name: str, text: Any, written: numbers.Reading) -> Finding:
    stray = np.asarray(text.is_valid()) & np.isnan(written.values)
    doubt = ""
    if stray.any():
        first = printable(text[int(np.argmax(stray))])
        doubt = f"{int(stray.sum())} cells are no numbers ({first!r} ...): taken as missing"
    found = _infer_number(name, written.values, written.format)
    return Finding(found.kind, found.column, found.reason, doubt or found.doubt)


def _infer_words(name: str, array: Any) -> Finding:
    column = ListColumn.find(name, array)
    if column:
        return Finding("list", column)
    found = keys(array).drop_null()
    counts = np.asarray(pc.struct_field(pc.value_counts(found), "counts"))
    if len(counts) <= FEW or len(counts) <= len(found) / 2:
        return as_category(name, array)
    single = not (pc.sum(pc.match_substring(found, " ")).as_py() or 0) >= 0.1 * len(found)
    if single and (counts == 1).mean() > 0.95:
        why = f"an identifier: {len(counts)} values in {len(found)} rows"
        return Finding("text", None, why, _other(name, "text", "uses its letters"))
    return Finding("text", TextColumn(name))


def counts_rows(values: NDArray[np.float64]) -> bool:
    """Whether integers rise by little more than 1 a row: they say where in the file a row is."""
    if len(values) < MIN_ROWS_TO_COUNT or np.isnan(values).any():
        return False
    steps = np.diff(values)
    return bool((steps > 0).all() and values[-1] - values[0] <= 2 * len(values))
