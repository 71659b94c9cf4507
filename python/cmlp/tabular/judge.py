"""Which kind of column a column is, when it is left out, and how one is stored."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cmlp.tabular import values
from cmlp.tabular.columns import MAX_CATEGORIES, CategoryColumn, NumericColumn
from cmlp.tabular.dates import DateColumn
from cmlp.tabular.errors import TableError

# Fewer numbers than this may well be in a row by chance.
MIN_ROWS_TO_COUNT = 20

Column = NumericColumn | CategoryColumn | DateColumn


def learn_column(
    series: pd.Series, rows: NDArray[np.bool_], categorical: bool
) -> tuple[str, Column | None, str]:
    """Judge one column.

    Parameters
    ----------
    series : pandas.Series
        The column, (rows,).
    rows : numpy.ndarray
        Boolean, (rows,): the training rows.
    categorical : bool
        Treat numbers as codes.

    Returns
    -------
    kind : str
        What it holds, in a word.
    column : Column or None
        What to do with it; None to leave it out.
    reason : str
        Why it is left out.
    """
    name, what = str(series.name), values.family(series)
    column: Column | None
    if what == "date" or (what == "text" and values.is_iso_text(series)):
        what, column = "date", DateColumn.learn(name, values.days(series)[rows])
    elif what == "number" and (categorical or isinstance(series.dtype, pd.CategoricalDtype)):
        what, column = "category", CategoryColumn.learn(name, "number", values.numbers(series)[rows])
    elif what == "number" and counts_rows(series):
        return what, None, "left out: it counts the rows"
    elif what in ("number", "boolean", "duration"):
        column = NumericColumn.learn(name, what, values.numbers(series)[rows])
    elif what == "text":
        distinct, filled = int(series[rows].nunique()), int(series[rows].count())
        if not categorical and distinct > MAX_CATEGORIES and distinct > filled // 2:
            return what, None, f"left out: {distinct} distinct values in {filled} rows"
        column = CategoryColumn.learn(name, "text", values.texts(series)[rows])
    elif what == "empty":
        return what, None, "left out: no values"
    else:
        return what, None, "left out: holds neither numbers, text nor dates"
    return what, column, "left out: the same in every training row"


def counts_rows(series: pd.Series) -> bool:
    """Whether a column of numbers is the row number, plus a constant: it says nothing of other tables."""
    if len(series) < MIN_ROWS_TO_COUNT or not pd.api.types.is_integer_dtype(series.index.dtype):
        return False
    return bool(np.ptp(values.numbers(series) - series.index.to_numpy(np.float64)) == 0)


def column_to_dict(column: Column) -> dict[str, Any]:
    """Give the JSON form of a column."""
    return {"kind": column.kind, **asdict(column)}


def column_from_dict(data: dict[str, Any]) -> Column:
    """Read the JSON form of a column; TypeError, KeyError or TableError when it is damaged."""
    fields = dict(data)
    kind = fields.pop("kind")
    if kind == "numeric":
        return NumericColumn(**fields)
    if kind == "category":
        return CategoryColumn(**{**fields, "categories": tuple(fields["categories"])})
    if kind == "date":
        return DateColumn(fields["name"], tuple(NumericColumn(**part) for part in fields["parts"]))
    raise TableError(f"unknown kind of column {kind!r}")
