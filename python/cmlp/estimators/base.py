"""What both estimators are: a network that is fitted by scikit-learn's rules."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from cmlp._sparse import is_sparse
from cmlp.estimators.data import Imputer
from cmlp.estimators.lbfgs import WholeFit, WholePass
from cmlp.estimators.losses import Objective
from cmlp.estimators.network import Architecture, draw
from cmlp.estimators.prediction import Answers
from cmlp.estimators.solvers import Solver, settings_of
from cmlp.estimators.training_run import Course, Rows
from cmlp.runtime import Execution


class BaseMLP(Answers):
    """Base of MLPClassifier and MLPRegressor; not for use by itself."""

    _objective: Objective
    _order: npt.NDArray[np.int64]
    _optimizer: Solver

    def _keep(self, parameters: dict[str, Any]) -> None:
        """Store the arguments of __init__, given its locals."""
        for name in self._get_param_names():
            setattr(self, name, parameters[name])

    # ---- what classifier and regressor differ in

    def _targets(self, y: Any, first: bool, incremental: bool) -> npt.NDArray[Any]:
        """Return y as the loss takes it, having learned the classes where it is the first time."""
        raise NotImplementedError

    def _outputs(self, y: npt.NDArray[Any]) -> int:
        """Return the number of outputs for these targets."""
        raise NotImplementedError

    def _strata(self, y: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
        """Return what a split keeps the shares of."""
        return None

    def _score_of(self, z: npt.NDArray[Any], rows: Rows) -> float:
        """Return the default score of the network's outputs."""
        raise NotImplementedError

    def _metric(self) -> str | None:
        """Return the name of that score among the core's metrics, where it is one."""
        return None

    def _weights(self, sample_weight: Any, x: Any, y: Any) -> npt.NDArray[Any] | None:
        return None if sample_weight is None else _check_sample_weight(sample_weight, x)

    # ---- fitting

    def _rows(self, x: Any, y: Any, sample_weight: Any, first: bool, incremental: bool) -> Rows:
        """Return the checked rows; `first`: their columns and classes are learned, else compared."""
        x, y = validate_data(
            self,
            x,
            y,
            accept_sparse=["csr"],
            multi_output=True,
            y_numeric=self._numeric_targets,
            dtype=self._dtypes(),
            ensure_all_finite="allow-nan" if self.missing else True,
            reset=first,
        )
        if self.input_dropout and is_sparse(x):
            raise ValueError("fit: input_dropout takes dense rows, X is sparse")
        if first:
            self._imputer = Imputer(x) if self.missing else None
        return Rows(
            self._imputed(x), self._targets(y, first, incremental), self._weights(sample_weight, x, y), y
        )

    def _dtypes(self) -> Any:
        return (np.float64, np.float32) if self.dtype is None else np.dtype(self.dtype)

    def _fit(
        self, x: Any, y: Any, sample_weight: Any, eval_set: Any = None, incremental: bool = False
    ) -> Self:
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        rows = self._rows(x, y, sample_weight, first, incremental)
        self._begin(rows, first)
        with Execution(self.n_threads):
            if self.solver == "lbfgs":
                WholeFit(self, rows, eval_set)()
            else:
                course = self._course(rows, self._evaluated(eval_set), incremental)
                course.end(course.native.run)
        self._net.eval()
        return self

    def gradients(self, X: Any, y: Any, sample_weight: Any = None) -> dict[str, npt.NDArray[Any]]:
        """Return the gradient of the mean loss by each parameter of ``net_``, under its name there.

        Parameters
        ----------
        X, y, sample_weight
            As in ``fit``; the network is in evaluation mode, the penalty ``alpha`` is not part of the loss.

        Returns
        -------
        dict of str to ndarray
        """
        check_is_fitted(self)
        rows = self._rows(X, y, sample_weight, first=False, incremental=True)
        net, loss = self._connect().copy().eval(), self._objective.loss
        loss(net(rows.x), rows.y, rows.weight)
        net.zero_grad()
        net.backward(loss.backward())
        return {name: parameter.grad for name, parameter in net.named_parameters()}

    def _begin(self, rows: Rows, first: bool) -> None:
        """Have a network for these rows, a new one or the one there is."""
        if first or not hasattr(self, "_random_state"):
            self._random_state = check_random_state(self.random_state)
        if first:
            self._initialize(rows)
        self._connect(rows.x.dtype)

    def _evaluated(self, eval_set: Any) -> Rows | None:
        if eval_set is None:
            return None
        x, y, *weight = eval_set
        return self._rows(x, y, weight[0] if weight else None, first=False, incremental=True)

    def _initialize(self, rows: Rows) -> None:
        """Draw the weights, in scikit-learn's order, and forget what was learned."""
        sizes, activation = self._hidden()
        if any(size <= 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
        outputs = self._outputs(rows.y)
        units = [rows.x.shape[1], *map(int, sizes), outputs * self._objective.columns]
        shape = Architecture(self, units, activation)
        drawn = draw(units, self.activation, self._random_state)
        seed = int(self._random_state.randint(2**31)) if shape.random or self.init != "sklearn" else 0
        self._net = shape.network(rows.x.dtype, seed)
        self._show(drawn if self.init == "sklearn" else None)
        self.n_layers_, self.n_outputs_ = len(units), outputs
        self.out_activation_ = self._objective.out
        self._n_features_out = units[-2]
        for name in ("_optimizer", "_order"):
            self.__dict__.pop(name, None)
        self.n_iter_ = self.t_ = self._no_improvement_count = 0
        self.loss_curve_: list[float] = []
        stopping = self.early_stopping
        self.best_loss_ = None if stopping else np.inf
        self.validation_scores_: list[float] | None = [] if stopping else None
        self.validation_loss_curve_: list[float] | None = [] if stopping else None
        self.best_validation_score_ = -np.inf if stopping else None

    def _hidden(self) -> tuple[list[Any], Any]:
        """Return the units of the hidden layers, and their activation or activations."""
        return np.atleast_1d(np.asarray(self.hidden_layer_sizes, dtype=object)).tolist(), self.activation

    def _whole_pass(self) -> WholePass:
        return WholePass(self._net, self._objective, float(self.alpha))

    def _course(self, rows: Rows, held_out: Rows | None, incremental: bool) -> Course:
        """Return a training by epochs that is yet to run."""
        if not hasattr(self, "_optimizer") or self._optimizer.settings != settings_of(self):
            self._optimizer = Solver(self, self._net)
        self._optimizer.attach(self, self._net)
        if self.early_stopping and held_out is None:
            rows, held_out = self._split(rows)
        self._begin_curves(held_out is not None)
        self._check_sizes(rows.x.shape[0])
        if len(getattr(self, "_order", ())) != rows.x.shape[0]:
            self._order = np.arange(rows.x.shape[0])
        if not incremental:
            self.n_iter_ = 0
        return Course(self, rows, held_out, incremental)

    def _begin_curves(self, validated: bool) -> None:
        """Have what is compared by, also where a parameter was changed between two fits."""
        if validated and getattr(self, "validation_scores_", None) is None:
            self.validation_scores_, self.validation_loss_curve_ = [], []
        if self.early_stopping and getattr(self, "best_validation_score_", None) is None:
            self.best_validation_score_, self.best_loss_ = -np.inf, None
        if not self.early_stopping and self.best_loss_ is None:
            self.best_loss_ = np.inf

    def _split(self, rows: Rows) -> tuple[Rows, Rows]:
        """Hold out a share of the rows, drawn as scikit-learn draws it."""
        train, held_out = train_test_split(
            np.arange(rows.x.shape[0]),
            random_state=self._random_state,
            test_size=self.validation_fraction,
            stratify=self._strata(rows.y),
        )
        if len(held_out) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        return rows.take(train), rows.take(held_out)

    def _check_sizes(self, rows: int) -> None:
        if self.batch_norm and rows == 1:
            raise ValueError("batch_norm needs the variance of several rows: n_samples=1")
        if self.batch_size != "auto" and self.batch_size > rows:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
                stacklevel=5,
            )

    def _scorer(self, held_out: Rows) -> tuple[str | None, Any]:
        """Return how rows held out are scored: a metric of the core, or a function."""
        if self.scoring is not None:
            return None, self._asked_scorer(held_out)
        metric = self._metric() if held_out.x.shape[0] > 1 else None
        return metric, lambda: self._score_of(self._net.predict(held_out.x), held_out)

    def _asked_scorer(self, rows: Rows) -> Any:
        scorer = check_scoring(self, scoring=self.scoring)
        weight = {} if rows.weight is None else {"sample_weight": rows.weight}

        def score() -> float:
            with warnings.catch_warnings():  # the rows have lost the names of their columns
                warnings.filterwarnings("ignore", "X does not have valid feature names")
                return float(scorer(self, rows.x, rows.labels, **weight))

        return score

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = not self.input_dropout and self.missing is None
        tags.input_tags.allow_nan = self.missing is not None
        tags.transformer_tags.preserves_dtype = ["float64", "float32"] if self.dtype is None else []
        return tags
