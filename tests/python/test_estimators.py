"""What MLPClassifier and MLPRegressor have beyond scikit-learn's."""

import gc
import pickle
import warnings
import weakref
from functools import partial

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

import cmlp
from cmlp import MLPClassifier, MLPRegressor, nn, optim

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, CODES = make_classification(120, 6, n_informative=4, n_classes=3, random_state=0)
Y = np.array(["ash", "elm", "oak"])[CODES]
XR, YR = make_regression(120, 6, noise=1.0, random_state=0)
YR = YR / YR.std()
XL, YL = make_multilabel_classification(120, 6, n_classes=4, random_state=0)
XL = XL / 10
TARGETS = {"two": Y == "ash", "three": Y, "several": YL}


def classifier(**settings):
    return MLPClassifier(**{"hidden_layer_sizes": (8,), "max_iter": 5, "random_state": 0, **settings})


def regressor(**settings):
    return MLPRegressor(**{"hidden_layer_sizes": (8,), "max_iter": 5, "random_state": 0, **settings})


def same(a, b):
    return all(
        np.array_equal(v, w) for v, w in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True)
    )


# ---- what the network is made of


@pytest.mark.parametrize("name", [*cmlp.activations(), "logistic"])
def test_every_activation(name):
    assert np.isfinite(regressor(activation=name, learning_rate_init=1e-4).fit(XR, YR).predict(XR)).all()


def test_one_activation_for_each_layer():
    given = ["tanh", nn.LeakyReLU(0.3), "gelu"]
    model = classifier(hidden_layer_sizes=(8, 7, 6), activation=given).fit(X, Y)
    kinds = [type(m).__name__ for m in model._net if isinstance(m, nn.Activation)]
    assert kinds == ["Tanh", "LeakyReLU", "GELU"]
    assert model._net[3].settings == {"negative_slope": 0.3}


def test_layers_between():
    shape = {"dropout": 0.2, "input_dropout": 0.1, "batch_norm": True, "layer_norm": True, "residual": True}
    model = classifier(hidden_layer_sizes=(8, 8), **shape).fit(X, Y)
    assert [type(m).__name__ for m in model._net][:2] == ["Dropout", "Linear"]
    (block,) = (m for m in model._net if isinstance(m, nn.Residual))
    assert [type(m).__name__ for m in block] == ["Linear", "BatchNorm1d", "LayerNorm", "ReLU", "Dropout"]
    assert model.score(X, Y) > 0.3


@pytest.mark.parametrize("init", ["auto", *cmlp.initializers()])
def test_every_initialiser(init):
    settings = {"init": init, "max_iter": 1, "hidden_layer_sizes": (6,)}
    if init in ("constant", "sparse"):
        settings["learning_rate_init"] = 1e-5
    assert same(regressor(**settings).fit(XR, YR), regressor(**settings).fit(XR, YR))


# ---- losses and solvers

CLASS_LOSSES = ["cross_entropy", "focal", "multi_margin", "bce_with_logits", "binary_focal", "soft_margin"]
CLASS_LOSSES += ["hinge", "squared_hinge", nn.CrossEntropyLoss(label_smoothing=0.1)]
VALUE_LOSSES = [
    "mse",
    "l1",
    "smooth_l1",
    "huber",
    "log_cosh",
    "quantile",
    nn.HuberLoss(delta=0.3),
]
MEAN_LOSSES = ["poisson", "poisson_nll", "gamma_deviance", "tweedie"]


@pytest.mark.parametrize("loss", CLASS_LOSSES, ids=str)
@pytest.mark.parametrize("targets", TARGETS)
def test_every_loss_of_classes(loss, targets):
    y = TARGETS[targets]
    one_class = loss in ("cross_entropy", "focal", "multi_margin") or isinstance(loss, nn.CrossEntropyLoss)
    model = classifier(loss=loss, max_iter=60, learning_rate_init=0.05)
    if targets == "several" and one_class:
        with pytest.raises(ValueError, match="takes one class a row, y has several"):
            model.fit(XL, y)
        return
    x = XL if targets == "several" else X
    model.fit(x, y)
    p = model.predict_proba(x)
    assert ((p > 0) & (p < 1)).all()
    assert model.score(x, y) > (0.3 if targets == "several" else 0.6)


@pytest.mark.parametrize("loss", [*VALUE_LOSSES, *MEAN_LOSSES], ids=str)
def test_every_loss_of_values(loss):
    y = np.exp(YR / 2) if loss in MEAN_LOSSES else YR
    model = regressor(loss=loss, max_iter=150, learning_rate_init=0.02).fit(XR, y)
    assert model.predict(XR).shape == (120,)
    assert model.score(XR, y) > 0.7


@pytest.mark.parametrize("solver", [*cmlp.optimizers(), partial(optim.AdamW, weight_decay=0.1)], ids=str)
def test_every_solver(solver):
    start = log_loss(Y, classifier(max_iter=1, learning_rate_init=1e-9).fit(X, Y).predict_proba(X))
    rate = {"adadelta": 1.0, "sgd": 0.1, "asgd": 0.1}.get(solver, 0.01) if isinstance(solver, str) else 0.01
    model = classifier(solver=solver, learning_rate_init=rate, max_iter=20).fit(X, Y)
    assert log_loss(Y, model.predict_proba(X)) < start


def test_schedule():
    rates = []
    schedule = partial(optim.lr_scheduler.ExponentialLR, gamma=0.5)
    classifier(schedule=schedule, max_iter=3, callbacks=[lambda v: rates.append(v["lr"])]).fit(X, Y)
    assert rates == [0.001, 0.0005, 0.00025]


# ---- weights


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_weight_two_is_the_row_twice(solver, dropout):
    if solver == "lbfgs" and dropout:
        return
    weight = np.random.RandomState(0).randint(0, 3, len(X))
    settings = {"solver": solver, "dropout": dropout, "batch_size": 10**6, "max_iter": 20, "shuffle": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the batch size is clipped
        weighted = classifier(**settings).fit(X, Y, sample_weight=weight)
        repeated = classifier(**settings).fit(X.repeat(weight, axis=0), Y.repeat(weight))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-7)


@pytest.mark.parametrize("given", [{"ash": 3.0, "elm": 1.0, "oak": 0.5}, "balanced"], ids=type)
def test_class_weight_is_its_sample_weight(given):
    counts = dict(zip(*np.unique(Y, return_counts=True), strict=True))
    factors = given if isinstance(given, dict) else {k: len(Y) / (3 * n) for k, n in counts.items()}
    weight = np.array([factors[label] for label in Y])
    assert same(classifier(class_weight=given).fit(X, Y), classifier().fit(X, Y, sample_weight=weight))


def test_validation_rows_are_weighted():
    weight = np.r_[np.zeros(60), np.ones(60)]
    weighted, half = classifier(), classifier()
    weighted.fit(X, Y, eval_set=(X, Y, weight)), half.fit(X, Y, eval_set=(X[60:], Y[60:]))
    np.testing.assert_allclose(weighted.validation_scores_, half.validation_scores_)
    np.testing.assert_allclose(weighted.validation_loss_curve_, half.validation_loss_curve_)


# ---- training


def test_own_validation_set_and_best_weights():
    scores = []
    settings = {"max_iter": 60, "early_stopping": True, "n_iter_no_change": 3, "learning_rate_init": 0.1}
    model = classifier(**settings, callbacks=[lambda v: scores.append(v["val_score"])])
    model.fit(X[:80], Y[:80], eval_set=(X[80:], Y[80:]))
    assert scores == model.validation_scores_
    assert len(model.validation_loss_curve_) == model.n_iter_ < 60
    assert model.score(X[80:], Y[80:]) == model.best_validation_score_ == max(scores)


def test_eval_set_alone_changes_nothing():
    assert same(classifier().fit(X, Y, eval_set=(X, Y)), classifier().fit(X, Y))


@pytest.mark.parametrize("scoring", ["roc_auc_ovr", lambda model, x, y: -log_loss(y, model.predict_proba(x))])
def test_scoring(scoring):
    model = classifier(scoring=scoring).fit(X, Y, eval_set=(X[:50], Y[:50]))
    assert len(model.validation_scores_) == 5
    if callable(scoring):
        assert model.validation_scores_[-1] == pytest.approx(scoring(model, X[:50], Y[:50]))


def test_callbacks_see_and_stop():
    recorded = []

    def record(values):
        recorded.append(values)
        return values["epoch"] < 2

    model = classifier(callbacks=[record]).fit(X, Y)
    assert [values["epoch"] for values in recorded] == [0, 1, 2]
    assert [values["loss"] for values in recorded] == model.loss_curve_
    assert recorded[0]["estimator"] is model


def test_fit_releases_its_callbacks_when_it_ends():
    model = classifier(callbacks=[lambda values: None], early_stopping=True).fit(X, Y)
    left = weakref.ref(model)
    del model
    gc.collect()
    assert left() is None


def test_verbose(capsys):
    classifier(verbose=True, early_stopping=True).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Iteration 1, loss = ")
    assert lines[1].startswith("Validation score: ")
    classifier(verbose="bar").fit(X, Y)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "5/5" in captured.err


@pytest.mark.parametrize("solver", ["adam", "sgd", "lion"])
def test_warm_start_goes_on_as_if_never_stopped(solver):
    model = classifier(solver=solver, warm_start=True, tol=0, max_iter=4)
    assert same(model.fit(X, Y).fit(X, Y), classifier(solver=solver, tol=0, max_iter=8).fit(X, Y))


def test_warm_start_keeps_the_best_weights():
    settings = {"early_stopping": True, "warm_start": True, "max_iter": 15, "learning_rate_init": 0.02}
    model = classifier(**settings).fit(X, Y, eval_set=(X[:50], Y[:50]))
    best, weights = model.best_validation_score_, [w.copy() for w in model.coefs_]
    model.set_params(learning_rate_init=10.0, max_iter=3).fit(X, Y, eval_set=(X[:50], Y[:50]))
    assert len(model.validation_scores_) == 18
    assert model.best_validation_score_ == best > max(model.validation_scores_[-3:])
    assert all(np.array_equal(a, b) for a, b in zip(model.coefs_, weights, strict=True))


@pytest.mark.parametrize(
    "change",
    [{"solver": "sgd"}, {"learning_rate_init": 0.1}, {"early_stopping": True}, {"momentum": 0.5}],
    ids=str,
)
def test_parameters_changed_between_two_fits_count(change):
    model = classifier(warm_start=True).fit(X, Y)
    model.set_params(**change).fit(X, Y)
    assert model._optimizer.learning_rate == model.learning_rate_init
    assert model._optimizer.optimizer.name == model.solver
    model.set_params(early_stopping=False).fit(X, Y)
    assert min(model.loss_curve_[-5:]) >= model.best_loss_ >= min(model.loss_curve_)


@pytest.mark.parametrize("build", [lambda model: model, lambda model: pickle.loads(pickle.dumps(model))])
def test_partial_fit_goes_on_as_if_never_stopped(build):
    model = classifier()
    for _ in range(5):
        model = build(model.partial_fit(X, Y, classes=np.unique(Y)))
    complete = classifier(tol=0).fit(X, Y)
    assert same(model, complete)
    assert model.loss_curve_ == complete.loss_curve_


def test_partial_fit_with_an_integer_seed_shuffles_differently_in_each_call():
    """scikit-learn's repeats one order in every call."""
    orders = []
    model = regressor(batch_size=1)
    for _ in range(2):
        model.partial_fit(XR, YR)
        orders.append(model._row_order.begin().copy())
    assert not np.array_equal(*orders)


@pytest.mark.parametrize("model", [MLPClassifier(solver="lbfgs"), MLPRegressor(solver="lbfgs")])
def test_no_partial_fit_for_lbfgs(model):
    """scikit-learn's regressor has one, which does a complete fit."""
    assert not hasattr(model, "partial_fit")


def test_max_steps():
    model = regressor(batch_size=10, max_steps=17, max_iter=100).fit(XR, YR)
    assert model.n_iter_ == 2
    assert len(model.loss_curve_) == 2
    assert model._optimizer.optimizer._core.steps == 17


def test_time_limit():
    assert regressor(max_iter=10**6, tol=0, time_limit=0.05).fit(XR, YR).n_iter_ < 10**6


def test_threads_change_no_bit():
    many = classifier(hidden_layer_sizes=(300, 300), n_threads=2).fit(X, Y)
    assert same(many, classifier(hidden_layer_sizes=(300, 300), n_threads=1).fit(X, Y))
    assert same(many, classifier(hidden_layer_sizes=(300, 300)).fit(X, Y))


def test_warning_when_it_has_not_converged():
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(5\) reached"):
        classifier().fit(X, Y)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge after 2 iteration"):
        classifier(solver="lbfgs", max_iter=2).fit(X, Y)


# ---- predictions of a fitted model


@pytest.mark.parametrize("layer", [0, 1, -1])
@pytest.mark.parametrize("extra", [{}, {"dropout": 0.2, "batch_norm": True}, {"residual": True}])
def test_transform(layer, extra):
    model = classifier(hidden_layer_sizes=(8, 8), transform_layer=layer, **extra).fit(X, Y)
    hidden = model.transform(X)
    assert hidden.shape == (120, 8)
    if layer != 0:
        z = hidden @ model.coefs_[-1] + model.intercepts_[-1]
        assert np.array_equal(model.classes_[z.argmax(axis=1)], model.predict(X))
    assert model.set_output(transform="pandas").transform(X).columns[0] == "mlpclassifier0"


def test_input_gradients():
    model = classifier(activation="tanh").fit(X, Y)
    slopes = model.input_gradients(X[:4])
    assert slopes.shape == (4, 3, 6)
    for feature in range(6):
        step = np.zeros(6)
        step[feature] = 1e-6
        change = (model._raw(X[:4] + step) - model._raw(X[:4] - step)) / 2e-6
        np.testing.assert_allclose(slopes[:, :, feature], change, atol=1e-7)


def test_coefs_are_the_model():
    model = classifier().fit(X, Y)
    model.coefs_[0][...] = 0
    model.coefs_[1] = np.zeros_like(model.coefs_[1])
    model.intercepts_[-1][...] = [0, 1, 0]
    assert (model.predict(X) == "elm").all()
    assert (pickle.loads(pickle.dumps(model)).predict(X) == "elm").all()


def test_zero_log_probabilities_are_finite():
    model = classifier(solver="lbfgs", max_iter=300, alpha=0).fit(XL, YL)
    assert np.isfinite(model.predict_log_proba(1000 * XL)).all()
