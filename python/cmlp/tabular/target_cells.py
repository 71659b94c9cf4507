"""The cells of a target column: numbers, booleans or text, and the labels they make."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cmlp.tabular import numbers
from cmlp.tabular.arrow import arrow_column, first_row, keys, kind_of, plural, tidy, to_numpy
from cmlp.tabular.errors import TableError, listing, printable
from cmlp.tabular.words import WORDS, missing_signs, missing_words

# Integers with more distinct values than this are a quantity, not classes.
MAX_INTEGER_CLASSES = 20

Label = str | bool | int | float


@dataclass(frozen=True)
class TargetCells:
    """The cells of a target column.

    Parameters
    ----------
    array : pyarrow.Array
        Numbers, booleans or tidy text, null where the target is missing, (rows,).
    format : NumberFormat or None
        How text writes the numbers.
    remarks : tuple of str
        What is doubtful about the reading.
    """

    array: Any
    format: numbers.NumberFormat | None = None
    remarks: tuple[str, ...] = ()


def target_column(y: Any) -> Any:
    """The cells of a target, given as `fit` takes it, as Arrow has them."""
    y = _one_column(y)
    if isinstance(y, pa.Array | pa.ChunkedArray):
        return y
    return arrow_column(np.asarray(y) if isinstance(y, list) else y)


def _one_column(y: Any) -> Any:
    """A target without a second axis."""
    if isinstance(y, pa.Array | pa.ChunkedArray) or (hasattr(y, "dtype") and not hasattr(y, "ndim")):
        return y
    if getattr(y, "ndim", 0) == 1 and hasattr(y, "iloc"):
        return y
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        from sklearn.exceptions import DataConversionWarning

        warnings.warn(
            "A column-vector y was passed when a 1d array was expected; it is taken as y.ravel()",
            DataConversionWarning,
            stacklevel=3,
        )
        return array.ravel()
    if array.ndim != 1:
        raise TableError(f"the target is one column; got shape {array.shape}")
    return array


def read_target(name: str, array: Any, decimal: str = "") -> TargetCells:
    """Read a target column: text that says numbers or true/false becomes them.

    Parameters
    ----------
    name : str
        The column.
    array : pyarrow.Array
        Its cells.
    decimal : str
        The decimal mark of the rest of the table.

    Returns
    -------
    TargetCells
        Its values.

    Raises
    ------
    TableError
        If it holds dates, durations or what cannot be predicted.
    """
    kind = kind_of(array)
    if kind in ("number", "boolean", "empty"):
        return TargetCells(_without_nan(array))
    if kind != "text":
        raise TableError(f"target {printable(name)!r} holds {plural(kind)}; it takes classes or numbers")
    text = missing_signs(tidy(array))
    plain = missing_words(text)
    if plain.null_count < len(plain):
        if pc.all(pc.is_in(pc.utf8_lower(plain), pa.array(["true", "false", None], plain.type))).as_py():
            return TargetCells(pc.equal(pc.utf8_lower(plain), "true"))
        if (found := _read_numbers(name, plain, decimal)) is not None:
            return found
    return TargetCells(text, None, _word_remarks(name, text))


def _without_nan(array: Any) -> Any:
    if not pa.types.is_floating(array.type):
        return array
    return pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)


def _read_numbers(name: str, text: Any, decimal: str) -> TargetCells | None:
    filled = text.drop_null()
    if pc.all(pc.match_substring_regex(filled, "^[-+]?[0-9]+$")).as_py():
        if pc.any(pc.match_substring_regex(filled, "^[-+]?0[0-9]")).as_py():
            return None  # leading zeros: codes
        try:
            return TargetCells(pc.cast(text, pa.int64()))
        except pa.ArrowInvalid:
            return (
                None
                if len(filled.unique()) <= MAX_INTEGER_CLASSES
                else TargetCells(pc.cast(text, pa.float64()))
            )
    read = numbers.read_numbers(text, decimal)
    if read is None:
        return None
    values = read.values
    stray = np.asarray(text.is_valid()) & np.isnan(values)
    remarks: tuple[str, ...] = ()
    if stray.any():
        where = f"{printable(text[first_row(stray) - 1])!r} at row {first_row(stray)}"
        remarks = (
            f"target {printable(name)!r}: {int(stray.sum())} cells are no numbers ({where}): rows left out",
        )
    return TargetCells(pa.array(values, mask=np.isnan(values)), read.format, remarks)


def _word_remarks(name: str, text: Any) -> tuple[str, ...]:
    found = pc.unique(text.filter(pc.is_in(pc.utf8_lower(text), pa.array(WORDS, text.type)))).to_pylist()
    words = " ".join(f"--missing {printable(word)}" for word in found[:3])
    return (
        (f"target {printable(name)!r}: {listing(found)} is a class; {words} leaves such rows out",)
        if found
        else ()
    )


def choose_task(cells: TargetCells) -> str:
    """Choose the task when nobody says.

    Text and booleans, and integers with at most `MAX_INTEGER_CLASSES` distinct values, make a
    classification; every other column of numbers makes a regression.

    Parameters
    ----------
    cells : TargetCells
        The target.

    Returns
    -------
    str
        ``classification`` or ``regression``.
    """
    if kind_of(cells.array) != "number":
        return "classification"
    distinct = cells.array.drop_null().unique()
    if len(distinct) > MAX_INTEGER_CLASSES:
        return "regression"
    values = to_numpy(distinct, "target")
    return "classification" if bool((values == np.round(values)).all()) else "regression"


def classes_of(name: str, cells: TargetCells) -> tuple[Label, ...]:
    """The labels of a target in sorted order, or an error that says why they are no classes."""
    kind, filled = kind_of(cells.array), cells.array.drop_null()
    if kind not in ("text", "boolean", "number"):
        raise TableError(f"target {printable(name)!r} holds {plural(kind)}; it takes classes or numbers")
    if kind == "number":
        to_numpy(cells.array, name)  # refuses infinity
    found = _labels(filled)
    if any(isinstance(v, float) for v in found) and len(found) > MAX_INTEGER_CLASSES:
        raise TableError(
            f"Unknown label type: target {printable(name)!r} is continuous "
            f"({len(found)} distinct numbers); a regression predicts it"
        )
    if len(found) == 1:
        raise TableError(f"target {printable(name)!r} has one class only ({found[0]!r}): nothing to learn")
    if len(found) > max(MAX_INTEGER_CLASSES, len(filled) // 2):
        counts = f"{len(found)} distinct values in {len(filled)} rows"
        raise TableError(f"target {printable(name)!r} has {counts}: too many for classes{first_text(cells)}")
    return found


def _labels(filled: Any) -> tuple[Label, ...]:
    if kind_of(filled) != "text":
        found = set(filled.unique().to_pylist())
        integral = all(isinstance(v, float) and v.is_integer() and abs(v) < 2**53 for v in found)
        return tuple(sorted(int(v) for v in found) if integral else sorted(found))
    spellings = pc.value_counts(filled).to_pylist()
    best: dict[str, tuple[int, str]] = {}
    folded = keys(pa.array([pair["values"] for pair in spellings])).to_pylist()
    for key, pair in zip(folded, spellings, strict=True):
        best[key] = min(best.get(key, (0, "")), (-pair["counts"], pair["values"]))
    return tuple(sorted(label for _, label in best.values()))


def first_text(cells: TargetCells) -> str:
    """Name the first cell of a text column that is no number, and how many are numbers, for an error."""
    if kind_of(cells.array) != "text":
        return ""
    values = numbers.best_format(cells.array).parse(cells.array)
    bad = np.asarray(cells.array.is_valid()) & np.isnan(values)
    if not bad.any():
        return ""
    row, good = first_row(bad), int(np.isfinite(values).sum())
    share = f"{good} cells are numbers, " if good else ""
    return f" ({share}the first that is not: {printable(cells.array[row - 1])!r} at row {row})"
