"""QuantileMLPRegressor: several quantiles that do not cross, calibrated on rows held out."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, column_or_1d

from cmlp import nn
from cmlp.estimators import constraints
from cmlp.estimators._sklearn_compat import RegressorMixin, fit_context
from cmlp.estimators.constraints import SHARE
from cmlp.estimators.losses import Objective
from cmlp.estimators.parameters import arguments_of
from cmlp.estimators.regressor import MLPRegressor
from cmlp.estimators.targets import NumericTargets
from cmlp.estimators.training_run import Rows
from cmlp.estimators.validation import validation_set


class QuantileMLPRegressor(RegressorMixin, NumericTargets):
    """A multilayer perceptron that predicts several quantiles of y at once.

    It follows the pinball loss (Koenker and Bassett, 1978). A row's quantiles are put in order, so that they
    never cross (Chernozhukov, Fernandez-Val and Galichon, Econometrica 78, 2010). With
    ``calibration_fraction`` each is then shifted by residuals of held-out rows: on new rows of the same
    kind, y is below quantile q with a probability of at least q for q >= 1/2, of at most q below, whatever
    the network has learned (split conformal: Vovk, Gammerman and Shafer, 2005; Romano et al., NeurIPS 2019).

    Parameters
    ----------
    quantiles : array-like of float, default=(0.05, 0.5, 0.95)
        In (0, 1), rising.
    calibration_fraction : float, default=0.0
        Share of the rows held out to calibrate on; 0: no calibration.
    **more
        Every parameter of :class:`MLPRegressor` but ``loss``.

    Attributes
    ----------
    shifts_ : ndarray of shape (n_quantiles,)
        What calibration adds to each quantile.
    coefs_, intercepts_, loss_, loss_curve_, n_iter_ ...
        As in :class:`MLPRegressor`.

    Examples
    --------
    >>> import numpy as np
    >>> from cmlp.estimators import QuantileMLPRegressor
    >>> X = np.linspace(-1, 1, 400)[:, None]
    >>> y = X[:, 0] + np.random.default_rng(0).normal(size=400)
    >>> model = QuantileMLPRegressor([0.1, 0.9], calibration_fraction=0.25, tol=1, random_state=0)
    >>> low, high = model.fit(X, y).predict_quantiles(X).T
    >>> bool((low <= high).all()), bool(((low <= y) & (y <= high)).mean() > 0.7)
    (True, True)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **{name: rule for name, rule in constraints.REGRESSOR.items() if name != "loss"},
        "quantiles": ["array-like"],
        "calibration_fraction": [SHARE],
    }

    @arguments_of(MLPRegressor, without=("loss",))
    def __init__(
        self, quantiles: Any = (0.05, 0.5, 0.95), *, calibration_fraction: float = 0.0, **more: Any
    ) -> None:
        pass

    def _targets(self, y: Any, first: bool, incremental: bool, trained_on: bool) -> npt.NDArray[Any]:
        if trained_on:
            self._take_quantiles(first)
        return np.ascontiguousarray(column_or_1d(y, warn=True)[:, None])

    def _take_quantiles(self, first: bool) -> None:
        levels = np.asarray(self.quantiles)
        inside = (
            levels.dtype.kind in "iuf"
            and levels.ndim == 1
            and len(levels) > 0
            and levels[0] > 0
            and levels[-1] < 1
        )
        if not inside or not (np.diff(levels) > 0).all():
            raise ValueError(f"quantiles are {self.quantiles!r}, they must rise within (0, 1)")
        self._take_objective(Objective(nn.QuantileLoss(levels.astype(float)), "identity"), len(levels), first)

    def _outputs(self, y: npt.NDArray[Any]) -> int:
        return len(self.quantiles)

    def _prediction_from(self, z: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.sort(z, axis=1)

    def _score_of(self, z: npt.NDArray[Any], rows: Rows) -> float:
        targets = self._in_units(np.asarray(rows.y, z.dtype))
        return -float(self._objective.loss(self._in_units(self._prediction_from(z)), targets, rows.weight))

    @fit_context(prefer_skip_nested_validation=True)
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
        """Fit to rows and their values, (n_samples,); then calibrate.

        Parameters
        ----------
        X, y, sample_weight, eval_set, X_val, y_val, sample_weight_val, checkpoint, every, resume
            As in :meth:`MLPRegressor.fit`. Rows count alike in the calibration.
        """
        validation = validation_set(eval_set, X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, validation, checkpoint=(checkpoint, every, resume))

    def _split_off(self, rows: Rows, first: bool) -> tuple[Rows, Rows | None]:
        """Hold out the rows to calibrate on, which the scale of y must not depend on."""
        rows, rest = self._calibration_split(rows)
        train, _ = super()._split_off(rows, first)
        return train, None if rest is None else self._scaled(rest)

    def _calibration_split(self, rows: Rows) -> tuple[Rows, Rows | None]:
        """Return the two parts of the rows; refuse shares that leave too few for the quantiles."""
        self.shifts_: npt.NDArray[np.float64] = np.zeros(len(self.quantiles))
        count = rows.x.shape[0]
        size = math.ceil(_exact(self.calibration_fraction) * count)
        if not size:
            return rows, None
        for q in self.quantiles:
            if _rank(size, q) > size:
                raise ValueError(
                    f"calibration_fraction leaves {size} rows, too few for quantile {q}: n_samples={count}"
                )
        if size >= count:
            raise ValueError(f"calibration_fraction leaves no rows to train on: n_samples={count}")
        seed = check_random_state(self.random_state).randint(2**31)
        train, rest = train_test_split(np.arange(count), test_size=size, random_state=seed)
        return rows.take(train), rows.take(rest)

    def _calibrate(self, rows: Rows | None) -> None:
        """Set the shifts: the residual of rank ceil((n + 1) q) from the end that is further away."""
        if rows is None:
            return
        predicted = self._in_units(self._prediction_from(self._outputs_of(rows.x)).astype(float))
        residuals = np.sort(self._in_units(rows.y.astype(float)) - predicted, axis=0)
        for at, q in enumerate(self.quantiles):
            rank = _rank(len(residuals), q)
            self.shifts_[at] = residuals[rank - 1 if q >= 0.5 else len(residuals) - rank, at]

    def predict_quantiles(self, X: Any) -> npt.NDArray[Any]:
        """Return the quantiles of each row, (n_samples, n_quantiles), rising."""
        shifted = self._in_units(self._prediction_from(self._raw(X))) + self.shifts_.astype(
            self.coefs_[0].dtype
        )
        return np.sort(shifted, axis=1)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the quantile nearest to the median, (n_samples,)."""
        return self.predict_quantiles(X)[:, np.argmin(np.abs(np.asarray(self.quantiles) - 0.5))]

    def pinball_loss(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the mean pinball loss over rows and quantiles."""
        prediction = self.predict_quantiles(X)
        target = np.asarray(y, prediction.dtype)[:, None]
        return float(self._objective.loss(prediction, target, sample_weight))


def _exact(share: Any) -> Fraction:
    """Return a share as it is written: 0.07 is 7/100, not the float nearest to it."""
    return Fraction(str(share))


def _rank(rows: int, quantile: Any) -> int:
    """Return ceil((rows + 1) max(q, 1 - q))."""
    q = _exact(quantile)
    return math.ceil((rows + 1) * max(q, 1 - q))
