"""How a text file is laid out: separator (clevercsv's detection), lines above the table, header."""

import csv
import re
from collections import Counter
from dataclasses import dataclass

from cmlp.tabular.arrow import unique_names

SEPARATORS = (",", ";", "\t", "|")
SNIFFED = 20000  # characters that clevercsv looks at
ROWS = 100
NUMBER = re.compile(r"\s*[-+(]?[$€£¥]?\s*[0-9][0-9.,' ]*([eE][-+]?[0-9]+)?\s*[%€)]?\s*$")
YEAR = re.compile(r"\s*(18|19|20|21)[0-9]{2}\s*$")


@dataclass(frozen=True)
class Dialect:
    """The layout of a text file.

    Parameters
    ----------
    separator : str
        What parts the cells.
    skipped : int
        Lines above the first row of data: titles, comments and the header.
    names : tuple of str
        The columns.
    remarks : tuple of str
        What is unusual about it.
    """

    separator: str
    skipped: int
    names: tuple[str, ...]
    remarks: tuple[str, ...]


def find_dialect(sample: str, separator: str = "") -> Dialect:
    """Find the layout from the first lines of a text.

    Parameters
    ----------
    sample : str
        The text, cut at the end of a line.
    separator : str
        The separator, when it is known.

    Returns
    -------
    Dialect
        The layout; no names when there are no lines.
    """
    first = sample.partition("\n")[0].strip().strip('"')
    start = 1 if re.fullmatch(r"sep=.", first) else 0
    separator = separator or (first[-1] if start else _separator(sample))
    rows = _rows(sample, separator, start)
    if not rows:
        return Dialect(separator, 0, (), ())
    width = Counter(len(cells) for _, _, cells in rows).most_common(1)[0][0]
    of_width = [k for k, (_, _, cells) in enumerate(rows) if len(cells) == width]
    top = next((k for k in of_width if _is_table(rows[k][2], width)), of_width[0])
    remarks = [f"the separator is {_NAMES.get(separator, repr(separator))}"] if separator != "," else []
    above, last, header = rows[top]
    if above > 0:
        remarks.append(f"{above} lines above the table are skipped")
    body = [cells for _, _, cells in rows[top + 1 :] if len(cells) == width]
    if _is_data(header, body):
        names = [f"column {k + 1}" for k in range(width)]
        return Dialect(
            separator, above, tuple(names), (*remarks, "no header line: columns are called column 1, ...")
        )
    names = unique_names(cell.removeprefix("#") if k == 0 else cell for k, cell in enumerate(header))
    changed = [
        f"{new!r}" for old, new in zip(header, names, strict=True) if old.strip().removeprefix("#") != new
    ]
    if changed:
        remarks.append(f"blank or repeated names in the header became {', '.join(changed[:5])}")
    return Dialect(separator, last, tuple(names), tuple(remarks))


_NAMES = {"\t": "a tab", ";": "';'", "|": "'|'"}


def _separator(sample: str) -> str:
    from clevercsv import Sniffer
    from clevercsv.exceptions import NoDetectionResult

    lines = [line for line in sample[:SNIFFED].splitlines(keepends=True) if not line.startswith("#")]
    try:
        found = Sniffer().sniff("".join(lines), delimiters=list(SEPARATORS))
    except NoDetectionResult:
        return ","
    return (found.delimiter if found else "") or ","


def _rows(sample: str, separator: str, start: int) -> list[tuple[int, int, list[str]]]:
    """Rows of the sample without comments: lines before each, lines up to its end, its cells."""
    lines = sample.splitlines(keepends=True)[start:]
    reader, rows, before = csv.reader(lines, delimiter=separator), [], start
    csv.field_size_limit(1 << 30)
    for cells in reader:
        end = start + reader.line_num
        if any(cell.strip() for cell in cells):
            rows.append((before, end, cells))
        before = end
        if len(rows) >= ROWS:
            break
    comments = {k for k, (_, _, cells) in enumerate(rows) if cells[0].lstrip().startswith("#")}
    width = (
        max(Counter(len(cells) for _, _, cells in rows).items(), key=lambda pair: pair[1])[0] if rows else 0
    )

    def is_header(k: int) -> bool:
        """Whether a line is a header such as ``#id,x`` rather than a comment such as ``# by me``."""
        cells = rows[k][2]
        return k + 1 not in comments and len(cells) == width > 1 and cells[0][1:2].strip() != ""

    return [row for k, row in enumerate(rows) if k not in comments or is_header(k)]


def _is_table(cells: list[str], width: int) -> bool:
    """Whether a row is of the table rather than a title: as wide, with more than one filled cell of three."""
    return len(cells) == width and (width < 3 or sum(bool(cell.strip()) for cell in cells) > width / 3)


def _is_data(header: list[str], body: list[list[str]]) -> bool:
    """Whether the first row has numbers wherever the others have them; a row of years is a header."""
    if not body:
        return False
    columns = list(zip(*body, strict=True))
    filled = [[cell for cell in column if cell.strip()] for column in columns]
    numeric = [
        k for k, cells in enumerate(filled) if cells and sum(map(_is_number, cells)) > 0.8 * len(cells)
    ]
    if not numeric or not all(_is_number(header[k]) for k in numeric):
        return False
    return not (len(numeric) > 1 and all(YEAR.match(header[k]) for k in numeric))


def _is_number(cell: str) -> bool:
    return NUMBER.match(cell) is not None
