"""What both estimators are: a network that is fitted by scikit-learn's rules."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from cmlp._sparse import is_sparse
from cmlp.estimators.checkpoints import EstimatorCheckpoint, checkpoint_of
from cmlp.estimators.data import Imputer
from cmlp.estimators.exclusive import fitting
from cmlp.estimators.lbfgs import FullBatchObjective, FullBatchRun
from cmlp.estimators.losses import Objective
from cmlp.estimators.network import Architecture, draw
from cmlp.estimators.prediction import Predictions
from cmlp.estimators.row_order import RowOrder
from cmlp.estimators.scaling import warn_of_scale
from cmlp.estimators.solvers import Solver, settings_of
from cmlp.estimators.training_run import EstimatorRun, Rows
from cmlp.estimators.validation import EvalSet, naming_a_class_of_one_row
from cmlp.estimators.warm_start import check_layout
from cmlp.estimators.weights import checked_weights
from cmlp.runtime import Execution


class BaseMLP(Predictions):
    """Base of MLPClassifier and MLPRegressor; not for use by itself."""

    _objective: Objective
    _imputer: Imputer | None = None
    _output_units: int | None = None  # None: weights were set before any fit
    _precision: np.dtype[Any] | None = None
    _seeded_by: Any
    _row_order: RowOrder
    _optimizer: Solver
    n_layers_: int
    n_outputs_: int
    n_iter_: int
    t_: int
    loss_: float
    best_loss_: float | None
    best_validation_score_: float | None
    out_activation_: str

    def _keep(self, parameters: dict[str, Any]) -> None:
        """Store the arguments of __init__, given its locals."""
        for name in self._get_param_names():
            setattr(self, name, parameters[name])

    # ---- what classifier and regressor differ in

    def _targets(self, y: Any, first: bool, incremental: bool, trained_on: bool) -> npt.NDArray[Any]:
        """Return y as the loss takes it, having learned the classes where it is the first time.

        Rows that are trained on set the objective to that of the parameters; others have that of the fit.
        """
        raise NotImplementedError

    def _outputs(self, y: npt.NDArray[Any]) -> int:
        """Return the number of outputs for these targets."""
        raise NotImplementedError

    def _scaled_targets(self) -> bool:
        """Return whether targets of any size are taken."""
        return True

    def _strata(self, y: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
        """Return what a split keeps the shares of."""
        return None

    def _score_of(self, z: npt.NDArray[Any], rows: Rows) -> float:
        """Return the default score of the network's outputs."""
        raise NotImplementedError

    def _metric(self) -> str | None:
        """Return the name of that score among the core's metrics, where it is one."""
        return None

    def _weights(self, sample_weight: Any, x: Any, y: Any, trained_on: bool) -> npt.NDArray[Any] | None:
        """Return the weights of rows that are trained on, or of a validation set."""
        return None if sample_weight is None else checked_weights(sample_weight, x)

    def _split_off(self, rows: Rows, first: bool) -> tuple[Rows, Rows | None]:
        """Return the rows to train on, and those that `_calibrate` takes after training."""
        return rows, None

    def _calibrate(self, rows: Rows | None) -> None:
        """Set what depends on the trained network."""

    # ---- fitting

    def _take_objective(self, objective: Objective, outputs: int, first: bool) -> None:
        """Train by this loss; raise ValueError where the network that is continued has other outputs."""
        units = outputs * objective.columns
        if not first and self._output_units not in (None, units):
            raise ValueError(
                f"fit: the loss '{objective.loss.name}' needs {units} outputs for this y, the network that"
                f" warm_start or partial_fit continues has {self._output_units}"
            )
        self._objective, self._output_units = objective, units

    def _rows(
        self, x: Any, y: Any, sample_weight: Any, first: bool, incremental: bool, trained_on: bool = True
    ) -> Rows:
        """Return the checked rows; `first`: their columns and classes are learned, else compared."""
        numeric = self._numeric_targets
        x, y = validate_data(self, x, y, multi_output=True, y_numeric=numeric, **self._checks(first))
        x = self._filled(x, first, trained_on)
        targets = self._targets(y, first, incremental, trained_on or "_objective" not in self.__dict__)
        if first:
            unscaled = None if self._scaled_targets() else targets
            warn_of_scale(self, x[:, :0] if self.batch_norm else x, unscaled)
        return Rows(x, targets, self._weights(sample_weight, x, y, trained_on), y)

    def _checks(self, first: bool) -> dict[str, Any]:
        """Return what validate_data checks of X."""
        return {
            "accept_sparse": ["csr"],
            "dtype": self._dtypes(first),
            "ensure_all_finite": "allow-nan" if self.missing else True,
            "reset": first,
        }

    def _filled(self, x: Any, first: bool, trained_on: bool) -> Any:
        """Return the rows of a fit without missing values, by medians of the rows that are trained on."""
        if self.input_dropout and is_sparse(x):
            raise ValueError("fit: input_dropout takes dense rows, X is sparse")
        if first or self._precision is None:
            self._precision = x.dtype
        if first or (trained_on and (self._imputer is None) == bool(self.missing)):
            self._imputer = Imputer(x) if self.missing else None
        return self._imputed(x)

    def _dtypes(self, first: bool) -> Any:
        """Return the dtypes of rows that a fit takes as they are."""
        dtype = None if self.dtype is None else np.dtype(self.dtype)
        if first or self._precision is None:
            return (np.float64, np.float32) if dtype is None else dtype
        if dtype not in (None, self._precision):
            raise ValueError(
                f"fit: dtype is {self.dtype!r}, the network that warm_start or partial_fit continues has"
                f" {self._precision.name!r}; a fit with warm_start=False makes a new one"
            )
        return self._precision

    def _fit(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        validation: EvalSet | None = None,
        incremental: bool = False,
        checkpoint: tuple[Any, int, bool] = (None, 1, False),
    ) -> Self:
        with fitting(self):
            file = checkpoint_of(self, *checkpoint)
            if incremental and self.early_stopping:
                raise ValueError("partial_fit does not support early_stopping=True")
            first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
            rows, rest = self._split_off(self._rows(x, y, sample_weight, first, incremental), first)
            held_out = self._evaluated(validation)
            self._begin(rows, first)
            try:
                self._train(rows, held_out, incremental, file)
            finally:
                self._net.eval()
            self._calibrate(rest)
        return self

    def _train(
        self, rows: Rows, held_out: Rows | None, incremental: bool, checkpoint: EstimatorCheckpoint | None
    ) -> None:
        with Execution(self.n_threads):
            if self.solver == "lbfgs":
                FullBatchRun(self, rows, held_out).run()
            else:
                run = self._training_run(rows, held_out, incremental, checkpoint)
                if checkpoint is None or not checkpoint.finished:
                    run.run()

    def gradients(self, X: Any, y: Any, sample_weight: Any = None) -> dict[str, npt.NDArray[Any]]:
        """Return the gradient of the mean loss by each parameter of ``net_``, under its name there.

        Parameters
        ----------
        X, y, sample_weight
            As in ``fit``; the loss is that of the last fit and the network is in evaluation mode, the penalty
            ``alpha`` is not part of the loss.

        Returns
        -------
        dict of str to ndarray
        """
        check_is_fitted(self)
        rows = self._rows(X, y, sample_weight, first=False, incremental=True, trained_on=False)
        net, loss = self._connect().copy().eval(), self._objective.loss
        loss(net(rows.x), rows.y, rows.weight)
        net.zero_grad()
        net.backward(loss.backward())
        return {name: parameter.grad for name, parameter in net.named_parameters()}

    def _evaluated(self, validation: EvalSet | None) -> Rows | None:
        """Return the checked rows of a validation set."""
        if validation is None:
            return None
        return self._rows(*validation, first=False, incremental=True, trained_on=False)

    def _begin(self, rows: Rows, first: bool) -> None:
        """Have a network for these rows, a new one or the one there is."""
        if first or not hasattr(self, "_seeded_by") or self._seeded_by != self.random_state:
            self._random_state = check_random_state(self.random_state)
            self._seeded_by = self.random_state
        if first:
            self._initialize(rows)
        else:
            self._continue(rows)
        self.out_activation_ = self._objective.out
        self._connect(rows.x.dtype)

    def _architecture(self, rows: Rows) -> Architecture:
        """Return what the parameters say of the network for these rows."""
        sizes, activation = self._hidden()
        if not all(isinstance(size, Integral) and size < 2**31 for size in sizes):
            raise ValueError(
                f"hidden_layer_sizes is {self.hidden_layer_sizes!r}, it must be integers below 2^31"
            )
        if any(size <= 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
        outputs = self._outputs(rows.y) * self._objective.columns
        return Architecture(self, [rows.x.shape[1], *map(int, sizes), outputs], activation)

    def _initialize(self, rows: Rows) -> None:
        """Draw the weights, in scikit-learn's order, and forget what was learned."""
        shape = self._architecture(rows)
        drawn = draw(shape.units, self.activation, self._random_state)
        seed = int(self._random_state.randint(2**31)) if shape.random or self.init != "sklearn" else 0
        self._build(shape, rows.x.dtype, seed)
        self._show(drawn if self.init == "sklearn" else None)
        self.n_layers_ = len(shape.units)
        self.n_outputs_ = self._outputs(rows.y)
        for name in ("_optimizer", "_row_order", "_compared"):
            self.__dict__.pop(name, None)
        self.n_iter_ = self.t_ = self._no_improvement_count = 0
        self.loss_curve_: list[float] = []
        stopping = self.early_stopping
        self.best_loss_ = None if stopping else np.inf
        self.validation_scores_: list[float] | None = [] if stopping else None
        self.validation_loss_curve_: list[float] | None = [] if stopping else None
        self.best_validation_score_ = -np.inf if stopping else None

    def _continue(self, rows: Rows) -> None:
        """Keep the weights; change what parameters without weights say of the network."""
        net, shape = self._connect(rows.x.dtype), self._architecture(rows)
        if check_layout(self._layout, shape.settings()):
            self._build(shape, rows.x.dtype, int(self._random_state.randint(2**31)) if shape.random else 0)
            values = net.state_dict().values()  # in the order of the layers, whatever their names
            self._net.load_state_dict(dict(zip(self._net.state_dict(), values, strict=True)))
            self._show()
            if hasattr(self, "_optimizer"):
                self._optimizer.detach()

    def _hidden(self) -> tuple[list[Any], Any]:
        """Return the units of the hidden layers, and their activation or activations."""
        return np.atleast_1d(np.asarray(self.hidden_layer_sizes, dtype=object)).tolist(), self.activation

    def _full_batch_objective(self) -> FullBatchObjective:
        return FullBatchObjective(self._net, self._objective, float(self.alpha))

    def _training_run(
        self,
        rows: Rows,
        held_out: Rows | None,
        incremental: bool,
        checkpoint: EstimatorCheckpoint | None = None,
    ) -> EstimatorRun:
        """Return a training by epochs that is yet to run."""
        if not hasattr(self, "_optimizer") or self._optimizer.settings != settings_of(self):
            self._optimizer = Solver(self, self._net)
        self._optimizer.attach(self, self._net)
        if self.early_stopping and held_out is None:
            rows, held_out = self._split(rows)
        self._begin_curves(held_out is not None)
        self._check_sizes(rows.x.shape[0])
        order = getattr(self, "_row_order", None)
        if order is None or not order.continues(rows.x.shape[0], self._random_state):
            self._row_order = RowOrder(rows.x.shape[0], self._random_state)
        if not incremental:
            self.n_iter_ = 0
        if checkpoint is not None:
            checkpoint.begin(self, rows, held_out)
        return EstimatorRun(self, rows, held_out, incremental, checkpoint)

    def _begin_curves(self, validated: bool) -> None:
        """Have the best values so far, also where a parameter was changed between two fits."""
        now = {"loss": self._objective.name, "scoring": self.scoring}
        compared = self.__dict__.setdefault("_compared", now)
        if compared["loss"] != now["loss"]:
            self.best_loss_, self._no_improvement_count = None if self.early_stopping else np.inf, 0
        if compared["scoring"] != now["scoring"]:
            self.best_validation_score_, self._no_improvement_count = None, 0
        self._compared = now
        if validated and getattr(self, "validation_scores_", None) is None:
            self.validation_scores_, self.validation_loss_curve_ = [], []
        if self.early_stopping and getattr(self, "best_validation_score_", None) is None:
            self.best_validation_score_, self.best_loss_ = -np.inf, None
        if not self.early_stopping and self.best_loss_ is None:
            self.best_loss_ = np.inf

    def _split(self, rows: Rows) -> tuple[Rows, Rows]:
        """Hold out a share of the rows, drawn as scikit-learn draws it."""
        with naming_a_class_of_one_row(rows.labels, type(self).__name__):
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
            return None, self._requested_scorer(held_out)
        metric = self._metric() if held_out.x.shape[0] > 1 else None
        return metric, lambda: self._score_of(self._net.predict(held_out.x), held_out)

    def _requested_scorer(self, rows: Rows) -> Any:
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
