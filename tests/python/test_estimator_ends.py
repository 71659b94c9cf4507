"""Every way a fit of an estimator may end: what is counted then, and that the estimator is usable."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from cmlp import MLPClassifier, MLPRegressor
from cmlp.estimators.lbfgs import FullBatchObjective

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = X[:, 0] + X[:, 1] ** 2
KINDS = {"classifier": (MLPClassifier, (Y > 0).astype(int)), "regressor": (MLPRegressor, Y)}
EPOCH = len(X)  # rows; in batches of 20


def in_epoch_3(kind):
    """A callback that ends the fit when it is called for the third time."""
    calls = []

    def callback(event):
        calls.append(event)
        if len(calls) < 3:
            return None
        if kind == "stop":
            return event.stop()
        if isinstance(kind, type):
            raise kind
        return kind

    return callback


# name: parameters, exception, epochs, rows of the last epoch
ENDS = {
    "max_iter": (dict, None, 6, EPOCH),
    "False": (lambda: {"callbacks": in_epoch_3(False)}, None, 3, EPOCH),
    "stop": (lambda: {"callbacks": in_epoch_3("stop")}, None, 3, EPOCH),
    "exception": (lambda: {"callbacks": in_epoch_3(RuntimeError)}, RuntimeError, 3, EPOCH),
    "Ctrl-C": (lambda: {"callbacks": in_epoch_3(KeyboardInterrupt)}, KeyboardInterrupt, 3, EPOCH),
    "time_limit": (lambda: {"time_limit": 1e-9}, None, 1, 20),
    "max_steps": (lambda: {"max_steps": 7}, None, 3, 20),
    "tol": (lambda: {"tol": 1e9, "n_iter_no_change": 1}, None, 3, EPOCH),
}
BY_BATCHES = ("max_steps", "tol")  # lbfgs does not have it, or has a rule of its own
CASES = [(solver, end, early) for solver in ("adam", "sgd") for end in ENDS for early in (False, True)]
CASES = [case for case in CASES if case[1:] != ("tol", True)]  # there its rule is that of the scores
CASES += [("lbfgs", end, early) for end in ENDS if end not in BY_BATCHES for early in (False, True)]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:Training interrupted")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("solver", "end", "early_stopping"), CASES)
def test_what_is_counted(solver, end, early_stopping, kind):
    make, error, epochs, last = ENDS[end]
    cls, y = KINDS[kind]
    batches = {} if solver == "lbfgs" else {"batch_size": 20}
    settings = {"hidden_layer_sizes": (5,), "max_iter": 6, "random_state": 0, "solver": solver, **batches}
    if early_stopping:  # 60 rows are trained on then, too
        settings |= {"early_stopping": True, "validation_fraction": 0.25, "n_iter_no_change": 99}
    x, y = (np.tile(X, (4, 1))[:80], np.tile(y, 4)[:80]) if early_stopping and solver != "lbfgs" else (X, y)
    model = cls(**{**settings, **make()})
    raised = (
        error if solver == "lbfgs" or error is not KeyboardInterrupt else None
    )  # Ctrl-C ends others quietly
    with pytest.raises(raised) if raised else contextlib.nullcontext():
        model.fit(x, y)
    assert (model.n_iter_, len(model.loss_curve_)) == (epochs, epochs)
    assert model.t_ == (0 if solver == "lbfgs" else EPOCH * (epochs - 1) + last)
    assert model.loss_ == model.loss_curve_[-1]
    assert model.best_loss_ == (None if early_stopping else min(model.loss_curve_))
    if early_stopping and solver != "lbfgs":
        scored = epochs if last == EPOCH else epochs - 1
        assert len(model.validation_scores_) == len(model.validation_loss_curve_) == scored
        assert model.best_validation_score_ == max(model.validation_scores_, default=-np.inf)
    assert not model.net_.training
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_interruption_between_two_iterations_of_lbfgs(monkeypatch):
    """Without a callback, too, the counts are those of the iterations done."""
    calls, evaluate = [], FullBatchObjective.__call__

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 12:
            raise KeyboardInterrupt
        return evaluate(*args)

    monkeypatch.setattr(FullBatchObjective, "__call__", interrupted)
    model = MLPRegressor(hidden_layer_sizes=(5,), solver="lbfgs", random_state=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert 1 < model.n_iter_ == len(model.loss_curve_) < 12
    assert model.loss_ == model.loss_curve_[-1]
    assert model.best_loss_ == min(model.loss_curve_)
    assert not model.net_.training
    calls.extend([()] * 20)
    before = len(model.loss_curve_)
    model.set_params(warm_start=True, max_iter=4).fit(X, Y)
    assert model.best_loss_ == min(model.loss_curve_)
    assert (model.n_iter_, len(model.loss_curve_)) == (4, before + 4)
