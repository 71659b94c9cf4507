"""Spreadsheets (Excel and ODS), read by python-calamine; titles above the table are skipped."""

import io
from collections import Counter
from typing import Any

import pyarrow as pa

from cmlp.tabular.arrow import arrow_column, unique_names
from cmlp.tabular.errors import TableError, listing, printable


def read_spreadsheet(data: bytes, name: str, sheet: str = "") -> tuple[pa.Table, list[str]]:
    """Read one sheet.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        What to call it in messages.
    sheet : str
        The sheet; by default the first that holds a table.

    Returns
    -------
    pyarrow.Table
        The cells with their own types.
    list of str
        What is unusual about the file.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    except CalamineError as error:
        raise TableError(f"{name}: cannot be read: {printable(error)}") from error
    if sheet and sheet not in book.sheet_names:
        raise TableError(f"{name}: there is no sheet {sheet!r}; the sheets are {listing(book.sheet_names)}")
    chosen, rows = sheet, _rows(book, sheet) if sheet else []
    if not sheet:
        filled = [(title, _rows(book, title)) for title in book.sheet_names]
        chosen, rows = next(((title, found) for title, found in filled if len(found) > 1), filled[0])
    if len(rows) < 2:
        raise TableError(f"{name}: sheet {printable(chosen)!r} has no rows under a header")
    others = [title for title in book.sheet_names if title != chosen]
    remarks = (
        [f"sheet {printable(chosen)!r} is read; --sheet takes another of {listing(others)}"] if others else []
    )
    return _table(rows, remarks), remarks


def _rows(book: Any, title: str) -> list[list[Any]]:
    rows = book.get_sheet_by_name(title).to_python()
    return [row for row in rows if any(cell != "" for cell in row)]


def _table(rows: list[list[Any]], remarks: list[str]) -> pa.Table:
    sizes = [sum(cell != "" for cell in row) for row in rows]
    common = Counter(sizes[:100]).most_common(1)[0][0]
    top = next(k for k, size in enumerate(sizes) if size >= max(1, 0.6 * common))
    if top:
        remarks.append(f"{top} rows above the table are skipped")
    used = [k for k in range(len(rows[top])) if any(row[k] != "" for row in rows[top:])]
    names = unique_names(rows[top][k] for k in used)
    return pa.table([_column([row[k] for row in rows[top + 1 :]]) for k in used], names)


def _column(cells: list[Any]) -> Any:
    return arrow_column([None if cell == "" else _cell(cell) for cell in cells])


def _cell(cell: Any) -> Any:
    return int(cell) if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53 else cell
