"""What a column holds (numbers, booleans, text, dates ...) and its values as plain NumPy arrays."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cmlp.tabular.errors import TableError

FAMILIES = {
    "string": "text",
    "mixed-integer": "text",
    "boolean": "boolean",
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "date": "date",
    "datetime": "date",
    "datetime64": "date",
    "timedelta": "duration",
    "timedelta64": "duration",
}
PLURALS = {"number": "numbers", "boolean": "true/false values", "date": "dates", "duration": "durations"}
ISO_DATE = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
EPOCH = pd.Timestamp("1970-01-01", tz="UTC")


def family(series: pd.Series) -> str:
    """Say what a column holds, whatever its dtype is.

    Parameters
    ----------
    series : pandas.Series
        A column; a pandas category counts as what its categories are.

    Returns
    -------
    str
        ``number``, ``boolean``, ``text``, ``date``, ``duration``, ``empty`` (nothing but missing values),
        or pandas' own word for what cannot be used (``bytes``, ``mixed``, ``complex`` ...).
    """
    if series.isna().all():
        return "empty"
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype)
    found = pd.api.types.infer_dtype(series, skipna=True)
    return FAMILIES.get(found, str(found))


def plural(what: str) -> str:
    """`family`'s word as a message says it: "holds numbers", "holds text"."""
    return PLURALS.get(what, what)


def numbers(series: pd.Series) -> NDArray[np.float64]:
    """Take the values of a number, boolean or duration column; missing is NaN, a duration is in seconds.

    Parameters
    ----------
    series : pandas.Series
        The column, (rows,).

    Returns
    -------
    numpy.ndarray
        float64, (rows,).

    Raises
    ------
    TableError
        If a value is infinite or too large for float64; names the column and the row.
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype)
    if pd.api.types.infer_dtype(series, skipna=True) in ("timedelta", "timedelta64"):
        series = pd.to_timedelta(series).dt.total_seconds()
    elif series.dtype == object:
        series = series.where(series.notna(), np.nan)
    try:
        values = np.array(series.to_numpy(dtype=np.float64, na_value=np.nan), np.float64)
    except OverflowError as error:
        raise TableError(f"column {series.name!r} holds numbers too large for float64") from error
    bad = np.isinf(values)
    if bad.any():
        raise TableError(f"column {series.name!r} holds {values[bad][0]} at row {first_row(series, bad)}")
    return values


def texts(series: pd.Series) -> NDArray[np.object_]:
    """Take the values of a text column as Python strings; missing is None.

    Parameters
    ----------
    series : pandas.Series
        The column, (rows,).

    Returns
    -------
    numpy.ndarray
        object, (rows,).
    """
    values = np.array([None] * len(series), object)
    there = series.notna().to_numpy(bool)
    values[there] = series[there].astype(str).to_numpy(object)
    return values


def is_iso_text(series: pd.Series) -> bool:
    """Whether each value of a text column is a date such as 2024-03-01 or 2024-03-01T12:30:00Z."""
    there = series.dropna().astype(str)
    if not len(there) or not there.str.fullmatch(ISO_DATE).all():
        return False
    return bool(pd.to_datetime(there, format="ISO8601", utc=True, errors="coerce").notna().all())


def days(series: pd.Series) -> NDArray[np.float64]:
    """Take the values of a date column, or of one that holds ISO text, in days since 1970-01-01 UTC.

    Parameters
    ----------
    series : pandas.Series
        The column, (rows,); times without a zone count as UTC.

    Returns
    -------
    numpy.ndarray
        float64, (rows,); missing is NaN.

    Raises
    ------
    TableError
        If a text is not a date; names the column, the row and the text.
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype)
    text = family(series) == "text"
    options: dict[str, Any] = {"format": "ISO8601"} if text else {}
    parsed = pd.to_datetime(series, utc=True, errors="coerce", **options)
    bad = (parsed.isna() & series.notna()).to_numpy(bool)
    if bad.any():
        where = f"{series[bad].iloc[0]!r} at row {first_row(series, bad)}"
        raise TableError(f"column {series.name!r} holds {where}, which is not a date")
    return np.array(((parsed - EPOCH) / pd.Timedelta(days=1)).to_numpy(np.float64), np.float64)


def first_row(series: pd.Series, flags: NDArray[np.bool_]) -> int:
    """Number the first marked row as people count: the row under the header of a file is row 1.

    An integer index (what `read_table` gives) still knows that number after rows were taken away.
    """
    position = int(np.argmax(flags))
    integral = pd.api.types.is_integer_dtype(series.index.dtype)
    return int(series.index[position] if integral else position) + 1


def expect(series: pd.Series, families: tuple[str, ...], trained_on: str) -> bool:
    """Check that a column holds what the model was trained on.

    Parameters
    ----------
    series : pandas.Series
        The column.
    families : tuple of str
        The words of `family` that will do.
    trained_on : str
        What to call it in the message, such as ``numbers``.

    Returns
    -------
    bool
        False when the column holds nothing but missing values, else True.

    Raises
    ------
    TableError
        If it holds something else; names the column, what it holds and the first value in the way.
    """
    found = family(series)
    if found == "empty":
        return False
    if found in families:
        return True
    message = f"column {series.name!r} holds {plural(found)}, the model was trained on {trained_on}"
    if found == "text":
        bad = (pd.to_numeric(series, errors="coerce").isna() & series.notna()).to_numpy(bool)
        if bad.any():
            message += f" (the first that is not: {series[bad].iloc[0]!r} at row {first_row(series, bad)})"
    raise TableError(message)
