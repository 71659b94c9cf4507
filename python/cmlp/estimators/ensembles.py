"""Ensembles: networks that differ in their seed, trained side by side; their mean and how far they differ."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

import cmlp
from cmlp._foreign_names import names_arguments
from cmlp.estimators._sklearn_compat import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    fit_context,
)
from cmlp.estimators.classifier import MLPClassifier
from cmlp.estimators.constraints import COUNT
from cmlp.estimators.exclusive import fitting
from cmlp.estimators.parallel_fits import Data, fit_in_parallel
from cmlp.estimators.regressor import MLPRegressor
from cmlp.estimators.validation import validation_set


class Ensemble(MetaEstimatorMixin, BaseEstimator):
    """Base of both ensembles; not for use by itself."""

    _member: ClassVar[type]
    estimators_: list[Any]
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [],  # of the subclass
        "n_estimators": [COUNT],
        "random_state": ["random_state"],
        "n_threads": [COUNT, None],
    }

    @names_arguments
    def __init__(
        self,
        estimator: Any = None,
        n_estimators: int = 5,
        *,
        random_state: Any = None,
        n_threads: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.random_state = random_state
        self.n_threads = n_threads

    @fit_context(prefer_skip_nested_validation=False)
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
    ) -> Self:
        """Fit every member to the rows.

        Parameters
        ----------
        X, y, sample_weight, eval_set, X_val, y_val, sample_weight_val
            As the members' ``fit`` takes them.
        """
        with fitting(self):
            validation = validation_set(eval_set, X_val, y_val, sample_weight_val)
            return self._fit(Data(X, y, sample_weight, validation))

    def _fit(self, data: Data) -> Self:
        seeds = check_random_state(self.random_state).randint(2**31, size=self.n_estimators)
        base = self._member() if self.estimator is None else self.estimator
        base._validate_params()
        members = [clone(base).set_params(random_state=int(seed)) for seed in seeds]
        jobs = [(member, data) for member in members]
        for outcome in fit_in_parallel(jobs, self.n_threads or cmlp.get_num_threads()):
            if outcome.error is not None:
                raise outcome.error
        self.estimators_ = members
        first = self.estimators_[0]
        for name in ("n_features_in_", "feature_names_in_", "classes_", "n_outputs_"):
            if hasattr(first, name):
                setattr(self, name, getattr(first, name))
        return self

    def _predictions(self, X: Any, method: str) -> npt.NDArray[Any]:
        """Return each member's prediction, stacked."""
        check_is_fitted(self)
        return np.stack([getattr(each, method)(X) for each in self.estimators_])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        own = (self._member() if self.estimator is None else self.estimator).__sklearn_tags__()
        tags.input_tags = own.input_tags
        tags.target_tags = own.target_tags
        tags.classifier_tags = own.classifier_tags
        return tags


class MLPEnsembleClassifier(ClassifierMixin, Ensemble):
    """Several MLPs that differ only in their seed; the prediction is the mean of their probabilities.

    Lakshminarayanan, Pritzel and Blundell, NeurIPS 2017. The members are trained in parallel, one per thread;
    each has the bits of the same network fitted alone with its seed.

    Parameters
    ----------
    estimator : MLPClassifier, default=None
        What the members are like; None: ``MLPClassifier()``.
    n_estimators : int, default=5
    random_state : int, RandomState or None, default=None
        The members' seeds are drawn from it.
    n_threads : int, default=None
        Members trained at a time; None: as many as there are threads.

    Attributes
    ----------
    estimators_ : list of MLPClassifier
    classes_, n_features_in_, feature_names_in_
        As the members'.

    Examples
    --------
    >>> from cmlp import MLPClassifier
    >>> from cmlp.estimators import MLPEnsembleClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPEnsembleClassifier(MLPClassifier((16,), max_iter=50, tol=1), 3, random_state=0).fit(X, y)
    >>> model.predict_proba(X).shape, model.predict_spread(X).shape
    ((150, 3), (150, 3))
    """

    _member = MLPClassifier
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Ensemble._parameter_constraints,
        "estimator": [MLPClassifier, None],
    }

    def predict_proba(self, X: Any) -> npt.NDArray[Any]:
        """Return the mean of the members' probabilities, (n_samples, n_classes)."""
        mean: npt.NDArray[Any] = self._predictions(X, "predict_proba").mean(axis=0)
        return mean

    def predict_spread(self, X: Any) -> npt.NDArray[Any]:
        """Return the standard deviation of the members' probabilities, (n_samples, n_classes)."""
        spread: npt.NDArray[Any] = self._predictions(X, "predict_proba").std(axis=0)
        return spread

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the likeliest class of each row, or the labels above one half."""
        mean = self.predict_proba(X)
        labels: npt.NDArray[Any] = self.estimators_[0]._labels_of(mean, 0.5)
        return labels


class MLPEnsembleRegressor(RegressorMixin, Ensemble):
    """Several MLPs that differ only in their seed; the prediction is their mean.

    As :class:`MLPEnsembleClassifier`, of :class:`MLPRegressor`.

    Parameters
    ----------
    estimator : MLPRegressor, default=None
        What the members are like; None: ``MLPRegressor()``.
    n_estimators : int, default=5
    random_state : int, RandomState or None, default=None
    n_threads : int, default=None

    Attributes
    ----------
    estimators_ : list of MLPRegressor
    n_features_in_, feature_names_in_
        As the members'.

    Examples
    --------
    >>> from cmlp import MLPRegressor
    >>> from cmlp.estimators import MLPEnsembleRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> base = MLPRegressor(hidden_layer_sizes=(16,), max_iter=50, tol=1e9)
    >>> mean, spread = MLPEnsembleRegressor(base, 3, random_state=0).fit(X, y).predict(X, return_std=True)
    >>> mean.shape, spread.shape
    ((442,), (442,))
    """

    _member = MLPRegressor
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Ensemble._parameter_constraints,
        "estimator": [MLPRegressor, None],
    }

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the mean of the members' predictions, with ``return_std`` also a standard deviation.

        It is that of the members' predictions; where they learn a variance (``loss="gaussian_nll"``) it is
        that of their mixture, the mean of their variances included.
        """
        results = self._predictions(X, "predict")
        mean = results.mean(axis=0)
        if not return_std:
            return mean
        if self.estimators_[0]._objective.columns == 1:
            return mean, results.std(axis=0)
        own = np.stack([each.predict(X, return_std=True)[1] for each in self.estimators_])
        return mean, np.sqrt((own**2).mean(axis=0) + results.var(axis=0))
