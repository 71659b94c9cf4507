"""solver="lbfgs": its callbacks, and the options that need batches and are rejected."""

import time

import numpy as np
import pytest
from sklearn.datasets import load_iris

from cmlp import MLPClassifier, optim

X, Y = load_iris(return_X_y=True)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def model(**settings):
    return MLPClassifier((8,), solver="lbfgs", random_state=0, **settings)


def test_callbacks_see_every_iteration_and_may_end_it():
    recorded = []

    def record(values):
        recorded.append((values["epoch"], values["loss"], values["estimator"].predict_proba(X)))
        return len(recorded) < 4

    stopped = model(callbacks=[record]).fit(X, Y)
    assert [epoch for epoch, _, _ in recorded] == [0, 1, 2, 3]
    assert stopped.n_iter_ == 4
    assert stopped.loss_ == recorded[-1][1]
    assert np.array_equal(stopped.predict_proba(X), recorded[-1][2])
    four = model(max_iter=4).fit(X, Y)
    assert np.array_equal(stopped.coefs_[0], four.coefs_[0])


def test_a_callback_changes_nothing():
    observed = model(max_iter=30, callbacks=[lambda values: None]).fit(X, Y)
    alone = model(max_iter=30).fit(X, Y)
    assert np.array_equal(observed.coefs_[0], alone.coefs_[0])
    assert observed.loss_curve_ == alone.loss_curve_


def test_the_curve_is_of_iterations():
    fitted = model(max_iter=30).fit(X, Y)
    assert len(fitted.loss_curve_) == fitted.n_iter_ == 30
    assert fitted.loss_curve_[-1] == fitted.loss_
    assert (np.diff(fitted.loss_curve_) < 0).all()


def test_time_limit():
    slow = model(max_iter=10**6, tol=0, time_limit=0.02, callbacks=[lambda values: time.sleep(0.005)])
    assert 1 <= slow.fit(X, Y).n_iter_ < 100


def test_progress_bar(capsys):
    assert model(max_iter=3, verbose="bar").fit(X, Y).n_iter_ == 3
    shown = capsys.readouterr()
    assert "3/3" in shown.err
    assert "loss =" not in shown.out


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"dropout": 0.1}, "dropout"),
        ({"input_dropout": 0.1}, "input_dropout"),
        ({"clip_grad_norm": 1.0, "max_steps": 5}, "clip_grad_norm, max_steps"),
        ({"schedule": lambda optimizer: optim.lr_scheduler.StepLR(optimizer, 2)}, "schedule"),
    ],
)
def test_what_only_batches_have_is_refused(settings, name):
    with pytest.raises(ValueError, match=f"solver='lbfgs' sees all rows at once and takes no {name}"):
        model(**settings).fit(X, Y)


def test_eval_set_is_refused():
    with pytest.raises(ValueError, match="takes no eval_set"):
        model().fit(X, Y, eval_set=(X, Y))


def test_early_stopping_is_without_effect_as_in_scikit_learn():
    stopping = model(max_iter=5, early_stopping=True).fit(X, Y)
    assert np.array_equal(stopping.coefs_[0], model(max_iter=5).fit(X, Y).coefs_[0])
