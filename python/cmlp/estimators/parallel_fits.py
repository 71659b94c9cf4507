"""Many estimators trained in parallel: their rows checked once, one native job over the threads."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sklearn import config_context, get_config

from cmlp import _core
from cmlp.estimators.classifier import MLPClassifier
from cmlp.estimators.regressor import MLPRegressor
from cmlp.estimators.training_run import EstimatorRun, Rows
from cmlp.runtime import Execution

# The parameters that rows depend on.
_ENCODING = ("dtype", "missing", "class_weight", "loss", "target_transform")


@dataclass
class Outcome:
    """How a fit went."""

    error: Exception | None = None
    seconds: float = 0.0


class Data:
    """The arguments of ``fit``, for several estimators."""

    def __init__(self, x: Any, y: Any, weight: Any = None, eval_set: Any = None) -> None:
        self.x: Any = x
        self.y: Any = y
        self.weight: Any = weight
        self.eval_set: Any = eval_set
        self.checked: list[tuple[list[Any], dict[str, Any], Rows, Rows | None]] = []

    def rows_for(self, estimator: Any) -> tuple[Rows, Rows | None]:
        """Return the checked rows and those held out, having set the estimator's columns and classes."""
        encoding = [type(estimator), *(getattr(estimator, name, None) for name in _ENCODING)]
        for known, learned, rows, held_out in self.checked:
            if known == encoding:
                vars(estimator).update(learned)
                return rows, held_out
        before = set(vars(estimator))
        rows = estimator._rows(self.x, self.y, self.weight, first=True, incremental=False)
        rows, _ = estimator._split_off(rows, first=True)
        held_out = estimator._evaluated(self.eval_set)
        learned = {name: value for name, value in vars(estimator).items() if name not in before}
        self.checked.append((encoding, learned, rows, held_out))
        return rows, held_out


def fit_in_parallel(jobs: Sequence[tuple[Any, Data]], n_threads: int) -> list[Outcome]:
    """Fit every estimator, a new one with checked parameters, to its data.

    Those that train by epochs are one job of the core; others (L-BFGS is SciPy's, estimators with a ``fit``
    of their own) take Python's threads. Each ends as its own ``fit`` would have left it.
    """
    outcomes = [Outcome() for _ in jobs]
    pairs = list(zip(jobs, outcomes, strict=True))
    others = [has_own(estimator, "fit") or estimator.solver == "lbfgs" for estimator, _ in jobs]
    with config_context(skip_parameter_validation=True):
        _fit_natively([job for job, other in zip(pairs, others, strict=True) if not other], n_threads)
        share = max(1, n_threads // max(1, sum(others)))
        with ThreadPoolExecutor(n_threads) as threads:
            for (job, outcome), other in zip(pairs, others, strict=True):
                if other:
                    threads.submit(_fit, *job, outcome, share, get_config())
    return outcomes


def _fit_natively(jobs: Sequence[tuple[tuple[Any, Data], Outcome]], n_threads: int) -> None:
    runs = []
    for job, outcome in jobs:
        try:
            runs.append((_run_of(*job), outcome))
        except Exception as error:
            outcome.error = error
    _core.run_fits([run.native for run, _ in runs], n_threads)
    for run, outcome in runs:
        _end(run, outcome)


def has_own(estimator: Any, *methods: str) -> bool:
    """Return whether these methods are others than those of MLPClassifier and MLPRegressor."""
    bases = (MLPClassifier, MLPRegressor)
    return any(all(getattr(type(estimator), m) is not getattr(b, m) for b in bases) for m in methods)


def _run_of(estimator: Any, data: Data) -> EstimatorRun:
    rows, held_out = data.rows_for(estimator)
    estimator._begin(rows, first=True)
    run: EstimatorRun = estimator._training_run(rows, held_out, incremental=False)
    return run


def _end(run: EstimatorRun, outcome: Outcome) -> None:
    outcome.seconds = run.native.seconds
    try:
        run.check()
    except Exception as error:
        outcome.error = error
    finally:
        run.estimator._net.eval()


def _fit(estimator: Any, data: Data, outcome: Outcome, n_threads: int, config: dict[str, Any]) -> None:
    """Fit in a thread of its own, with scikit-learn's configuration of the calling one."""
    started = time.perf_counter()
    more = {"sample_weight": data.weight, "eval_set": data.eval_set}
    try:
        with config_context(**config), Execution(n_threads):
            estimator.fit(
                data.x, data.y, **{name: value for name, value in more.items() if value is not None}
            )
    except Exception as error:
        outcome.error = error
    outcome.seconds = time.perf_counter() - started
