"""Columns of categories: text, or codes, in an order where they have one."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp

from cmlp.tabular.arrow import keys
from cmlp.tabular.errors import TableError, printable
from cmlp.tabular.scales import positions
from cmlp.tabular.words import missing_signs

# Categories with a feature of their own; of more than FEW, only those that repeat.
MAX_CATEGORIES = 1000
FEW = 64


@dataclass(frozen=True)
class CategoryColumn:
    """Text or codes: one 0/1 feature a value, one for "other"; their places first, where they have an order.

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
    places : tuple of float or None
        Of each category on a scale from -1 to 1 (low, medium, high), None of one beside it; empty without an
        order.
    """

    kind: ClassVar[str] = "category"
    name: str
    categories: tuple[str, ...]
    other: bool
    spellings: int = 0
    places: tuple[float | None, ...] = ()

    def __post_init__(self) -> None:
        if self.places and len(self.places) != len(self.categories):
            raise TableError(f"column {printable(self.name)!r}: not every category has a place")

    @classmethod
    def fit(cls, name: str, array: Any, ordered: bool = True) -> "CategoryColumn | None":
        """Fit to the training rows; None when they are all the same; `ordered`: look for an order."""
        found = category_keys(array)
        counts = {pair["values"]: pair["counts"] for pair in pc.value_counts(found.drop_null()).to_pylist()}
        kept = [key for key, count in counts.items() if len(counts) <= FEW or count > 1]
        kept = sorted(sorted(kept), key=lambda key: -counts[key])[:MAX_CATEGORIES]
        other = bool(found.null_count) or len(counts) > len(kept)
        if not kept or (len(kept) == 1 and not other):
            return None
        categories = tuple(sorted(kept))
        places = positions(categories) if ordered else ()
        return cls(name, categories, other, len(array.unique().drop_null()), places)

    @property
    def continuous(self) -> int:
        """How many of its features, the first ones, are numbers that networks embed."""
        return int(bool(self.places))

    @property
    def features(self) -> list[str]:
        """Names of the features it makes."""
        own = [f"{self.name}={value}" for value in self.categories]
        place = [f"{self.name} place"] if self.places else []
        return [*place, *own, *([f"{self.name} other"] if self.other else [])]

    @property
    def description(self) -> str:
        """What is done with it, in words."""
        rest = "rare, unseen, missing -> one more" if self.other else "unseen, missing -> all zeros"
        merged = self.spellings > len(self.categories) and not self.other
        spelt = f" of {self.spellings} spellings" if merged else ""
        values = f"{len(self.categories)} value{'s' * (len(self.categories) != 1)}{spelt}"
        return f"{values}, {self._order()}one 0/1 column each; {rest}"

    def _order(self) -> str:
        """The order in words: the first, the second and the last category."""
        known = zip(self.places, self.categories, strict=False)
        ranked = sorted((place, value) for place, value in known if place is not None)
        if not ranked:
            return ""
        steps = list(dict.fromkeys(place for place, _ in ranked))
        first, second, last = (next(v for p, v in ranked if p == steps[k]) for k in (0, 1, -1))
        return f"in order ({printable(first)}, {printable(second)} ... {printable(last)}), "

    def transform(self, array: Any, remarks: list[str]) -> Any:
        """Features of a column, CSR (rows, [1 +] categories [+ 1])."""
        found = category_keys(array)
        codes = pc.index_in(found, pa.array(self.categories, found.type))
        self._count_unseen(found, codes, remarks)
        column = np.asarray(pc.fill_null(codes, len(self.categories) if self.other else -1))
        hot = one_hot(column, len(self.categories) + self.other)
        if not self.places:
            return hot
        places = np.array([*(place or 0.0 for place in self.places), 0.0], np.float32)  # -1: the last
        place = places[np.minimum(column, len(self.categories))]
        return sp.hstack([sp.csr_matrix(place[:, None]), hot], "csr", np.float32)

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
