"""fit_many: folds x seeds x parameters as one job."""

from __future__ import annotations

import copy
import sys
import time
import warnings
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import ParameterGrid, check_cv
from sklearn.utils import check_random_state, indexable

import cmlp
from cmlp._arguments import check_arguments
from cmlp.estimators._sklearn_compat import num_samples, safe_indexing
from cmlp.estimators.base import BaseMLP
from cmlp.estimators.parallel_fits import Data, fit_in_parallel, has_own
from cmlp.estimators.results import Fit, ManyFits, Split


def fit_many(
    estimator: Any,
    X: Any,
    y: Any,
    param_grid: Any = None,
    *,
    cv: Any = None,
    groups: Any = None,
    seeds: Iterable[int] | None = None,
    sample_weight: Any = None,
    scoring: Any = None,
    error_score: float | str = np.nan,
    n_threads: int | None = None,
) -> ManyFits:
    """Fit an estimator with many settings, seeds and folds, as one native job.

    Each fit has the bits of its own ``clone(estimator).set_params(**params, random_state=seed)`` fitted to
    ``X[train], y[train]``: weights, curves, counts and the random stream it continues. Rows are checked
    and encoded once a fold; the trainings run over the core's threads, one on each, with the GIL released.
    Python is called only if needed, after each epoch: ``callbacks``, a ``scoring`` of the
    estimator's, ``verbose``, orders drawn from a RandomState that is given. solver="lbfgs" is SciPy's and
    takes Python's threads.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Not changed, and fitted or not.
    X, y
        As ``fit`` takes them.
    param_grid : dict or list of dict, default=None
        As :class:`sklearn.model_selection.ParameterGrid` takes it; None: the estimator as it is.
    cv : int, splitter, or iterable of (train, test), default=None
        As in scikit-learn, stratified for a classifier; None: every fit takes all rows and none is scored.
    groups : array-like of shape (n_samples,), default=None
        For the splitter.
    seeds : iterable of int, default=None
        The ``random_state`` of each; None: the estimator's or the grid's own, and where that is None one
        drawn for each fit.
    sample_weight : array-like of shape (n_samples,), default=None
        Of the rows in training.
    scoring : str or callable, default=None
        A scorer of scikit-learn for the rows held out; None: the estimator's ``score``.
    error_score : "raise" or float, default=nan
        Raise what a fit raised, or warn and score it so.
    n_threads : int, default=None
        Fits at a time; None: as many as there are threads.

    Returns
    -------
    ManyFits

    Examples
    --------
    >>> from cmlp import MLPClassifier, fit_many
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.preprocessing import scale
    >>> X, y = load_wine(return_X_y=True)
    >>> model = MLPClassifier((16,), max_iter=30, tol=0.01, n_iter_no_change=5)
    >>> fits = fit_many(model, scale(X), y, {"learning_rate_init": [0.0001, 0.05]}, cv=3, seeds=range(2))
    >>> len(fits), fits.best_params_, fits.best_score_ > 0.9
    (12, {'learning_rate_init': 0.05}, True)
    """
    if not isinstance(estimator, BaseMLP):
        raise ValueError(f"fit_many: {estimator!r} is not an estimator of cmlp")
    if scoring is not None and cv is None:
        raise ValueError("fit_many: scoring is of the rows that cv holds out, and cv is None")
    if isinstance(error_score, str) and error_score != "raise":
        raise ValueError(f"fit_many: error_score is {error_score!r}, it must be 'raise' or a number")
    if n_threads is not None and n_threads < 1:
        raise ValueError(f"fit_many: n_threads is {n_threads}, it must be at least 1")
    X, y, sample_weight, groups = indexable(X, y, sample_weight, groups)
    splits = _splits(estimator, X, y, cv, groups)
    fits = _unfitted(estimator, ParameterGrid(param_grid or {}), len(splits), seeds)
    if not fits:
        raise ValueError("fit_many: param_grid, cv or seeds is empty, there is nothing to fit")
    data = [Data(*_taken((X, y, sample_weight), train)) for train, _ in splits]
    threads = n_threads or cmlp.get_num_threads()
    outcomes = fit_in_parallel([(fit.estimator, data[fit.fold]) for fit in fits], threads)
    for fit, outcome in zip(fits, outcomes, strict=True):
        fit.error, fit.fit_time = outcome.error, outcome.seconds
    _report(fits, error_score)
    if cv is not None:
        tests = [HeldOut(*_taken((X, y), test)) for _, test in splits]
        for fit in fits:
            _score(fit, tests[fit.fold], scoring, error_score)
    return ManyFits(fits, splits)


def _splits(estimator: Any, x: Any, y: Any, cv: Any, groups: Any) -> list[Split]:
    if cv is None:
        return [(np.arange(num_samples(x)), np.arange(0))]
    return list(check_cv(cv, y, classifier=is_classifier(estimator)).split(x, y, groups))


def _unfitted(estimator: Any, grid: ParameterGrid, folds: int, seeds: Any) -> list[Fit]:
    """Return the fits there will be, their estimators made and their parameters checked."""
    given = seeds if seeds is None or not isinstance(seeds, Iterable) else list(seeds)
    if given is not None and not (isinstance(given, list) and all(isinstance(s, Integral) for s in given)):
        raise ValueError(f"fit_many: seeds is {seeds!r}, it must be integers: range(3), say")
    fits = []
    for candidate, params in enumerate(grid):
        if given is not None and "random_state" in params:
            raise ValueError("fit_many: random_state is in param_grid, and seeds are given")
        model = clone(estimator).set_params(**params)
        model._validate_params()
        for fold in range(folds):
            for seed in [_seed_of(model)] if given is None else given:
                fits.append(Fit(_copy(model, seed), params, candidate, fold, seed))
    return fits


def _seed_of(model: Any) -> int | None:
    """Return its integer as a seed, one drawn where it has none, and None for a RandomState."""
    if model.random_state is None:
        return int(check_random_state(None).randint(2**31))
    return None if isinstance(model.random_state, np.random.RandomState) else int(model.random_state)


def _copy(model: Any, seed: int | None) -> Any:
    """Return what clone would, in a tenth of the time."""
    made = object.__new__(type(model))
    vars(made).update(copy.deepcopy(vars(model)))
    if seed is not None:
        made.random_state = seed
    return made


def _taken(arrays: Iterable[Any], rows: npt.NDArray[Any]) -> list[Any]:
    return [None if array is None else safe_indexing(array, rows) for array in arrays]


def _report(fits: Sequence[Fit], error_score: float | str) -> None:
    """Raise the first error or warn of all."""
    failed = [fit for fit in fits if fit.error is not None]
    if not failed:
        return
    if error_score == "raise":
        raise failed[0].error  # type: ignore[misc]
    reasons = "\n".join(sorted({f"{type(fit.error).__name__}: {fit.error}" for fit in failed}))
    warnings.warn(f"{len(failed)} of {len(fits)} fits failed:\n{reasons}", FitFailedWarning, stacklevel=3)


class HeldOut:
    """Rows held out, checked once for the estimators that take them alike."""

    def __init__(self, x: Any, y: Any) -> None:
        self.x: Any = x
        self.y: Any = y
        self.checked: dict[int, Any] = {}

    def x_for(self, model: Any) -> Any:
        """Return the rows as the model's network takes them."""
        imputer = id(getattr(model, "_imputer", None))  # one a fold
        if imputer not in self.checked:
            self.checked[imputer] = model._checked(self.x)
        return self.checked[imputer]


def _score(fit: Fit, test: HeldOut, scoring: Any, error_score: float | str) -> None:
    started = time.perf_counter()
    try:
        lost = fit.error is not None
        fit.test_score = float(error_score) if lost else _scored(fit.estimator, test, scoring)
    except Exception as error:
        if error_score == "raise":
            raise
        fit.test_score = float(error_score)
        warnings.warn(f"Scoring failed: {type(error).__name__}: {error}", UserWarning, stacklevel=3)
    fit.score_time = time.perf_counter() - started


def _scored(model: Any, test: HeldOut, scoring: Any) -> float:
    if scoring is not None or has_own(model, "predict", "score"):
        return float(check_scoring(model, scoring=scoring)(model, test.x, test.y))
    outputs = model._outputs_of(test.x_for(model))
    return model._score_labels(test.y, model._predicted(outputs))  # type: ignore[no-any-return]


check_arguments(sys.modules[__name__])
