"""Any table as Arrow columns: pandas, polars, Arrow, dictionaries, arrays; one kind of content each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cmlp.tabular.errors import TableError, printable

# Tests on an Arrow type, and the word for what such a column holds.
KINDS: tuple[tuple[Any, str], ...] = (
    (pa.types.is_null, "empty"),
    (pa.types.is_boolean, "boolean"),
    (lambda t: pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_decimal(t), "number"),
    (lambda t: pa.types.is_string(t) or pa.types.is_large_string(t), "text"),
    (lambda t: pa.types.is_date(t) or pa.types.is_timestamp(t), "date"),
    (pa.types.is_time, "time"),
    (pa.types.is_duration, "duration"),
)
PLURALS = {"number": "numbers", "boolean": "true/false values", "date": "dates", "duration": "durations"}


def as_table(data: Any) -> pa.Table:
    """Turn a table of any kind into Arrow columns, without a copy where the memory allows.

    Parameters
    ----------
    data : table-like
        A pandas or polars frame, an Arrow table or anything with ``__arrow_c_stream__``, a dictionary of
        columns or of one row's values, a list of such rows, or an array (rows, columns).

    Returns
    -------
    pyarrow.Table
        Its columns, each of them one of the kinds of `kind_of`; names are text and unique.

    Raises
    ------
    TableError
        If it is no table.
    """
    names, columns = _columns(data)
    rows = {len(column) for column in columns}
    if len(rows) > 1:
        raise TableError(f"the columns have different lengths: {', '.join(map(str, sorted(rows)))}")
    table = pa.table([simple(column) for column in columns], unique_names(names))
    while any(pa.types.is_struct(kind) for kind in table.schema.types):
        table = table.flatten()  # a struct a with a field b becomes the column a.b
        table = pa.table([simple(column) for column in table.columns], unique_names(table.column_names))
    return table


def _columns(data: Any) -> tuple[list[str], list[Any]]:
    if hasattr(data, "tocsr"):
        raise TypeError("sparse data are not supported: a table has a cell in each row; use .toarray()")
    if isinstance(data, Mapping):
        scalars = all(isinstance(v, str) or not hasattr(v, "__len__") for v in data.values())
        return list(data), [arrow_column([v] if scalars else v) for v in data.values()]
    if hasattr(data, "iloc") and hasattr(data, "columns"):  # pandas: by position, since names may repeat
        return list(data.columns), [arrow_column(data.iloc[:, k]) for k in range(data.shape[1])]
    if hasattr(data, "iloc") and hasattr(data, "index"):  # one row of a pandas frame
        return list(data.index), [arrow_column([value]) for value in data]
    if isinstance(data, pa.RecordBatch | pa.Table) or hasattr(data, "__arrow_c_stream__"):
        table = pa.table(data)
        return table.column_names, table.columns
    if isinstance(data, Sequence) and data and all(isinstance(row, Mapping) for row in data):
        names = list(dict.fromkeys(name for row in data for name in row))
        return names, [arrow_column([row.get(name) for row in data]) for name in names]
    array = np.asarray(data)
    if array.ndim != 2:
        raise TableError(
            f"a table has rows and columns; got {type(data).__name__} of shape {array.shape}. "
            "Reshape your data with array.reshape(-1, 1) for one column, array.reshape(1, -1) for one row"
        )
    if array.dtype.kind == "c":
        raise TableError("Complex data not supported: a table holds numbers, text and dates")
    return [f"x{k}" for k in range(array.shape[1])], [
        arrow_column(array[:, k]) for k in range(array.shape[1])
    ]


def arrow_column(values: Any) -> Any:
    """Turn a sequence of values into an Arrow array; values of several types become text."""
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        cells = list(values)
        if any(isinstance(v, complex | np.complexfloating) for v in cells):
            return pa.array([b""] * len(cells))
        missing = [v is None or (isinstance(v, float) and v != v) for v in cells]
        return pa.array([None if gap else str(v) for gap, v in zip(missing, cells, strict=True)], pa.string())


def simple(column: Any) -> Any:
    """One Arrow array without chunks; lists of values as text ``a|b``, dictionaries as their values."""
    array = column
    if isinstance(column, pa.ChunkedArray):
        chunks = column.chunks or [pa.array([], column.type)]
        array = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_string_view(array.type):
        array = array.cast(pa.large_string())
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        texts = [None if v is None else "|".join(map(str, v)) for v in array.to_pylist()]
        array = pa.array(texts, pa.string())
    return array


def unique_names(names: Iterable[Any]) -> list[str]:
    """Names as trimmed text; blank ones are called ``unnamed``, repeated ones get a number.

    Examples
    --------
    >>> from cmlp.tabular.arrow import unique_names
    >>> unique_names(["x", " x", "", None])
    ['x', 'x 2', 'unnamed', 'unnamed 2']
    """
    found: list[str] = []
    taken: set[str] = set()
    for name in names:
        base = "" if name is None else str(name).strip()
        base, count = base or "unnamed", 1
        text = base
        while text in taken:
            count += 1
            text = f"{base} {count}"
        taken.add(text)
        found.append(text)
    return found


def kind_of(array: Any) -> str:
    """What an Arrow column holds: number, boolean, text, date, time, duration, empty, or Arrow's own word."""
    if array.null_count == len(array):
        return "empty"
    return next((word for test, word in KINDS if test(array.type)), str(array.type))


def plural(kind: str) -> str:
    """`kind_of`'s word as a message says it: "holds numbers", "holds text"."""
    return PLURALS.get(kind, kind)


def to_numpy(array: Any, name: str) -> NDArray[np.float64]:
    """Values of a number, boolean, duration or time column, NaN where missing; times in seconds.

    Raises
    ------
    TableError
        If a value is infinite; names the column and the row.
    """
    kind = array.type
    if pa.types.is_duration(kind) or pa.types.is_time(kind):
        unit = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
        integral = pa.int32() if kind.bit_width == 32 else pa.int64()
        return np.asarray(
            array.cast(integral).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False) / unit
        )
    if pa.types.is_boolean(kind):
        array = array.cast(pa.uint8())
    if not pa.types.is_float64(array.type):
        array = array.cast(pa.float64(), safe=False)
    values = np.asarray(array.to_numpy(zero_copy_only=False), np.float64)
    if np.isinf(values).any():
        row = int(np.argmax(np.isinf(values)))
        raise TableError(
            f"column {printable(name)!r} holds {values[row]} at row {row + 1}; numbers must be finite "
            "(an empty cell is a missing value)"
        )
    return values


def tidy(array: Any) -> Any:
    """Text without blanks at its ends; empty cells are missing."""
    text = pc.utf8_trim_whitespace(array)
    empty = pc.equal(text, "")
    return pc.if_else(empty, pa.scalar(None, text.type), text) if pc.any(empty).as_py() else text


def as_text(array: Any) -> Any:
    """Cells as tidy text: what a CSV file says (3, not 3.0, in a column of integers)."""
    kind = kind_of(array)
    if kind == "text":
        return tidy(array)
    if pa.types.is_floating(array.type):
        values = np.asarray(array.cast(pa.float64()).to_numpy(zero_copy_only=False))
        integral = np.isfinite(values) & (values == np.round(values)) & (np.abs(values) < 2**53)
        if (integral | np.isnan(values)).all():
            array = pa.array(np.where(integral, values, 0).astype(np.int64), mask=~integral)
    try:
        return array.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([None if v is None else str(v) for v in array.to_pylist()], pa.string())


def keys(array: Any) -> Any:
    """What makes two cells the same category: their text without regard to case and blanks."""
    text = as_text(array)
    distinct = text.dictionary_encode()
    folded = pc.replace_substring_regex(pc.utf8_lower(distinct.dictionary), r"\s+", " ")
    return folded.take(distinct.indices)


def first_row(flags: NDArray[np.bool_]) -> int:
    """Number of the first marked row as people count: the row under the header is row 1."""
    return int(np.argmax(flags)) + 1
