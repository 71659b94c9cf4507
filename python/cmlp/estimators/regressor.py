"""MLPRegressor: scikit-learn's, over the core."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d

from cmlp._foreign_names import names_arguments
from cmlp.estimators import constraints
from cmlp.estimators._sklearn_compat import RegressorMixin, available_if, fit_context
from cmlp.estimators.documentation import documented
from cmlp.estimators.losses import regression
from cmlp.estimators.solvers import learns_in_parts
from cmlp.estimators.targets import NumericTargets
from cmlp.estimators.training_run import Rows
from cmlp.estimators.validation import validation_set


@documented
class MLPRegressor(RegressorMixin, NumericTargets):
    """A multilayer perceptron that predicts numbers: a drop-in for scikit-learn's, and more by keyword.

    Up to ``max_fun`` the parameters are scikit-learn's, with its names, defaults and meaning; in float64 the
    same seed gives its weights and its curve. For several outputs the gradient is that of the loss, the mean
    over the outputs, where scikit-learn's is as many times as large (its issue 8349).

    Parameters
    ----------
    loss : str or Loss, default="squared_error"
        Half the squared error; "poisson": the network gives the logarithm of the mean; "gaussian_nll": it
        gives a mean and the logarithm of a variance for each target; or any of :func:`cmlp.losses` of
        numbers: "l1", "huber", "gamma_deviance", ``nn.HuberLoss(delta=2.0)``.
    {sklearn_parameters}
    {own_parameters}
    target_transform : {"standardize"}, default=None
        "standardize": train on ``(y - mean) / standard deviation`` of each target (weighted by
        ``sample_weight``) and predict in the units of y. ``loss_curve_``, ``tol`` and settings of the loss
        refer to standardized targets. Not for losses of log means ("poisson").

    Attributes
    ----------
    target_scaler_ : StandardScaler
        Of y, with ``target_transform``.
    {attributes}

    Examples
    --------
    >>> from cmlp import MLPRegressor
    >>> from sklearn.datasets import make_regression
    >>> X, y = make_regression(200, 5, random_state=0)
    >>> model = MLPRegressor(hidden_layer_sizes=(32,), solver="lbfgs", random_state=0, max_iter=1000, tol=0.1)
    >>> model.fit(X, y).score(X, y) > 0.99
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = constraints.REGRESSOR

    @names_arguments
    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int | str = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        batch_norm: bool = False,
        layer_norm: bool = False,
        residual: bool = False,
        init: str = "sklearn",
        schedule: Any = None,
        clip_grad_norm: float | None = 0.0,
        max_steps: int | None = None,
        scoring: Any = None,
        callbacks: Any = None,
        missing: str | None = None,
        dtype: str | None = None,
        n_threads: int | None = None,
        time_limit: float | None = None,
        transform_layer: int = -1,
        target_transform: Literal["standardize"] | None = None,
    ) -> None:
        self._keep(locals())

    def _validate_params(self) -> None:
        loss = self.loss
        if isinstance(loss, list | tuple | int):
            raise ValueError(
                f"MLPRegressor: the first argument, loss, is {loss!r}; sizes of layers are given by name:"
                f" MLPRegressor(hidden_layer_sizes={loss!r})"
            )
        super()._validate_params()  # type: ignore[misc]  # of scikit-learn's BaseEstimator

    # ---- targets

    def _targets(self, y: Any, first: bool, incremental: bool, trained_on: bool) -> npt.NDArray[Any]:
        objective = regression(self.loss) if trained_on else self._objective
        objective.check(y)
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        targets: npt.NDArray[Any] = np.ascontiguousarray(y.reshape(len(y), -1))
        if trained_on:
            self._take_objective(objective, targets.shape[1], first)
        return targets

    def _outputs(self, y: npt.NDArray[Any]) -> int:
        return int(y.shape[1])

    def _metric(self) -> str | None:
        return None if self._objective.kind == "quantiles" else "r2"

    def _score_of(self, z: npt.NDArray[Any], rows: Rows) -> float:
        means = self._prediction_from(z)
        known = len(means) > 1 and np.isfinite(means).all()
        return float(r2_score(rows.y, means, sample_weight=rows.weight)) if known else np.nan

    def _prediction_from(self, z: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return super()._prediction_from(z)[:, : self.n_outputs_]

    def _predicted(self, z: npt.NDArray[Any]) -> npt.NDArray[Any]:
        means = self._in_units(self._prediction_from(z))
        return means.ravel() if self.n_outputs_ == 1 else means

    def _score_labels(self, y: Any, predicted: Any) -> float:
        """Return what ``score`` does, R^2."""
        return float(r2_score(y, predicted))

    # ---- the public face

    @fit_context(prefer_skip_nested_validation=True)
    @documented
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        eval_set: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        checkpoint: Any = None,
        every: int = 1,
        resume: bool = False,
    ) -> Self:
        """Fit to rows and their values.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
            float32 and float64 are taken as they are, other numbers become float64.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            Weight 2 is the row twice, 0 the row absent.
        {validation}
        {checkpoints}

        Returns
        -------
        MLPRegressor
            Itself.
        """
        validation = validation_set(eval_set, X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, validation, checkpoint=(checkpoint, every, resume))

    @available_if(learns_in_parts)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one more epoch on these rows, as in ``fit``."""
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the predicted values.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        return_std : bool, default=False
            For ``loss="gaussian_nll"``: return the standard deviation of y by each row as well.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs), of the network's dtype, or two of them

        Examples
        --------
        >>> import numpy as np
        >>> from cmlp import MLPRegressor
        >>> X = np.linspace(1, 3, 500)[:, None]
        >>> y = X[:, 0] + X[:, 0] * np.random.default_rng(0).normal(size=500)
        >>> model = MLPRegressor("gaussian_nll", (16,), solver="lbfgs", alpha=0.01, random_state=0).fit(X, y)
        >>> mean, deviation = model.predict([[1.0], [3.0]], return_std=True)
        >>> bool(deviation[0] < 1.5), bool(deviation[1] > 2.5)
        (True, True)
        """
        z = self._raw(X)
        if not return_std:
            return self._predicted(z)
        if self._objective.columns == 1:
            raise ValueError("predict: return_std needs loss='gaussian_nll', which learns a variance")
        deviation = np.exp(z[:, self.n_outputs_ :] / 2)
        if "target_scaler_" in self.__dict__:
            deviation *= self.target_scaler_.scale_.astype(z.dtype)
        return self._predicted(z), deviation.ravel() if self.n_outputs_ == 1 else deviation

    def _loss_grad_lbfgs(self, packed: Any, X: Any, y: Any, sample_weight: Any, *_: Any) -> Any:
        """Return loss and gradient, as scikit-learn's method of this name does."""
        return self._full_batch_objective()(packed, X, y, sample_weight)
