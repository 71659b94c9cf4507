"""What happens to the cells that a fitted column cannot read."""

from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from cmlp.tabular.arrow import first_row, kind_of, plural
from cmlp.tabular.errors import TableError, printable

# More unreadable cells than this share are an error, fewer are missing values that are counted.
MOST = 0.5


def check_readable(
    name: str, array: Any, text: Any, values: NDArray[np.float64], wanted: str, remarks: list[str]
) -> None:
    """Count the filled cells that gave no value.

    Parameters
    ----------
    name : str
        The column.
    array, text : pyarrow.Array
        Its cells as they are, and as tidy text without missing words.
    values : numpy.ndarray
        What was read, NaN where nothing, (rows,).
    wanted : str
        What the model was trained on, such as ``numbers``.
    remarks : list of str
        Gets a sentence on the cells that are taken as missing.

    Raises
    ------
    TableError
        If they are more than half of the filled cells; names the first.
    """
    filled = np.asarray(text.is_valid())
    bad = filled & np.isnan(values)
    if not bad.any():
        return
    row = first_row(bad)
    first = f"{printable(text[row - 1])!r} at row {row}"
    if bad.sum() > MOST * filled.sum():
        raise TableError(
            f"column {printable(name)!r} holds {plural(kind_of(array))}, the model was trained on {wanted} "
            f"(the first that is not: {first})"
        )
    many = int(bad.sum())
    remarks.append(f"column {printable(name)!r}: {many} cells are no {wanted} ({first}): taken as missing")


def refuse(name: str, array: Any, wanted: str) -> TableError:
    """The error for a column that holds something else than in training."""
    message = f"column {printable(name)!r} holds {plural(kind_of(array))}, the model was trained on {wanted}"
    filled = pc.drop_null(array)
    return TableError(f"{message} (the first: {printable(filled[0])!r})" if len(filled) else message)
