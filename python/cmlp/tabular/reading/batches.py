"""Large files in pieces: CSV and Parquet files larger than a limit are read a piece at a time."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cmlp.tabular.arrow import as_table
from cmlp.tabular.reading.content import MAGIC, SAMPLE
from cmlp.tabular.reading.delimited import read_pieces, sample_text
from cmlp.tabular.reading.dialect import find_dialect
from cmlp.tabular.reading.source import Source, emptied, read_source, separator_of, suffix_of

# Files larger than this are read in pieces of about this size.
PIECE = 1 << 26
ROWS = 1 << 18


def read_batches(
    *paths: str | os.PathLike[str], missing: Iterable[str] = (), sheet: str = ""
) -> Iterator[Source]:
    """Read a table a piece at a time; the memory does not grow with the file.

    Pieces are of plain UTF-8 text and of Parquet; other files come in one piece.

    Parameters
    ----------
    *paths : path-like
        As in `read_table`.
    missing : iterable of str
        As in `read_table`.
    sheet : str
        As in `read_table`.

    Yields
    ------
    Source
        Tables with the same columns.

    Raises
    ------
    TableError
        As in `read_table`, when the piece is reached.
    """
    words = list(missing)
    path = Path(paths[0])
    if len(paths) == 1 and path.is_file() and path.stat().st_size > PIECE:
        pieces = _parquet(path) if path.suffix.lower() in (".parquet", ".pq") else _text(path)
        if pieces is not None:
            for piece, remarks in pieces:
                yield Source(emptied(as_table(piece), words), str(path), remarks)
            return
    yield read_source(*paths, missing=words, sheet=sheet)


def _parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    return ((batch, []) for batch in pq.ParquetFile(path).iter_batches(ROWS))


def _text(path: Path) -> Any:
    """Pieces of a text file; None when it is compressed or not UTF-8 from its beginning."""
    with path.open("rb") as file:
        start = file.read(SAMPLE)
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson") or start.startswith(
        (*MAGIC, b"PK", b"\xff\xfe", b"\xfe\xff")
    ):
        return None
    try:
        sample = sample_text(start, cut=True, errors="strict").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return None
    dialect = find_dialect(sample, separator_of(suffix_of(path)))
    return read_pieces(path, dialect, PIECE // 4)
