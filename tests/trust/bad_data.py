"""Data that are extreme or wrong, and what happens to them: each row a test, all of them docs/bad-data.md.

`python tests/trust/bad_data.py` writes the page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

PAGE = Path(__file__).parents[2] / "docs/bad-data.md"
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
LABELS, NUMBERS = (X[:, 0] > 0).astype(int), 2 * X[:, 0]
NAN, INFINITY = float("nan"), float("inf")


@dataclass(frozen=True)
class Refused:
    """The call raises this error with a message that has these words, and the model is as before."""

    error: str
    words: str

    def __str__(self) -> str:
        return f"{self.error}: {self.words}"


TRAINS = "trains; finite predictions"
Outcome = str | Refused


def refused(words: str, error: str = "ValueError") -> Refused:
    """Return the outcome of a refusal."""
    return Refused(error, words)


@dataclass(frozen=True)
class Row:
    """One kind of data, and what each kind of model does with it."""

    says: str
    data: Callable[[], tuple[Any, Any]]
    network: Outcome = TRAINS
    estimator: Outcome = TRAINS
    tabular: Outcome = TRAINS
    classes: int = 2  # outputs of the network; 0: regression
    slow: bool = False


def with_value(value: float, array: Any = X) -> Any:
    """Return a copy of an array with a value in its row 3."""
    changed = np.array(array, dtype=float)
    changed[(3, 1) if changed.ndim == 2 else 3] = value
    return changed


def wide() -> Any:
    """A million sparse columns."""
    return scipy.sparse.random_array((200, 1_000_000), density=1e-5, format="csr", rng=RNG)


BAD_TABLE = "TableError"
NOTHING = "no column is left to learn from"
ROWS = (
    Row("NaN in a feature", lambda: (with_value(NAN), LABELS),
        refused("fit: x has nan at row 3, column 1"), refused("Input X contains NaN"),
        "a missing cell: trains"),
    Row("infinity in a feature", lambda: (with_value(INFINITY), LABELS),
        refused("fit: x has infinity at row 3, column 1"), refused("Input X contains infinity"),
        refused("numbers must be finite", BAD_TABLE)),
    Row("1e30 in a feature", lambda: (with_value(1e30), LABELS)),
    Row("1e30 in a feature, squared error in float32", lambda: (with_value(1e30), NUMBERS),
        refused("the loss is not finite at step 1", "NonFiniteError"), classes=0),
    Row("1e300 in a feature (the network is float32)", lambda: (with_value(1e300), LABELS),
        refused("too large for float32")),
    Row("a constant feature", lambda: (np.c_[X, np.full(60, 7.0)], LABELS)),
    Row("all features constant", lambda: (np.ones((60, 4)), LABELS), tabular=refused(NOTHING, BAD_TABLE)),
    Row("every column twice", lambda: (np.c_[X, X], LABELS)),
    Row("no columns", lambda: (X[:, :0], LABELS), refused("in_features is 0"), refused("0 feature(s)"),
        refused("0 feature(s)", BAD_TABLE)),
    Row("no rows", lambda: (X[:0], LABELS[:0]), refused("fit: x has no rows"), refused("0 sample(s)"),
        refused("0 sample(s)", BAD_TABLE)),
    Row("one row", lambda: (X[:1], LABELS[:1]), tabular=refused("nothing to learn", BAD_TABLE)),
    Row("one class", lambda: (X, np.zeros(60, int)), tabular=refused("has one class only", BAD_TABLE)),
    Row("a class with one row", lambda: (X, np.eye(60, dtype=int)[0])),
    Row("a label that is not 0 ... classes - 1", lambda: (X, np.where(LABELS, 9, 0)),
        refused("label 9 at row"), "its own classes: trains", "its own classes: trains"),
    Row("a target of zero variance", lambda: (X, np.full(60, 3.5)),
        tabular=refused("nothing to learn", BAD_TABLE), classes=0),
    Row("NaN in the target", lambda: (X, with_value(NAN, NUMBERS)), refused("fit: y has nan at row 3"),
        refused("Input y contains NaN"), "the row is left out: trains", classes=0),
    Row("infinity in the target", lambda: (X, with_value(INFINITY, NUMBERS)),
        refused("fit: y has infinity at row 3"), refused("Input y contains infinity"),
        refused("numbers must be finite", BAD_TABLE), classes=0),
    Row("1e30 in the target", lambda: (X, with_value(1e30, NUMBERS)),
        refused("the loss is not finite at step", "NonFiniteError"), classes=0),
    Row("100 000 classes", lambda: (RNG.normal(size=(100_000, 2)), np.arange(100_000)), classes=100_000,
        tabular=refused("", BAD_TABLE), slow=True),
    Row("1 000 000 sparse columns", lambda: (wide(), np.arange(200) % 2),
        tabular=refused("sparse", "TypeError"), slow=True),
)  # fmt: skip


INTRODUCTION = """# What happens to bad data

Each row is a test of `tests/trust/test_bad_data_table.py`; `python tests/trust/bad_data.py` writes this
page from the same list. The network is trained by `net.fit` in float32, the estimator is `MLPClassifier` or
`MLPRegressor` (float64 where the data are), the tabular estimator `TabularClassifier` or
`TabularRegressor`. A network that refuses its data keeps the weights it had; after a `NonFiniteError` it
has those of its last finite step. `tests/python/test_bad_data.py` has every refusal of `net.fit` with its
message. Sizes that overflow or do not fit into memory are a `ValueError` or a `MemoryError`
(`tests/python/test_core_ranges.py`).

| data | network | estimator | tabular estimator |
|---|---|---|---|
"""


def page() -> str:
    """Return the text of docs/bad-data.md."""
    return INTRODUCTION + "".join(
        f"| {row.says} | {row.network} | {row.estimator} | {row.tabular} |\n" for row in ROWS
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
