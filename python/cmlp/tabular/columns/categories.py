"""Columns of categories: text, or codes."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp

from cmlp.tabular.arrow import keys
from cmlp.tabular.errors import printable
from cmlp.tabular.words import missing_signs

# Categories with a feature of their own; of more than FEW, only those that repeat.
MAX_CATEGORIES = 1000
FEW = 64


@dataclass(frozen=True)
class CategoryColumn:
    """Text or codes: one 0/1 feature a value, one for "other".

    Values that differ in case or blanks only are one category.

    Parameters
    ----------
    name : str
        The column.
    categories : tuple of str
        The values with a feature of their own, see `cmlp.tabular.arrow.keys`.
    other : bool
        Whether a last feature stands for missing, rare and unseen values: so when the training rows
        had such values. Without it they are all zeros, since untrained weights would be noise.
    spellings : int
        How many spellings the training rows had.
    """

    kind: ClassVar[str] = "category"
    continuous: ClassVar[int] = 0
    name: str
    categories: tuple[str, ...]
    other: bool
    spellings: int = 0

    @classmethod
    def fit(cls, name: str, array: Any) -> "CategoryColumn | None":
        """Fit to the training rows; None when they are all the same."""
        found = category_keys(array)
        counts = {pair["values"]: pair["counts"] for pair in pc.value_counts(found.drop_null()).to_pylist()}
        kept = [key for key, count in counts.items() if len(counts) <= FEW or count > 1]
        kept = sorted(sorted(kept), key=lambda key: -counts[key])[:MAX_CATEGORIES]
        other = bool(found.null_count) or len(counts) > len(kept)
        if not kept or (len(kept) == 1 and not other):
            return None
        return cls(name, tuple(sorted(kept)), other, len(array.unique().drop_null()))

    @property
    def features(self) -> list[str]:
        """Names of the features it makes."""
        own = [f"{self.name}={value}" for value in self.categories]
        return [*own, f"{self.name} other"] if self.other else own

    @property
    def description(self) -> str:
        """What is done with it, in words."""
        rest = "rare, unseen, missing -> one more" if self.other else "unseen, missing -> all zeros"
        merged = self.spellings > len(self.categories) and not self.other
        spelt = f" of {self.spellings} spellings" if merged else ""
        values = f"{len(self.categories)} value{'s' * (len(self.categories) != 1)}{spelt}"
        return f"{values}, one 0/1 column each; {rest}"

    def transform(self, array: Any, remarks: list[str]) -> Any:
        """Features of a column, CSR (rows, categories [+ 1])."""
        found = category_keys(array)
        codes = pc.index_in(found, pa.array(self.categories, found.type))
        self._count_unseen(found, codes, remarks)
        column = np.asarray(pc.fill_null(codes, len(self.categories) if self.other else -1))
        return one_hot(column, len(self.features))

    def _count_unseen(self, found: Any, codes: Any, remarks: list[str]) -> None:
        unseen = found.filter(pc.and_(codes.is_null(), found.is_valid()))
        if len(unseen):
            some = ", ".join(repr(printable(value)) for value in unseen.unique()[:3].to_pylist())
            if len(unseen) == len(found) - found.null_count and len(found) > 1:
                remarks.append(
                    f"column {printable(self.name)!r} holds none of the categories of the training rows "
                    f"({some})"
                )
                return
            if self.other:  # rare categories are among them
                return
            remarks.append(
                f"column {printable(self.name)!r}: {len(unseen)} cells hold categories that are not in the "
                f"training rows ({some}): no category feature is set"
            )


def category_keys(array: Any) -> Any:
    """Keys of a column's cells; signs such as ``?`` are missing."""
    return missing_signs(keys(array))


def one_hot(codes: Any, width: int) -> Any:
    """CSR (rows, width) with a 1 in column `codes` of each row, an empty row where the code is negative."""
    there = codes >= 0
    starts = np.concatenate([[0], np.cumsum(there)])
    return sp.csr_matrix((np.ones(int(starts[-1]), np.float32), codes[there], starts), (len(codes), width))


def dense(part: Any) -> Any:
    """A matrix as an array."""
    return part.toarray() if sp.issparse(part) else part
