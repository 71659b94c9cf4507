"""`read_table`: any common file, several files, a folder or the standard input, as one Arrow table."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cmlp.tabular.arrow import as_table
from cmlp.tabular.errors import TableError, listing
from cmlp.tabular.reading.content import load, unpacked
from cmlp.tabular.reading.delimited import read_delimited
from cmlp.tabular.reading.spreadsheets import read_spreadsheet

Path_ = str | os.PathLike[str]
SHEETS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
SEPARATORS = {".tsv": "\t", ".tab": "\t"}


@dataclass(frozen=True)
class Source:
    """A table and how it was read.

    Parameters
    ----------
    table : pyarrow.Table
        The rows; cells of text files are text.
    name : str
        What to call it in messages.
    remarks : list of str
        What is unusual about the files: encoding, separator, skipped lines, renamed columns, mended rows.
    """

    table: pa.Table
    name: str
    remarks: list[str] = field(default_factory=list)


def read_table(*paths: Path_, missing: Iterable[str] = (), sheet: str = "") -> pa.Table:
    r"""Read a table: CSV and the like, Parquet, Feather, ORC, Excel, ODS, JSON; compressed or not.

    Separator, encoding, quotes, titles above the header and a missing header are found; cells of text files
    stay text, since `TableEncoder` infers their type from the complete column.

    Parameters
    ----------
    *paths : path-like
        Files with the same columns, a folder of such files, or ``-`` for the standard input.
    missing : iterable of str
        Words that mean that a cell is missing.
    sheet : str
        The sheet of a spreadsheet; by default the first with a table.

    Returns
    -------
    pyarrow.Table
        One row a table row; column names are unique.

    Raises
    ------
    TableError
        If a file is not there, cannot be read, or has no columns or no rows.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from cmlp.tabular import read_table
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "people.csv"
    >>> _ = file.write_text("name;height\nAnn;1,70\n")
    >>> read_table(file).to_pydict()
    {'name': ['Ann'], 'height': ['1,70']}
    """
    return read_source(*paths, missing=missing, sheet=sheet).table


def read_source(*paths: Path_, missing: Iterable[str] = (), sheet: str = "") -> Source:
    """Read a table as `read_table` does, and say what is unusual about its files.

    Parameters
    ----------
    *paths : path-like
        As in `read_table`.
    missing : iterable of str
        As in `read_table`.
    sheet : str
        As in `read_table`.

    Returns
    -------
    Source
        The table and the remarks.
    """
    files = [file for path in paths for file in _files(path)]
    if not files:
        raise TableError("there is no file to read")
    parts = [_read(file, sheet) for file in files]
    name = str(paths[0]) if len(paths) == 1 else f"{len(files)} files"
    table = _joined([part.table for part in parts], files)
    if not table.column_names:
        raise TableError(f"{name}: the table has no columns")
    if not len(table):
        raise TableError(f"{name}: the table has a header but no rows")
    remarks = [
        remark if len(parts) == 1 else f"{part.name}: {remark}" for part in parts for remark in part.remarks
    ]
    return Source(emptied(table, list(missing)), name, remarks)


def _files(path: Path_) -> list[Path]:
    if str(path) == "-":
        return [Path("-")]
    path = Path(path)
    if path.is_dir():
        return sorted(
            file for file in path.rglob("*") if file.is_file() and not file.name.startswith((".", "_"))
        )
    if not path.is_file():
        near = (
            sorted(other.name for other in path.parent.glob(f"{path.stem}*"))[:3]
            if path.parent.is_dir()
            else []
        )
        raise TableError(f"{path}: there is no such file" + (f" (there is {listing(near)})" if near else ""))
    return [path]


def _read(path: Path, sheet: str) -> Source:
    name = str(path)
    try:
        data = _stdin() if name == "-" else b""
        suffix = suffix_of(path)
        if suffix in COLUMNAR:
            return Source(as_table(COLUMNAR[suffix](path)), name)
        data = data or load(path)
        table, remarks = _decode(data, name, suffix, sheet)
        return Source(as_table(table), name, remarks)
    except (OSError, pa.ArrowException) as error:
        raise TableError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error


def _stdin() -> bytes:
    """What comes through the pipe, decompressed."""
    data = sys.stdin.buffer.read()
    if not data:
        raise TableError("-: nothing came through the pipe")
    return unpacked(data, "-")


def suffix_of(path: Path) -> str:
    """The suffix that names a format, without that of a compressed file."""
    parts = [
        part.lower()
        for part in path.suffixes
        if part.lower() not in (".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip")
    ]
    return parts[-1] if parts else ""


def _decode(data: bytes, name: str, suffix: str, sheet: str) -> tuple[Any, list[str]]:
    if suffix in SHEETS or data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return read_spreadsheet(data, name, sheet)
    if data.startswith(b"PAR1"):
        return _parquet(io.BytesIO(data)), []
    start = data[:100].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if suffix in (".json", ".jsonl", ".ndjson") or (
        start in b"{[" and start and suffix not in (".csv", ".tsv")
    ):
        return _json(data, name), []
    return read_delimited(data, name, separator_of(suffix))


def separator_of(suffix: str) -> str:
    """The separator that a suffix names; nothing when it names none."""
    return SEPARATORS.get(suffix, "")


def _parquet(source: Any) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(source)


def _feather(path: Path) -> Any:
    import pyarrow.feather as feather

    return feather.read_table(path)


def _orc(path: Path) -> Any:
    import pyarrow.orc as orc

    return orc.read_table(path)


COLUMNAR: dict[str, Callable[[Path], Any]] = {
    ".parquet": _parquet,
    ".pq": _parquet,
    ".feather": _feather,
    ".arrow": _feather,
    ".orc": _orc,
}


def _json(data: bytes, name: str) -> Any:
    """Rows as JSON objects, one a line or in an array; nested objects become ``a.b``."""
    try:
        text = data.decode("utf-8-sig")
        try:
            found = json.loads(text)
        except json.JSONDecodeError:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, UnicodeDecodeError) as error:
        raise TableError(f"{name}: cannot be read as JSON: {error}") from error
    if isinstance(found, dict):
        rows = next((value for value in found.values() if _is_rows(value)), None)
        found = rows if rows is not None else [found] if not _is_columns(found) else found
    if not isinstance(found, dict) and not _is_rows(found):
        raise TableError(f"{name}: the JSON holds no rows: an array of objects, or one object a line")
    return found if isinstance(found, dict) else [_flat(row) for row in found]


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _is_columns(value: dict[str, Any]) -> bool:
    return all(isinstance(cells, list) for cells in value.values())


def _flat(row: dict[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        flat |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
    return flat


def _joined(tables: list[pa.Table], files: list[Path]) -> pa.Table:
    first = tables[0]
    for table, file in zip(tables[1:], files[1:], strict=True):
        lacking = [name for name in first.column_names if name not in table.column_names]
        if lacking:
            raise TableError(f"{file}: lacks the columns {listing(lacking)} of {files[0]}")
    if len(tables) == 1:
        return first
    return pa.concat_tables(
        [table.select(first.column_names) for table in tables], promote_options="permissive"
    )


def emptied(table: pa.Table, words: list[str]) -> pa.Table:
    """Take cells that say one of the words as missing."""
    for k, column in enumerate(table.columns if words else []):
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            trimmed = pc.utf8_trim_whitespace(column)
            gone = pc.is_in(trimmed, pa.array(words, column.type))
            table = table.set_column(k, table.column_names[k], pc.if_else(gone, None, column))
    return table
