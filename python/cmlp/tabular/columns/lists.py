"""Columns with a list of words in each cell, such as ``pool|garden``."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp

from cmlp.tabular.arrow import keys

SEPARATORS = ("|", ";", ",", "/")
MAX_ITEMS = 100


@dataclass(frozen=True)
class ListColumn:
    """A list of words in a cell: one 0/1 feature a word; an empty cell is an empty list.

    Parameters
    ----------
    name : str
        The column.
    separator : str
        What parts the words.
    items : tuple of str
        The words with a feature.
    """

    kind: ClassVar[str] = "list"
    continuous: ClassVar[int] = 0
    name: str
    separator: str
    items: tuple[str, ...]

    @classmethod
    def find(cls, name: str, array: Any) -> "ListColumn | None":
        """Find the separator of a column of lists; None when it is none.

        The cells of a list share few words: at least 3 of 10 filled cells have several, and each word is in
        5 cells on the average.
        """
        text = keys(array).drop_null()
        for separator in SEPARATORS:
            several = pc.sum(pc.match_substring(text, separator)).as_py() or 0
            if several >= max(3, 0.3 * len(text)):
                column = cls.fit(name, array, separator)
                cells = len(text.unique())
                words = sum(pc.list_value_length(_words(text, separator)).to_pylist())
                if len(column.items) < min(cells, MAX_ITEMS) and words >= 5 * len(column.items):
                    return column
        return None

    @classmethod
    def fit(cls, name: str, array: Any, separator: str) -> "ListColumn":
        """Fit to the training rows: the words, at most `MAX_ITEMS` of the most frequent."""
        words = _words(keys(array), separator).flatten()
        counts = {
            pair["values"]: pair["counts"] for pair in pc.value_counts(words).to_pylist() if pair["values"]
        }
        kept = sorted(sorted(counts), key=lambda word: -counts[word])[:MAX_ITEMS]
        return cls(name, separator, tuple(sorted(kept)))

    @property
    def features(self) -> list[str]:
        """Names of the features it makes."""
        return [f"{self.name} has {item}" for item in self.items]

    @property
    def description(self) -> str:
        """What is done with it, in words."""
        return f"lists parted by {self.separator!r}: {len(self.items)} words, one 0/1 column each"

    def transform(self, array: Any, remarks: list[str]) -> Any:
        """Features of a column, CSR (rows, words)."""
        lists = _words(keys(array), self.separator)
        codes = pc.index_in(lists.flatten(), pa.array(self.items, pa.string()))
        rows = np.asarray(pc.list_parent_indices(lists))
        there = np.asarray(codes.is_valid())
        found = np.asarray(pc.fill_null(codes, 0))[there], rows[there]
        ones = np.ones(len(found[0]), np.float32)
        matrix = sp.csr_matrix((ones, (found[1], found[0])), (len(array), len(self.items)))
        matrix.data[:] = 1.0  # a word twice in a cell counts once
        return matrix


def _words(text: Any, separator: str) -> Any:
    lists = pc.split_pattern(text.cast(pa.string()), separator)
    words = pc.utf8_trim_whitespace(lists.flatten())
    return pa.ListArray.from_arrays(_offsets(lists), words)


def _offsets(lists: Any) -> Any:
    lengths = np.asarray(pc.fill_null(pc.list_value_length(lists), 0))
    return pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
