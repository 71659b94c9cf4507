"""What `TabularClassifier` and `TabularRegressor` share: parameters, `fit`, files."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from cmlp import nn
from cmlp._foreign_names import names_arguments
from cmlp.tabular import parameters
from cmlp.tabular import scores as scoring
from cmlp.tabular.arrow import as_table
from cmlp.tabular.encoder import TableEncoder, check_size
from cmlp.tabular.errors import TableError
from cmlp.tabular.explanation import ExplainedModel
from cmlp.tabular.fitting import Rows
from cmlp.tabular.jobs import Job, Observers
from cmlp.tabular.labelled import LabelledTable
from cmlp.tabular.network import Inputs, for_inputs
from cmlp.tabular.recipe import PRESETS, SPARSE, TASK_RECIPES, Preset, Recipe
from cmlp.tabular.target import Target
from cmlp.tabular.target_cells import target_column

VERSION = 3
TABLE_KEY, RECORD_KEY = "cmlp.table", "cmlp.training"


class TabularModel(ExplainedModel, BaseEstimator):  # type: ignore[misc]
    """What the two estimators share: `fit`, and predictions from tables, rows and dictionaries."""

    _task: str
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = parameters.COMMON

    @names_arguments
    def __init__(
        self,
        preset: str = "default",
        *,
        time_limit: float | None = None,
        cv: Any = None,
        types: Mapping[str, str] | None = None,
        metric: str | None = None,
        validation: float = 0.2,
        class_weight: str | Mapping[Any, float] | None = None,
        hidden: tuple[int, ...] | None = None,
        activation: str | None = None,
        dropout: float | None = None,
        optimizer: str | None = None,
        lr: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        patience: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
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

    def _preset(self) -> Preset:
        return PRESETS[self.preset]

    def _seed(self) -> int:
        if self.random_state is None:
            return int(np.random.default_rng().integers(2**31))
        if isinstance(self.random_state, np.random.RandomState):
            return int(self.random_state.randint(2**31))
        return int(self.random_state)

    def _recipes(self, inputs: Inputs, seed: int) -> list[Recipe]:
        """The recipes of the preset, with what the parameters change in all of them."""
        names = ("activation", "dropout", "optimizer", "lr", "epochs", "batch_size", "patience")
        given: dict[str, Any] = {
            name: getattr(self, name) for name in names if getattr(self, name) is not None
        }
        if self.hidden is not None:
            given["hidden"] = tuple(self.hidden)
        if given.get("optimizer", "adamw") != "adamw":
            given = {"lr": None, **given}
        base = replace(TASK_RECIPES[self._task], seed=seed, **(SPARSE if inputs.sparse else {}))
        recipes = (replace(base, **{**changes, **given}) for changes in self._preset().changes)
        return list(dict.fromkeys(for_inputs(recipe, inputs) for recipe in recipes))

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        groups: Any = None,
        time: Any = None,
        eval_set: tuple[Any, Any] | None = None,
    ) -> Any:
        """Infer the columns, train, and keep the best epoch by the validation rows.

        Parameters
        ----------
        X : table-like
            The rows: a pandas or polars frame, an Arrow table, a dictionary of columns, an array (rows,
            columns).
        y : array-like (rows,)
            The target; rows without one are left out.
        sample_weight : array-like (rows,), optional
            Weight 2 is the row twice, weight 0 leaves it out.
        groups : array-like (rows,), optional
            Rows of one group are all in training or all in validation.
        time : array-like (rows,), optional
            Numbers or dates: the latest rows validate.
        eval_set : (X, y), optional
            Other rows that validate; all rows of `X` train. In `out_of_fold_` they follow those of `X`.

        Returns
        -------
        TabularClassifier or TabularRegressor
            Itself.

        Raises
        ------
        TableError
            If the table, the target or a parameter cannot be used; names the column or the parameter, and
            the value. If a weight is negative, a row has no weight or no time, or a length is not that of
            the table.
        cmlp.tabular.fitting.NoModelError
            If the time limit allows no epoch of any network.
        """
        if y is None:
            raise TableError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        name = str(getattr(y, "name", None) or "y")
        table = as_table(X)
        check_size(table)
        data = LabelledTable.read(table, name, target_column(y)).extended(sample_weight, groups, time)
        if eval_set is not None:
            other, other_y = self._evaluated(eval_set)
            data = data.joined(as_table(other), target_column(other_y))
        return self._fit_labelled(data)

    def _evaluated(self, eval_set: Any) -> Any:
        if self.cv is not None:
            raise TableError("eval_set says which rows validate: it takes no cv")
        if not isinstance(eval_set, tuple | list) or len(eval_set) != 2:
            size = f" of {len(eval_set)}" if isinstance(eval_set, tuple | list) else ""
            raise TableError(f"eval_set is a pair (X, y); got a {type(eval_set).__name__}{size}")
        return eval_set

    def _fit_labelled(self, data: LabelledTable, observers: Observers | None = None) -> Any:
        parameters.check_parameters(self)
        result = Job(self, data, observers).run()
        self.encoder_: TableEncoder = result.encoder
        self.target_: Target = result.target
        self.net_: nn.Sequential = result.net
        self.record_: dict[str, Any] = result.record
        self._out_of_fold: NDArray[np.float64] = result.out_of_fold
        self._held_out: Rows = result.held_out
        self._importances: NDArray[np.float64] | None = None
        self.remarks_: list[str] = result.remarks
        return self._fitted()

    def _fitted(self) -> Any:
        self.feature_names_in_: Any = self.encoder_.feature_names_in_
        self.n_features_in_: int = self.encoder_.n_features_in_
        self.is_fitted_ = True
        return self

    def _check_fitted(self) -> None:
        if not hasattr(self, "net_"):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(f"this {type(self).__name__} is not fitted; call fit first")

    def _encoded(self, X: Any) -> Any:
        self._check_fitted()
        return self.encoder_.transform(X)

    def _outputs(self, X: Any) -> NDArray[Any]:
        return self.outputs(self._encoded(X))

    def outputs(self, x: Any) -> NDArray[Any]:
        """Outputs for encoded rows: logits, or standardised values within the range of the training rows.

        Parameters
        ----------
        x : numpy.ndarray or scipy.sparse.csr_matrix
            Of `encoder_`, (rows, features).

        Returns
        -------
        numpy.ndarray
            float32 (rows, outputs).
        """
        return self.target_.within(self.net_.predict(x))

    @property
    def out_of_fold_(self) -> NDArray[np.float64]:
        """Predictions of the rows of `fit` by networks that did not train on them.

        Values (rows,) or probabilities (rows, classes), NaN for rows that were held out nowhere (with `cv`
        none but the earliest in `time`, and the only row of a class), and for rows without a target or with
        weight 0. The rows of an `eval_set` follow. A loaded model has no such rows.
        """
        outputs = self._of_fit("_out_of_fold", "out_of_fold_")
        if not self.target_.classes:
            return np.asarray(self.target_.decode(outputs[:, 0]))
        unknown = np.isnan(outputs)
        return np.where(unknown, np.nan, scoring.probabilities(np.where(unknown, 0.0, outputs)))

    def _of_fit(self, name: str, public: str) -> Any:
        self._check_fitted()
        if not hasattr(self, name):
            raise AttributeError(f"{public} is of the rows of fit; this model was loaded from a file")
        return getattr(self, name)

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
        data = {
            "version": VERSION,
            "target": self.target_.to_dict(),
            **self.encoder_.to_dict(),
            "parameters": parameters.as_json(self.get_params(deep=False)),
            "remarks": self.remarks_,
        }
        self.net_.metadata[TABLE_KEY] = json.dumps(data, allow_nan=False)
        self.net_.metadata[RECORD_KEY] = json.dumps(self.record_)
        return self.net_
