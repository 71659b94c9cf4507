"""Tables to disk: CSV, TSV and Parquet, chosen by the file's suffix."""

import io
import os
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from cmlp.tabular.arrow import as_table
from cmlp.tabular.errors import TableError

SEPARATORS = {".csv": ",", ".tsv": "\t", ".csv.gz": ",", ".tsv.gz": "\t"}
PARQUET = (".parquet", ".pq")


def table_suffix(path: str | os.PathLike[str]) -> str:
    """Find the suffix that says how a table is written.

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
    raise TableError(
        f"{path}: the suffix does not name a format to write; use one of {', '.join(sorted(known))}"
    )


def csv_text(table: pa.Table, separator: str = ",", header: bool = True) -> bytes:
    """A table as the bytes of a CSV file; text is quoted where it must be."""
    names = separator.join(map(_quoted, table.column_names)).encode() + b"\n"
    return (names if header else b"") + _rows(table, separator)


def _rows(table: pa.Table, separator: str) -> bytes:
    for style in ("none", "needed"):  # "needed" quotes every text, "none" refuses those that need quotes
        out = io.BytesIO()
        options = pacsv.WriteOptions(include_header=False, delimiter=separator, quoting_style=style)
        try:
            pacsv.write_csv(table, out, options)
        except pa.ArrowInvalid:
            if style == "needed":
                raise
            continue
        break
    return out.getvalue()


def _quoted(name: str) -> str:
    quote = any(mark in name for mark in '",;\t\n\r')
    return '"' + name.replace('"', '""') + '"' if quote else name


class TableWriter:
    """Writes pieces of a table one after the other; without a path to the standard output, as CSV.

    Parameters
    ----------
    path : path-like or None
        The file, replaced when it is there; its suffix names the format.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._path = path
        self._suffix = ".csv" if path is None else table_suffix(path)
        self._file: Any = None
        self._parquet: Any = None

    def __enter__(self) -> "TableWriter":
        return self

    def __exit__(self, *error: object) -> None:
        if self._parquet is not None:
            self._parquet.close()
        if self._file is not None and self._path is not None:
            self._file.close()

    def write(self, table: pa.Table) -> None:
        """Write the next rows."""
        if self._suffix in PARQUET:
            self._parquet = self._parquet or pq.ParquetWriter(self._path, table.schema)
            self._parquet.write_table(table)
            return
        header = self._file is None
        self._file = self._file or self._open()
        text = csv_text(table, SEPARATORS[self._suffix], header)
        if self._path is None:
            self._file.write(text.decode())
        else:
            self._file.write(text)

    def _open(self) -> Any:
        if self._path is None:
            return sys.stdout
        packed = "gzip" if self._suffix.endswith(".gz") else None
        return pa.output_stream(os.fspath(self._path), compression=packed)


def write_table(table: Any, path: str | os.PathLike[str]) -> None:
    """Write a table in the format of the file's suffix, without an index column.

    Parameters
    ----------
    table : table-like
        What to write: an Arrow table, a pandas or polars frame, a dictionary of columns.
    path : path-like
        The file; it is replaced when it is there.

    Raises
    ------
    TableError
        If the suffix is unknown or the file cannot be written.
    """
    try:
        with TableWriter(path) as writer:
            writer.write(as_table(table))
    except OSError as error:
        raise TableError(f"{path}: cannot be written: {' '.join(str(error).split())}") from error
