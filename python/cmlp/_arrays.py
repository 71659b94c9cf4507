"""Arrays of numbers from data frames with columns of several kinds, objects and missing values.

The one conversion of all entries: the bindings call it for what is not an array of numbers.
"""

from __future__ import annotations

from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_EXACT = 2**53  # integers up to here are exact in float64


def as_numbers(given: Any, what: str) -> Array:
    """Return an array of real numbers, NaN where a value is missing.

    Parameters
    ----------
    given : array-like
        An array, a list, a pandas, polars or Arrow table or column.
    what : str
        What begins the messages: "fit: x".

    Raises
    ------
    ValueError
        For text, dates and other values that are no numbers, naming the column of a table.
    """
    if given is None:
        raise ValueError(f"{what} is None, it must hold real numbers")
    array = np.asarray(given)
    if array.dtype.kind in "fiub":
        return array
    if array.ndim == 0:
        raise ValueError(f"{what} is {given!r}, it must hold real numbers")
    columns = _columns(given)
    if columns is None:
        return _converted(array, given, what)
    names, parts = columns
    converted = [
        _converted(np.asarray(part), part, f"{what}: column {n!r}")
        for n, part in zip(names, parts, strict=True)
    ]
    return _stacked(converted, what)


def check_range(given: Array, converted: Array, what: str) -> None:
    """Refuse finite numbers that have become infinite.

    Raises
    ------
    ValueError
        Naming the first of them.
    """
    lost = np.isinf(converted) & np.isfinite(given)
    if lost.any():
        at = tuple(int(i) for i in np.argwhere(lost)[0])
        place = f"row {at[0]}" + (f", column {at[1]}" if len(at) > 1 else "")
        raise ValueError(f"{what} has {given[at]:.6g} at {place}, which is too large for {converted.dtype}")


def _columns(given: Any) -> tuple[list[Any], list[Any]] | None:
    """Return the names and the columns of a table, None for anything else."""
    if hasattr(given, "iloc") and hasattr(given, "columns"):  # pandas
        return list(given.columns), [given.iloc[:, i] for i in range(given.shape[1])]
    if hasattr(given, "get_columns"):  # polars
        return list(given.columns), given.get_columns()
    if hasattr(given, "column_names"):  # Arrow
        return list(given.column_names), [given.column(i) for i in range(given.num_columns)]
    return None


def _stacked(columns: list[Array], what: str) -> Array:
    dtype = np.result_type(*columns)
    if dtype.kind == "f":
        for column in columns:
            _check_exact(column, what)
    return np.stack([column.astype(dtype) for column in columns], axis=1)


def _converted(array: Array, given: Any, what: str) -> Array:
    """Return an array of objects as numbers."""
    if array.dtype.kind in "fiub":
        return array
    if array.dtype.kind != "O":
        raise ValueError(f"{what} has dtype {array.dtype}, it must hold real numbers")
    missing = _missing(array, given)
    values = [value if isinstance(value, Real | Decimal) else None for value in array[~missing].tolist()]
    if None in values:
        at = tuple(int(i) for i in np.argwhere(~missing)[values.index(None)])
        raise ValueError(
            f"{what} has dtype object, it must hold real numbers: {array[at]!r} is at row {at[0]}"
        )
    known = np.array([float(v) if isinstance(v, Decimal) else v for v in values] or [0.0])
    if known.dtype.kind not in "fiub":
        known = known.astype(float)
    if missing.any():
        _check_exact(known, what)
        known = known.astype(float)
    numbers = np.full(array.shape, np.nan) if missing.any() else np.empty(array.shape, known.dtype)
    numbers[~missing] = known[: len(values)]
    return numbers


def _missing(array: Array, given: Any) -> npt.NDArray[np.bool_]:
    """Return where there is None, NaN or pandas' NA."""
    if hasattr(given, "isna"):
        return np.asarray(given.isna(), bool).reshape(array.shape)
    flat = [
        value is None or type(value).__name__ == "NAType" or value is np.ma.masked or _is_nan(value)
        for value in array.ravel().tolist()
    ]
    return np.array(flat, bool).reshape(array.shape)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


def _check_exact(column: Array, what: str) -> None:
    """Refuse integers that float64 would round."""
    if column.dtype.kind in "iu" and column.dtype.itemsize == 8 and column.size:
        largest = max(int(column.max()), -int(column.min()))
        if largest > _EXACT:
            raise ValueError(
                f"{what} has {largest}, beside values that need float64, which is exact up to 2^53"
            )
