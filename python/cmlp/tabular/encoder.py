"""TableEncoder: a table in, a float32 matrix out; it travels in the model file as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from cmlp.tabular.arrow import as_table, as_text, kind_of, simple, tidy, to_numpy
from cmlp.tabular.columns import Column, column_from_dict, column_to_dict
from cmlp.tabular.columns.categories import dense
from cmlp.tabular.errors import TableError, listing, printable
from cmlp.tabular.findings import TYPES, Finding
from cmlp.tabular.habits import Habits, find_habits
from cmlp.tabular.inference import infer_column
from cmlp.tabular.rows import RowEncoder
from cmlp.tabular.target import find_column
from cmlp.tabular.words import missing_words

# More features than this make a sparse matrix.
MAX_DENSE = 512


@dataclass(frozen=True)
class ColumnNote:
    """What was found in a column, an example, and what is done with it.

    Parameters
    ----------
    name, kind : str
        The column, and what it holds in a word.
    missing : int
        Rows without a value.
    example : str
        A cell.
    treatment : str
        What is done with it; begins with ``left out`` when it is not used.
    doubt : str
        Why another reading is possible; nothing when the reading is sure.
    """

    name: str
    kind: str
    missing: int
    example: str
    treatment: str
    doubt: str = ""


class TableEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn a table of numbers, dates, categories and text into features: a scikit-learn transformer.

    The same rule reads the training rows and every later row; `notes_` says what was found in each column.

    - Numbers, also as people write them ($1,234.50; 41,5 %; 12 kg, 300 g; 3M; (5)), yes/no and durations
      (2h 30m, 1 day 02:30:00): the median fills gaps, a 0/1 column marks them when the training rows had
      some; scaled by quartiles and smoothly clipped.
    - Dates in any common format: the day, season, day of the month, weekday and time of day.
    - Text and codes: one 0/1 column a value, regardless of case and blanks; at most 1000 values. Where they
      have an order (low, medium, high; 18-25, 26-35), their place in it too. Values that hardly repeat
      become hashed pieces of words; lists in a cell (``a|b``) one 0/1 column a word.
    - A column that never varies, counts the rows, or identifies them, is left out.

    Parameters
    ----------
    types : dict of str, optional
        Columns whose type is given rather than inferred: ``number``, ``category``, ``date``, ``duration``,
        ``text``, ``list``, ``yes/no`` or ``drop``.

    Attributes
    ----------
    columns_ : list
        The encoder of each column in use.
    notes_ : list of ColumnNote
        What was found in each column of the training table; not kept in files.

    Examples
    --------
    >>> from cmlp.tabular import TableEncoder
    >>> table = {"size": ["1.5 m", "", "3 m"], "colour": ["red", "blue", "Red"]}
    >>> encoder = TableEncoder().fit(table)
    >>> encoder.get_feature_names_out().tolist()
    ['size', 'size missing', 'colour=blue', 'colour=red']
    >>> encoder.transform(table).shape
    (3, 4)
    """

    def __init__(self, types: Mapping[str, str] | None = None) -> None:
        self.types = types

    def fit(self, X: Any, y: Any = None) -> "TableEncoder":
        """Infer the type of each column and fit its encoder.

        Parameters
        ----------
        X : table-like
            The training rows: a pandas or polars frame, an Arrow table, a dictionary of columns, an array.
        y : None
            Ignored.

        Returns
        -------
        TableEncoder
            Itself.

        Raises
        ------
        TableError
            If a named column is not there, a type is unknown, or no column is left.
        """
        table = as_table(X)
        check_size(table)
        return self.fit_table(table, find_habits(table))

    def fit_table(self, table: pa.Table, habits: Habits) -> "TableEncoder":
        """Fit to an Arrow table whose habits are known."""
        types = dict(self.types or {})
        for name, given in types.items():
            find_column(table, name)
            if given not in TYPES:
                raise TableError(f"column {name!r}: unknown type {given!r}; choose from {', '.join(TYPES)}")
        self.columns_: list[Column] = []
        self.notes_: list[ColumnNote] = []
        for name in table.column_names:
            self._fit_column(name, simple(table[name]), habits, types.get(name, ""))
        if not self.columns_:
            rows = "1 sample: " if len(table) == 1 else ""
            raise TableError(f"{rows}no column is left to learn from: {self._left_out()}")
        self.feature_names_in_: Any = np.array(table.column_names, object)
        self.n_features_in_: int = len(table.column_names)
        return self._prepared()

    def _prepared(self) -> "TableEncoder":
        width = 0
        self.places_: dict[str, slice] = {}  # of each column's features in the matrix
        for column in self.columns_:
            self.places_[column.name] = slice(width, width := width + len(column.features))
        self._row_width = width
        self._row = RowEncoder(self.columns_, list(self.places_.values()))
        return self

    def _fit_column(self, name: str, array: Any, habits: Habits, given: str) -> None:
        found = infer_column(name, array, habits, given)
        if found.column is not None:
            self.columns_.append(found.column)
        self.notes_.append(_note(name, array, found))

    def _left_out(self) -> str:
        return (
            "; ".join(f"{printable(note.name)}: {note.treatment}" for note in self.notes_)
            or "the table has none"
        )

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Names of the columns of the matrix, (features,) of text."""
        return np.array([feature for column in self.columns_ for feature in column.features], object)

    @property
    def n_features_out_(self) -> int:
        """How many columns the matrix has."""
        return self._row_width

    @property
    def continuous_(self) -> list[int]:
        """The features that are numbers, not 0/1."""
        return [
            self.places_[column.name].start + k for column in self.columns_ for k in range(column.continuous)
        ]

    def transform(self, X: Any) -> Any:
        """Turn a table into features.

        Parameters
        ----------
        X : table-like
            A table with at least the columns in use, in any order; or one row as a dictionary.

        Returns
        -------
        numpy.ndarray or scipy.sparse.csr_matrix
            float32, (rows, features); sparse when there are more than 512 features.

        Raises
        ------
        TableError
            If columns are missing (all are named), or a column holds something else than in training.
        """
        check_is_fitted(self, "columns_")
        if isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] != self.n_features_in_:
            raise TableError(
                f"X has {X.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} "
                "features as input"
            )
        if isinstance(X, Mapping) and self._is_row(X):
            return self._row(X)
        return self.encode(as_table(X))[0]

    def _is_row(self, X: Mapping[str, Any]) -> bool:
        """Whether it has a cell for each column, and the matrix is dense."""
        cells = [X.get(column.name, X) for column in self.columns_]
        return self.n_features_out_ <= MAX_DENSE and not any(
            cell is X or (hasattr(cell, "__len__") and not isinstance(cell, str)) for cell in cells
        )

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect: gaps and text are welcome, features are float32."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def encode(self, table: pa.Table) -> tuple[Any, list[str]]:
        """Features of an Arrow table, and sentences on cells that could not be read and unseen categories."""
        absent = [column.name for column in self.columns_ if column.name not in table.column_names]
        if absent:
            needed = f"{len(absent)} of the {len(self.columns_)} columns the model reads"
            raise TableError(
                f"the table lacks {needed}: {listing(absent)}; it has {listing(table.column_names)}"
            )
        remarks: list[str] = []
        if self.n_features_out_ > MAX_DENSE:
            parts = [column.transform(simple(table[column.name]), remarks) for column in self.columns_]
            return sp.hstack([sp.csr_matrix(part) for part in parts], "csr", np.float32), remarks
        matrix = np.empty((len(table), self.n_features_out_), np.float32)
        for column, place in zip(self.columns_, self.places_.values(), strict=True):
            matrix[:, place] = dense(column.transform(simple(table[column.name]), remarks))
        return matrix, remarks

    def unused(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that the encoder does not read."""
        used = {column.name for column in self.columns_}
        return [name for name in names if name not in used]

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form; every number comes back bit for bit."""
        columns = [column_to_dict(column) for column in self.columns_]
        return {"inputs": self.feature_names_in_.tolist(), "columns": columns}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "TableEncoder":
        """Read the JSON form; TypeError, KeyError or TableError when it is damaged."""
        encoder = cls()
        encoder.columns_ = [column_from_dict(column) for column in data["columns"]]
        encoder.notes_ = []
        encoder.feature_names_in_ = np.array([str(name) for name in data["inputs"]], object)
        encoder.n_features_in_ = len(data["inputs"])
        return encoder._prepared()


def check_size(table: pa.Table) -> None:
    """Refuse a table without rows or columns."""
    for count, what in ((len(table.column_names), "feature"), (len(table), "sample")):
        if count == 0:
            shape = f"shape=({len(table)}, {len(table.column_names)})"
            raise TableError(f"the table has 0 {what}(s) ({shape}) while a minimum of 1 is required.")


def check_finite(table: pa.Table, types: Mapping[str, str]) -> None:
    """Refuse infinite numbers in the columns that are read as numbers; names the row of the table."""
    for name in table.column_names:
        if pa.types.is_floating(table[name].type) and types.get(name, "number") in ("number", "date"):
            to_numpy(simple(table[name]), name)


def _note(name: str, array: Any, found: Finding) -> ColumnNote:
    filled = _cells(array, found.kind).drop_null()
    example = printable(as_text(filled.slice(0, 1))[0]) if len(filled) else ""
    treatment = found.column.description if found.column else f"left out: {found.reason}"
    missing = len(array) - len(filled)
    return ColumnNote(name, found.kind, missing, example[:40], treatment, found.doubt)


def _cells(array: Any, kind: str) -> Any:
    """Cells of a column of a kind, null where they are missing."""
    if kind_of(array) != "text":
        return array
    text = tidy(array)
    return text if kind.endswith(("category", "text", "list")) else missing_words(text)
