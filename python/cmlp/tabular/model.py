"""What `TabularClassifier` and `TabularRegressor` share: parameters, `fit`, files."""

import json
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from cmlp import nn
from cmlp._foreign_names import names_arguments
from cmlp.tabular.arrow import arrow_column, as_table
from cmlp.tabular.encoder import TableEncoder, check_size
from cmlp.tabular.errors import TableError
from cmlp.tabular.jobs import Job, Observers
from cmlp.tabular.labelled import LabelledTable
from cmlp.tabular.recipe import PRESETS, Recipe
from cmlp.tabular.target import Target

VERSION = 2
TABLE_KEY, RECORD_KEY = "cmlp.table", "cmlp.training"


class TabularModel(BaseEstimator):  # type: ignore[misc]
    """What the two estimators share: `fit`, and predictions from tables, rows and dictionaries."""

    _task: str

    @names_arguments
    def __init__(
        self,
        preset: str = "default",
        *,
        time_limit: float | None = None,
        cv: int | None = None,
        types: Mapping[str, str] | None = None,
        metric: str | None = None,
        validation: float = 0.2,
        class_weight: str | None = None,
        hidden: tuple[int, ...] | None = None,
        activation: str | None = None,
        dropout: float | None = None,
        optimizer: str | None = None,
        lr: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        patience: int | None = None,
        random_state: int | None = 0,
        n_threads: int | None = None,
    ) -> None:
        self.preset = preset
        self.time_limit = time_limit
        self.cv = cv
        self.types = types
        self.metric = metric
        self.validation = validation
        self.class_weight = class_weight
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.optimizer = optimizer
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.patience = patience
        self.random_state = random_state
        self.n_threads = n_threads

    def _recipes(self) -> list[Recipe]:
        """The recipes of the preset, with what the parameters change in all of them."""
        if self.preset not in PRESETS:
            raise TableError(f"unknown preset {self.preset!r}; choose from {', '.join(PRESETS)}")
        names = ("activation", "dropout", "optimizer", "lr", "epochs", "batch_size", "patience")
        given: dict[str, Any] = {
            name: getattr(self, name) for name in names if getattr(self, name) is not None
        }
        if self.hidden is not None:
            given["hidden"] = tuple(self.hidden)
        seed = (
            int(np.random.default_rng().integers(2**31))
            if self.random_state is None
            else int(self.random_state)
        )
        # Dropout changes the scale of a regression's outputs between training and prediction.
        base: dict[str, Any] = {"seed": seed, "dropout": 0.2 if self._task == "classification" else 0.0}
        recipes = [Recipe(**{**base, **changes, **given}) for changes in PRESETS[self.preset]]
        return list(dict.fromkeys(recipes))

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, time: Any = None) -> Any:
        """Infer the columns, train, and keep the best epoch by the validation rows.

        Parameters
        ----------
        X : table-like
            The rows: a pandas or polars frame, an Arrow table, a dictionary of columns, an array (rows,
            columns).
        y : array-like (rows,)
            The target; rows without one are left out.
        sample_weight : array-like (rows,), optional
            Weight 2 is the row twice.
        groups : array-like (rows,), optional
            Rows of one group are all in training or all in validation.
        time : array-like (rows,), optional
            Numbers: the latest rows validate.

        Returns
        -------
        TabularClassifier or TabularRegressor
            Itself.

        Raises
        ------
        TableError
            If the table or the target cannot be used; names the column and the value. If a weight is
            negative, a row has no weight or no time, or a length is not that of the table.
        """
        if y is None:
            raise TableError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        name = str(getattr(y, "name", None) or "y")
        y = _one_column(y)
        table = as_table(X)
        check_size(table)
        is_arrow = isinstance(y, pa.Array | pa.ChunkedArray)
        column = y if is_arrow else arrow_column(np.asarray(y) if isinstance(y, list) else y)
        return self._fit_labelled(
            LabelledTable.read(table, name, column).extended(sample_weight, groups, time)
        )

    def _fit_labelled(self, data: LabelledTable, observers: Observers | None = None) -> Any:
        result = Job(self, data, observers).run()
        self.encoder_: TableEncoder = result.encoder
        self.target_: Target = result.target
        self.net_: nn.Sequential = result.net
        self.record_: dict[str, Any] = result.record
        self.remarks_: list[str] = result.remarks
        return self._fitted()

    def _fitted(self) -> Any:
        self.feature_names_in_: Any = self.encoder_.feature_names_in_
        self.n_features_in_: int = self.encoder_.n_features_in_
        self.is_fitted_ = True
        return self

    def _outputs(self, X: Any) -> NDArray[Any]:
        if not hasattr(self, "net_"):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(f"this {type(self).__name__} is not fitted; call fit first")
        return np.asarray(self.net_.predict(self.encoder_.transform(X)))

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` was called."""
        return hasattr(self, "net_")

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect: gaps and text are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def _to_network(self) -> nn.Sequential:
        """The network with the preprocessing in its metadata: what `cmlp.save` writes."""
        data = {"version": VERSION, "target": self.target_.to_dict(), **self.encoder_.to_dict()}
        self.net_.metadata[TABLE_KEY] = json.dumps(data, allow_nan=False)
        self.net_.metadata[RECORD_KEY] = json.dumps(self.record_)
        return self.net_


def _one_column(y: Any) -> Any:
    """A target without a second axis."""
    if isinstance(y, pa.Array | pa.ChunkedArray) or (hasattr(y, "dtype") and not hasattr(y, "ndim")):
        return y
    if getattr(y, "ndim", 0) == 1 and hasattr(y, "iloc"):
        return y
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        from sklearn.exceptions import DataConversionWarning

        warnings.warn(
            "A column-vector y was passed when a 1d array was expected; it is taken as y.ravel()",
            DataConversionWarning,
            stacklevel=3,
        )
        return array.ravel()
    if array.ndim != 1:
        raise TableError(f"the target is one column; got shape {array.shape}")
    return array
