"""Tables on disk: CSV, TSV and Parquet in, CSV and Parquet out, chosen by the file's suffix."""

import gzip
import os
import warnings
import zlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from cmlp.tabular.errors import TableError

SEPARATORS = {".csv": ",", ".tsv": "\t", ".csv.gz": ",", ".tsv.gz": "\t"}
PARQUET = (".parquet", ".pq")
# What a cell may say for "missing", next to what pandas knows (empty, NA, n/a, nan, null, None, ...).
MISSING = ["?"]


def table_suffix(path: str | os.PathLike[str]) -> str:
    """Find the suffix that says how a table is stored.

    Parameters
    ----------
    path : path-like
        A file name; the file need not exist.

    Returns
    -------
    str
        One of ``.csv``, ``.tsv``, ``.csv.gz``, ``.tsv.gz``, ``.parquet``, ``.pq``.

    Raises
    ------
    TableError
        If the name ends in none of them.

    Examples
    --------
    >>> from cmlp.tabular import table_suffix
    >>> table_suffix("people.CSV.gz")
    '.csv.gz'
    """
    name = Path(path).name.lower()
    known = sorted([*SEPARATORS, *PARQUET], key=len, reverse=True)
    for suffix in known:
        if name.endswith(suffix):
            return suffix
    raise TableError(f"{path}: the suffix does not name a format; use one of {', '.join(sorted(known))}")


def read_table(path: str | os.PathLike[str], text_columns: Iterable[str] = ()) -> pd.DataFrame:
    """Read a table whose first row (CSV, TSV) or schema (Parquet) names the columns.

    A CSV whose header holds one column and a ``;``, a tab or a ``|`` is read with that separator.
    Empty cells, ``NA``, ``nan``, ``null`` and their like, and ``?`` are missing values.

    Parameters
    ----------
    path : path-like
        The file; its suffix says how to read it, see `table_suffix`.
    text_columns : iterable of str
        Columns to read as text whatever they look like (so that ``007`` stays ``007``); CSV and TSV only.

    Returns
    -------
    pandas.DataFrame
        One row a table row, column names as strings, a fresh 0..n-1 index.

    Raises
    ------
    TableError
        If the file is not there, cannot be read, or has no columns, no rows, or two columns of one name.
    """
    suffix = table_suffix(path)
    if not Path(path).is_file():
        raise TableError(f"{path}: there is no such file")
    try:
        frame = pd.read_parquet(path) if suffix in PARQUET else _read_text(path, suffix, text_columns)
    except (OSError, EOFError, zlib.error, ValueError, NotImplementedError) as error:
        raise TableError(f"{path}: cannot be read: {_one_line(error)}") from error
    except pd.errors.ParserWarning as error:
        raise TableError(f"{path}: the first row has more cells than the header has names") from error
    frame = frame.reset_index(drop=True)
    frame.columns = [str(name).strip() for name in frame.columns]
    _check_shape(path, frame)
    return frame


def write_table(frame: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a table in the format of the file's suffix, without an index column.

    Parameters
    ----------
    frame : pandas.DataFrame
        What to write.
    path : path-like
        The file; it is replaced when it is there.

    Raises
    ------
    TableError
        If the suffix is unknown or the file cannot be written.
    """
    suffix = table_suffix(path)
    try:
        if suffix in PARQUET:
            frame.to_parquet(path, index=False)
        else:
            frame.to_csv(path, index=False, sep=SEPARATORS[suffix])
    except OSError as error:
        raise TableError(f"{path}: cannot be written: {_one_line(error)}") from error


def _read_text(path: str | os.PathLike[str], suffix: str, text_columns: Iterable[str]) -> pd.DataFrame:
    separator = _separator(path, suffix)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            path,
            sep=separator,
            na_values=MISSING,
            dtype=dict.fromkeys(text_columns, str),
            skipinitialspace=separator != "\t",
            index_col=False,
            low_memory=False,  # a column's type must not depend on where the reader cut the file
        )


def _separator(path: str | os.PathLike[str], suffix: str) -> str:
    opener = gzip.open if suffix.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        header = file.readline(1 << 20)
    named = SEPARATORS[suffix]
    if named in header:
        return named
    return next((other for other in (";", "\t", "|", ",") if other in header), named)


def _check_shape(path: str | os.PathLike[str], frame: pd.DataFrame) -> None:
    twice = sorted({name for name in frame.columns if list(frame.columns).count(name) > 1})
    if twice:
        raise TableError(f"{path}: two columns are named {twice[0]!r}")
    if not len(frame.columns):
        raise TableError(f"{path}: the table has no columns")
    if not len(frame):
        raise TableError(f"{path}: the table has a header but no rows")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
