"""Columns of free text and of names that hardly repeat: hashed character n-grams (scikit-learn's)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow.compute as pc

from cmlp.tabular.arrow import as_text

BUCKETS = 4096


@dataclass(frozen=True)
class TextColumn:
    """Text: its character n-grams within words, hashed to `buckets` features; rows have length 1.

    Parameters
    ----------
    name : str
        The column.
    buckets : int
        How many features.
    shortest, longest : int
        Characters in an n-gram.
    """

    kind: ClassVar[str] = "text"
    continuous: ClassVar[int] = 0
    name: str
    buckets: int = BUCKETS
    shortest: int = 3
    longest: int = 5

    @property
    def features(self) -> list[str]:
        """Names of the features it makes."""
        return [f"{self.name} #{k}" for k in range(self.buckets)]

    @property
    def description(self) -> str:
        """What is done with it, in words."""
        return f"pieces of {self.shortest} to {self.longest} letters, hashed to {self.buckets} columns"

    def transform(self, array: Any, remarks: list[str]) -> Any:
        """Features of a column, CSR (rows, buckets)."""
        from sklearn.feature_extraction.text import HashingVectorizer

        lengths = (self.shortest, self.longest)
        hashing = HashingVectorizer(
            analyzer="char_wb", ngram_range=lengths, n_features=self.buckets, dtype="float32"
        )
        return hashing.transform(pc.fill_null(as_text(array), "").to_pylist())
