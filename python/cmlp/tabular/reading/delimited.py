"""Text files with a separator, read by Arrow; cells stay text, since the encoder reads complete columns."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv as pacsv

from cmlp.tabular.errors import TableError
from cmlp.tabular.reading.content import SAMPLE, to_utf8
from cmlp.tabular.reading.dialect import Dialect, find_dialect

SHOWN = 5


class BadRow(NamedTuple):
    """A row with more or fewer cells than the header: its number among all rows, and its text."""

    number: int
    text: str


def read_delimited(data: bytes, name: str, separator: str = "") -> tuple[pa.Table, list[str]]:
    """Read a table from the bytes of a text file.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        What to call it in messages.
    separator : str
        The separator when the user names one.

    Returns
    -------
    pyarrow.Table
        Cells as text, empty cells empty.
    list of str
        What is unusual about the file.
    """
    data, encoding = to_utf8(data)
    if not data.strip():
        raise TableError(f"{name}: the file is empty")
    if b"\x00" in data[:SAMPLE]:
        raise TableError(f"{name}: this is no text file and no table format that cmlp knows")
    dialect = find_dialect(sample_text(data, len(data) > SAMPLE), separator)
    table, bad = _parse(data, name, dialect)
    remarks = [f"the encoding is {encoding}"] if encoding != "utf-8" else []
    remarks += dialect.remarks
    return _mended(table, bad, name, dialect, remarks), remarks


def sample_text(data: bytes, cut: bool, errors: str = "replace") -> str:
    """The first megabyte of a text, up to its last full line when it is cut."""
    part = data[:SAMPLE]
    if cut:
        part = part[: part.rfind(b"\n") + 1] or part
    return part.decode("utf-8", errors)


def _parse(data: bytes, name: str, dialect: Dialect) -> tuple[pa.Table, list[BadRow]]:
    bad: list[BadRow] = []

    def keep(row: Any) -> str:
        bad.append(BadRow(row.number, row.text))
        return "skip"

    kind = pa.large_string() if len(data) > 1 << 30 else pa.string()
    block = max(1 << 20, min(len(data), 1 << 26))
    try:
        table = pacsv.read_csv(
            pa.BufferReader(data), **csv_options(dialect, kind, keep, block, quoted=b'"' in data)
        )
    except pa.ArrowInvalid as error:
        raise TableError(f"{name}: cannot be read: {' '.join(str(error).split())}") from error
    return table, bad


def csv_options(
    dialect: Dialect, kind: Any, handler: Callable[[Any], str], block: int, quoted: bool = True
) -> dict[str, Any]:
    """How Arrow reads text of a layout, all at once or in pieces; `handler` gets rows of another width."""
    names = list(dialect.names)
    return {
        "read_options": pacsv.ReadOptions(
            # Threads would lose the number of a bad row.
            use_threads=False,
            skip_rows=dialect.skipped,
            column_names=names,
            block_size=block,
        ),
        "parse_options": pacsv.ParseOptions(
            delimiter=dialect.separator,
            newlines_in_values=quoted,
            ignore_empty_lines=len(names) > 1,
            invalid_row_handler=handler,
        ),
        "convert_options": pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, kind), strings_can_be_null=False
        ),
    }


def read_pieces(path: Path, dialect: Dialect, block: int) -> Iterator[tuple[pa.Table, list[str]]]:
    """Read UTF-8 text a piece at a time with the rules of `read_delimited`: tables and remarks."""
    bad: list[BadRow] = []

    def keep(row: Any) -> str:
        bad.append(BadRow(row.number, row.text))
        return "skip"

    start = dialect.skipped + 1
    try:
        for batch in pacsv.open_csv(path, **csv_options(dialect, pa.string(), keep, block)):
            table, mine = pa.Table.from_batches([batch]), list[BadRow]()
            while bad and bad[0].number <= start + len(table) + len(mine):
                mine.append(bad.pop(0))
            remarks: list[str] = []
            yield _mended(table, mine, str(path), dialect, remarks, start), remarks
            start += len(table) + len(mine)
        if bad:
            remarks = []
            yield _mended(table[:0], bad, str(path), dialect, remarks, start), remarks
    except pa.ArrowInvalid as error:
        raise TableError(f"{path}: cannot be read in pieces: {' '.join(str(error).split())}") from error


def _mended(
    table: pa.Table, bad: list[BadRow], name: str, dialect: Dialect, remarks: list[str], start: int = 0
) -> pa.Table:
    """Put back rows that only lack cells at their end, or have blank ones too many; refuse the others.

    `start` is the number of the table's first row as Arrow counts, by default that of the first row of data.
    """
    if not bad:
        return table
    width, first = len(dialect.names), bad[0]
    cells = [next(csv.reader([row.text], delimiter=dialect.separator), []) for row in bad]
    for row, found in zip(bad, cells, strict=True):
        if any(cell.strip() for cell in found[width:]):
            raise TableError(
                f"{name}: line {row.number} has {len(found)} cells, the header has {width}: "
                f"{row.text[:60]!r}; mend the line (a text that holds the separator needs quotes)"
            )
    rows = [(found + [""] * width)[:width] for found in cells]
    kind = table.schema.field(0).type
    mended = pa.table([pa.array(column, kind) for column in zip(*rows, strict=True)], list(dialect.names))
    places = {row.number - (start or dialect.skipped + 1) for row in bad}
    order, good, back = [], iter(range(len(table))), iter(range(len(table), len(table) + len(rows)))
    for place in range(len(table) + len(rows)):
        order.append(next(back) if place in places else next(good))
    remarks.append(
        f"{len(bad)} rows have fewer cells than the header or blank ones too many (the first is "
        f"line {first.number}): what they lack is missing"
    )
    return pa.concat_tables([table, mended]).take(order)
