"""Weights and curves beside scikit-learn's: same seed, same float64 data, 20 epochs."""

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, make_multilabel_classification
from sklearn.preprocessing import scale

from cmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
EPOCHS, CLOSE = 20, 1e-10
RATES = ("constant", "invscaling", "adaptive")
MOMENTA = {"plain": (0.0, False), "momentum": (0.9, False), "nesterov": (0.9, True)}
SETTINGS = {
    **{
        f"sgd-{rate}-{name}": {
            "solver": "sgd",
            "learning_rate": rate,
            "learning_rate_init": 0.05,
            "momentum": momentum,
            "nesterovs_momentum": nesterov,
        }
        for rate in RATES
        for name, (momentum, nesterov) in MOMENTA.items()
    },
    "adaptive-decreases": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.05,
        "n_iter_no_change": 1,
        "tol": 0.05,
    },
    "adam": {},
    "adam-batches": {"batch_size": 37, "beta_1": 0.8, "epsilon": 1e-4},
    "adam-in-order": {"shuffle": False},
    "adam-early-stopping": {"early_stopping": True, "validation_fraction": 0.2, "n_iter_no_change": 3},
    "lbfgs": {"solver": "lbfgs"},
    "logistic": {"activation": "logistic", "hidden_layer_sizes": (20, 10)},
    "tanh": {"activation": "tanh", "hidden_layer_sizes": (20, 10)},
    "identity": {"activation": "identity", "alpha": 0.1},
    "lbfgs-tanh": {"solver": "lbfgs", "activation": "tanh", "alpha": 0.1},
    "no-hidden-layer": {"hidden_layer_sizes": ()},
}


def digits():
    x, y = load_digits(return_X_y=True)
    return x[:400] / 16, y[:400]


def diabetes():
    x, y = load_diabetes(return_X_y=True)
    return x, scale(y)


def cancer():
    x, y = load_breast_cancer(return_X_y=True)
    return scale(x), y


def several_labels():
    x, y = make_multilabel_classification(200, random_state=0)
    return x / 10, y


PROBLEMS = {
    "several classes": (MLPClassifier, neural_network.MLPClassifier, digits),
    "two classes": (MLPClassifier, neural_network.MLPClassifier, cancer),
    "several labels": (MLPClassifier, neural_network.MLPClassifier, several_labels),
    "regression": (MLPRegressor, neural_network.MLPRegressor, diabetes),
}


def compare(ours, theirs, x, y, weight=None):
    ours.fit(x, y, weight), theirs.fit(x, y, weight)
    assert ours.n_iter_ == theirs.n_iter_
    for a, b in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=CLOSE)
    assert ours.loss_ == pytest.approx(theirs.loss_, abs=CLOSE)
    for name in ("loss_curve_", "validation_scores_"):
        theirs_, ours_ = getattr(theirs, name, None), getattr(ours, name, None)
        if theirs_ is not None:
            np.testing.assert_allclose(ours_, theirs_, rtol=0, atol=CLOSE)
    for name in ("best_loss_", "best_validation_score_", "t_", "out_activation_", "n_layers_", "n_outputs_"):
        if getattr(theirs, name, None) is not None:
            assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=CLOSE)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x), rtol=0, atol=1e-8)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_same_weights_and_curve(problem, settings):
    ours, theirs, data = problem
    given = {"random_state": 3, "max_iter": EPOCHS, **settings}
    compare(ours(**given), theirs(**given), *data())


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_poisson(solver):
    x, _ = diabetes()
    y = np.random.RandomState(0).poisson(np.exp(3 * x[:, 0]))
    given = {"loss": "poisson", "solver": solver, "random_state": 3, "max_iter": EPOCHS}
    compare(MLPRegressor(**given), neural_network.MLPRegressor(**given), x, y)


@pytest.mark.parametrize("batch_size", ["auto", 37, 10**6])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("problem", ["two classes", "regression"])
def test_weighted_rows(problem, settings, batch_size):
    ours, theirs, data = PROBLEMS[problem]
    x, y = data()
    size = min(len(y), batch_size) if isinstance(batch_size, int) else batch_size
    weight = np.random.RandomState(0).uniform(0.5, 2, len(y))
    given = {"random_state": 3, "max_iter": EPOCHS, "batch_size": size} | settings
    if given.get("early_stopping") and size == len(y):
        given["batch_size"] = 200
    compare(ours(**given), theirs(**given), x, y, weight)


@pytest.mark.parametrize("settings", [{}, {"solver": "sgd", "learning_rate": "adaptive"}], ids=str)
@pytest.mark.parametrize("batch_size", [32, 100])
def test_weighted_rows_until_the_end(settings, batch_size):
    """Training ends after the same epoch, and the adaptive rate falls in the same ones."""
    x, y = cancer()
    weight = np.random.RandomState(0).uniform(0, 2, len(y))
    given = {"random_state": 3, "batch_size": batch_size, "n_iter_no_change": 2, "tol": 1e-3, **settings}
    ours, theirs = MLPClassifier(**given), neural_network.MLPClassifier(**given)
    ours.fit(x, y, weight), theirs.fit(x, y, weight)
    assert ours.n_iter_ == theirs.n_iter_ < 200
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-6)


def test_gradient_of_several_outputs_is_that_of_the_loss():
    """scikit-learn's issue 8349: its gradient is `outputs` times that of its loss."""
    rng = np.random.RandomState(0)
    x, y = rng.normal(size=(50, 4)), rng.normal(size=(50, 3))
    model = MLPRegressor(hidden_layer_sizes=(5,), activation="tanh", solver="lbfgs", random_state=0)
    model.fit(x, y)
    packed = np.concatenate([a.ravel() for a in model.coefs_ + model.intercepts_]) + 0.1
    _, slope = model._loss_grad_lbfgs(packed, x, y, None)
    for at in range(len(packed)):
        step = np.zeros_like(packed)
        step[at] = 1e-6
        up, down = (model._loss_grad_lbfgs(packed + sign * step, x, y, None)[0] for sign in (1, -1))
        assert slope[at] == pytest.approx((up - down) / 2e-6, abs=1e-8)
