"""Parameters changed between two fits of one network: each takes effect or raises ValueError."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris

from cmlp import MLPClassifier, MLPRegressor, optim
from cmlp.estimators import MLPTransformer, QuantileMLPRegressor
from cmlp.estimators.warm_start import RULES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, CODES = load_iris(return_X_y=True)
HOLES = np.where(np.arange(4) == np.arange(150)[:, None] % 40, np.nan, X)
ESTIMATORS = {
    MLPClassifier: CODES,
    MLPRegressor: X[:, 0] / 5,
    QuantileMLPRegressor: X[:, 0],
    MLPTransformer: None,
}
SGD, STOP = {"solver": "sgd"}, {"early_stopping": True}
CALLED = []


def called(values):
    CALLED.append(values["epoch"])


def halved(optimizer):
    return optim.lr_scheduler.ExponentialLR(optimizer, 0.5)


# Parameter: settings of the first fit, the value that is changed to.
CHANGES = {
    "hidden_layer_sizes": ({}, (50, 20)),
    "activation": ({}, "tanh"),
    "dropout": ({}, 0.5),
    "input_dropout": ({}, 0.3),
    "batch_norm": ({}, True),
    "layer_norm": ({}, True),
    "residual": ({}, True),
    "init": ({}, "xavier_normal"),
    "target_transform": ({}, "standardize"),
    "dtype": ({}, "float32"),
    "loss": ({}, "huber"),
    "quantiles": ({"quantiles": (0.1, 0.5, 0.9)}, (0.2, 0.5, 0.8)),
    "random_state": ({}, 7),
    "missing": ({}, "impute"),
    "scoring": (STOP, "neg_max_error"),
    "solver": ({}, "sgd"),
    "learning_rate": (SGD, "invscaling"),
    "learning_rate_init": ({}, 0.1),
    "power_t": ({**SGD, "learning_rate": "invscaling"}, 0.9),
    "momentum": (SGD, 0.1),
    "nesterovs_momentum": (SGD, False),
    "beta_1": ({}, 0.5),
    "beta_2": ({}, 0.5),
    "epsilon": ({}, 0.1),
    "schedule": ({}, halved),
    "alpha": ({}, 10.0),
    "batch_size": ({}, 150),
    "shuffle": ({}, False),
    "clip_grad_norm": ({}, 1e-3),
    "class_weight": ({}, {0: 9.0}),
    "max_iter": ({}, 2),
    "tol": ({"n_iter_no_change": 1}, 1e9),
    "n_iter_no_change": ({"tol": 1e9}, 1),
    "max_fun": ({"solver": "lbfgs", "activation": "tanh", "max_iter": 4}, 2),
    "max_steps": ({}, 1),
    "time_limit": ({"max_iter": 20}, 1e-9),
    "early_stopping": ({}, True),
    "validation_fraction": (STOP, 0.5),
    "calibration_fraction": ({"quantiles": (0.3, 0.7)}, 0.3),
    "callbacks": ({}, [called]),
    "verbose": ({}, True),
    "n_threads": ({}, 1),
    "warm_start": ({}, False),
    "transform_layer": ({}, 0),
}
WITHOUT_TRACE = ("n_threads",)  # the numbers are the same for any
CASES = [
    (estimator, name) for estimator in ESTIMATORS for name in CHANGES if name in estimator().get_params()
]


def fitted(estimator, settings):
    model = estimator(
        **{"hidden_layer_sizes": (8, 8), "max_iter": 5, "batch_size": 40, "random_state": 0, **settings},
        warm_start=True,
    )
    return model.fit(X, ESTIMATORS[estimator])


def outcome(model, estimator, capsys):
    """Return what a second fit leaves."""
    CALLED.clear()
    rows = HOLES if model.get_params().get("missing") else X
    model.fit(rows, ESTIMATORS[estimator])
    curves = [getattr(model, each, None) for each in ("loss_curve_", "validation_scores_", "n_iter_")]
    arrays = [*model.coefs_, *model.intercepts_, getattr(model, "shifts_", None), model.transform(X)]
    return pickle.dumps([curves, arrays, list(CALLED), capsys.readouterr().out])


def test_every_parameter_has_a_rule_and_a_test():
    names = {name for estimator in ESTIMATORS for name in estimator().get_params()}
    assert RULES.keys() == CHANGES.keys() == names


@pytest.mark.parametrize(("estimator", "name"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_a_changed_parameter_takes_effect_or_is_refused(estimator, name, capsys):
    settings, value = CHANGES[name]
    if name == "loss" and estimator is MLPClassifier:
        value = "focal"
    if name == "scoring" and estimator is MLPClassifier:
        value = "f1_macro"
    unchanged = outcome(fitted(estimator, settings), estimator, capsys)
    model = fitted(estimator, settings)
    before = model.get_params()[name]
    model.set_params(**{name: value})
    if RULES[name].startswith("ValueError"):
        with pytest.raises(ValueError, match=rf"fit: {name} is .* warm_start=False makes a new one"):
            model.fit(X, ESTIMATORS[estimator])
        model.set_params(**{name: before})
        assert outcome(model, estimator, capsys) == unchanged
        return
    changed = outcome(model, estimator, capsys)
    assert (changed == unchanged) == (name in WITHOUT_TRACE)


@pytest.mark.parametrize("change", [{"activation": "tanh"}, {"dropout": 0.4}], ids=str)
def test_other_layers_keep_weights_and_the_optimizers_state(change):
    model = fitted(MLPClassifier, {})
    before = [coef.copy() for coef in model.coefs_]
    model.set_params(**change, learning_rate_init=model.learning_rate_init, max_steps=1, alpha=0)
    steps = model._optimizer.optimizer._core.steps
    model.fit(X, CODES)
    assert model._optimizer.optimizer._core.steps == steps + 1
    for old, new in zip(before, model.coefs_, strict=True):
        assert 0 < np.abs(new - old).max() < 0.01  # one step of 0.001
    assert pickle.loads(pickle.dumps(model)).predict_proba(X) == pytest.approx(model.predict_proba(X), abs=0)


def test_another_loss_has_its_own_outputs_and_best_value():
    y = X[:, 0]
    model = MLPRegressor(hidden_layer_sizes=(8,), warm_start=True, max_iter=5, random_state=0).fit(X, y)
    model.set_params(loss="poisson", max_iter=300, learning_rate_init=0.01).fit(X, y)
    assert model.out_activation_ == "exp"
    assert model.predict(X).mean() == pytest.approx(y.mean(), rel=0.1)
    assert model.best_loss_ == min(model.loss_curve_[5:])


def test_another_loss_under_early_stopping_has_no_best_loss():
    settings = {"warm_start": True, "early_stopping": True, "max_iter": 3, "random_state": 0}
    model = MLPRegressor(hidden_layer_sizes=(8,), **settings).fit(X, X[:, 0])
    assert model.set_params(loss="l1").fit(X, X[:, 0]).best_loss_ is None


BAD = {
    "two classes": (MLPClassifier(loss="log_loss"), CODES > 0, {"loss": "cross_entropy"}, "needs 2 outputs"),
    "a variance": (MLPRegressor(), X[:, 0], {"loss": "gaussian_nll"}, "needs 2 outputs for this y"),
    "more quantiles": (QuantileMLPRegressor(), X[:, 0], {"quantiles": (0.1, 0.9)}, "needs 2 outputs"),
}


@pytest.mark.parametrize(("model", "y", "change", "message"), BAD.values(), ids=BAD)
def test_a_loss_with_other_outputs_is_refused(model, y, change, message):
    model.set_params(warm_start=True, max_iter=2, random_state=0).fit(X, y)
    expected = model.predict(X)
    with pytest.raises(ValueError, match=message):
        model.set_params(**change).fit(X, y)
    assert np.array_equal(model.predict(X), expected) or "quantiles" in change


def test_more_targets_are_refused():
    model = MLPRegressor(warm_start=True, max_iter=2).fit(X, X[:, :2])
    with pytest.raises(ValueError, match="needs 3 outputs for this y"):
        model.fit(X, X[:, :3])


def test_rows_of_another_precision_are_converted():
    model = MLPClassifier((8,), warm_start=True, max_iter=2, random_state=0).fit(X.astype(np.float32), CODES)
    assert model.fit(X, CODES).coefs_[0].dtype == np.float32


def test_the_page_has_every_rule():
    page = (Path(__file__).parents[2] / "docs" / "sklearn.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    for name, rule in RULES.items():
        assert any(f"`{name}`" in row and row.endswith(f"| {rule} |") for row in rows), (name, rule)
