"""fit_many: every fit has the bits of a fit alone; the table is scikit-learn's."""

import os
import pickle
import signal
import threading
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_iris, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, StratifiedKFold
from sklearn.utils import _safe_indexing

import cmlp
from cmlp import MLPClassifier, MLPRegressor, fit_many, nn, optim
from cmlp.estimators import QuantileMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, CODES = load_iris(return_X_y=True)
Y = np.array(["setosa", "versicolor", "virginica"])[CODES]
XR, YR = make_regression(120, 6, noise=1.0, random_state=0)
YR = YR / YR.std()
XL, YL = make_multilabel_classification(120, 6, n_classes=4, random_state=0)
CLASSIFIER = MLPClassifier((8,), max_iter=12, learning_rate_init=0.02, batch_size=40)
MIXED_FOLDS = KFold(3, shuffle=True, random_state=1)
REGRESSOR = MLPRegressor(hidden_layer_sizes=(8,), max_iter=12, learning_rate_init=0.02)

LEARNED = [
    *("coefs_", "intercepts_", "loss_curve_", "loss_", "best_loss_", "n_iter_", "t_"),
    *("validation_scores_", "validation_loss_curve_", "best_validation_score_", "_no_improvement_count"),
    *("classes_", "n_features_in_", "feature_names_in_", "n_outputs_", "n_layers_", "out_activation_"),
]


def assert_same(one, other):
    """Both have the same fitted attributes and random state, bit for bit."""
    for name in LEARNED:
        assert hasattr(one, name) == hasattr(other, name), name
        a, b = getattr(one, name, None), getattr(other, name, None)
        assert pickle.dumps(a) == pickle.dumps(b), name
    if one._random_state is not None:
        a, b = (model._random_state.get_state(legacy=False) for model in (one, other))
        assert a["state"]["pos"] == b["state"]["pos"]
        assert np.array_equal(a["state"]["key"], b["state"]["key"])


def assert_as_alone(fits, model, x, y, weight=None):
    for fit in fits:
        train, test = fits.splits[fit.fold]
        alone = clone(model).set_params(**fit.params)
        if fit.seed is not None:
            alone.set_params(random_state=fit.seed)
        alone.fit(*(_safe_indexing(a, train) for a in (x, y)), None if weight is None else weight[train])
        assert_same(fit.estimator, alone)
        if len(test):
            assert fit.test_score == alone.score(*(_safe_indexing(a, test) for a in (x, y)))


SETTINGS = {
    "adam": {},
    "batches that do not fit": {"batch_size": 37},
    "sgd": {
        "solver": "sgd",
        "learning_rate": ["constant", "invscaling", "adaptive"],
        "tol": 0.05,
        "n_iter_no_change": 2,
    },
    "another optimizer": {"solver": ["rmsprop", "lion"]},
    "in order": {"shuffle": False},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 60},
    "dropout": {"dropout": 0.2, "input_dropout": 0.1},
    "norms": {"batch_norm": [True, False], "layer_norm": True, "residual": True},
    "two layers": {"hidden_layer_sizes": [(8,), (6, 5)], "activation": ["tanh", "gelu"]},
    "single": {"dtype": ["float32", "float64"]},
    "steps": {"max_steps": 17},
    "lbfgs": {"solver": "lbfgs"},
    "a function makes the optimizer": {"solver": partial(optim.AdamW, weight_decay=0.01)},
    "a schedule": {"schedule": partial(optim.lr_scheduler.CosineAnnealingLR, T_max=10)},
    "a plateau": {"schedule": partial(optim.lr_scheduler.ReduceLROnPlateau, patience=0)},
    "clipped": {"clip_grad_norm": 0.1},
}


def grid_of(settings):
    return {name: value if isinstance(value, list) else [value] for name, value in settings.items()}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("threads", [1, 3])
def test_each_is_its_own_fit(settings, threads):
    grid = grid_of(settings)
    fits = fit_many(
        CLASSIFIER,
        X,
        Y,
        grid,
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
        seeds=[0, 5],
        n_threads=threads,
    )
    assert_as_alone(fits, CLASSIFIER, X, Y)
    fits = fit_many(REGRESSOR, XR, YR, grid, cv=KFold(3), seeds=[0, 5], n_threads=threads)
    assert_as_alone(fits, REGRESSOR, XR, YR)


DATA = {
    "two classes": (CLASSIFIER, X, Y == "setosa"),
    "labels": (CLASSIFIER, XL, YL),
    "float32": (CLASSIFIER, X.astype(np.float32), Y),
    "sparse": (CLASSIFIER, sp.csr_matrix(X), Y),
    "frame": (CLASSIFIER, pd.DataFrame(X, columns=list("abcd")), pd.Series(Y)),
    "list": (CLASSIFIER, X.tolist(), Y.tolist()),
    "arrow": (CLASSIFIER, pa.table(dict(zip("abcd", X.T, strict=True))), Y),
    "several values": (REGRESSOR, XR, np.stack([YR, -YR], axis=1)),
    "class weights": (clone(CLASSIFIER).set_params(class_weight="balanced"), X, Y),
    "missing": (clone(CLASSIFIER).set_params(missing="impute"), np.where(X > 6, np.nan, X), Y),
    "a loss": (clone(CLASSIFIER).set_params(loss=nn.CrossEntropyLoss(label_smoothing=0.1)), X, Y),
    "poisson": (clone(REGRESSOR).set_params(loss="poisson"), XR, np.exp(YR)),
}


@pytest.mark.parametrize(("model", "x", "y"), DATA.values(), ids=DATA)
def test_every_kind_of_data(model, x, y):
    fits = fit_many(
        model, x, y, {"alpha": [1e-4, 1.0]}, cv=KFold(3, shuffle=True, random_state=1), seeds=[3], n_threads=2
    )
    assert_as_alone(fits, model, x, y)


def test_weights():
    weight = np.random.default_rng(0).uniform(0, 2, len(X))
    fits = fit_many(CLASSIFIER, X, Y, cv=3, seeds=[0], sample_weight=weight)
    assert_as_alone(fits, CLASSIFIER, X, Y, weight)


def test_they_go_on_as_alone():
    (fit,) = fit_many(CLASSIFIER, X, Y, seeds=[4])
    alone = clone(CLASSIFIER).set_params(random_state=4).fit(X, Y)
    copy = pickle.loads(pickle.dumps(fit.estimator))
    for model in (alone, fit.estimator, copy):
        model.partial_fit(X, Y).partial_fit(X, Y)
        model.set_params(warm_start=True, max_iter=3).fit(X, Y)
    assert_same(alone, fit.estimator)
    assert_same(alone, copy)
    assert np.array_equal(copy.predict_proba(X), alone.predict_proba(X))


def test_a_random_state_is_everyones_own_copy():
    model = clone(CLASSIFIER).set_params(random_state=np.random.RandomState(3))
    fits = fit_many(model, X, Y, {"alpha": [0.1, 1]}, cv=3, n_threads=2)
    assert {fit.seed for fit in fits} == {None}
    assert_as_alone(fits, model, X, Y)


def test_without_a_seed_one_is_drawn_for_each():
    fits = fit_many(CLASSIFIER, X, Y, cv=3)
    assert len({fit.seed for fit in fits}) == 3
    assert_as_alone(fits, CLASSIFIER, X, Y)
    fits = fit_many(CLASSIFIER, X, Y, {"random_state": [7, 8]}, cv=3)
    assert [fit.seed for fit in fits] == [7, 7, 7, 8, 8, 8]


def test_the_estimator_given_is_not_changed():
    model = clone(CLASSIFIER).fit(X, Y)
    before = pickle.dumps(model)
    fit_many(model, X, Y, cv=3, seeds=[0])
    assert pickle.dumps(model) == before


# ---- the table


@pytest.mark.parametrize("scoring", [None, "balanced_accuracy"])
def test_the_table_is_that_of_a_search(scoring):
    grid = [{"alpha": [1e-3, 10.0], "activation": ["tanh"]}, {"alpha": [100.0]}]
    model, cv = clone(CLASSIFIER).set_params(random_state=1), StratifiedKFold(4)
    search = GridSearchCV(model, grid, cv=cv, scoring=scoring, refit=False).fit(X, Y)
    fits = fit_many(model, X, Y, grid, cv=cv, scoring=scoring)
    theirs, ours = search.cv_results_, fits.cv_results_
    assert set(ours) == set(theirs)
    for name in theirs:
        if name == "params":
            assert ours[name] == theirs[name]
        elif name.startswith("param_"):
            assert ours[name].tolist() == theirs[name].tolist()
        elif "time" not in name:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=1e-15)
    assert fits.best_index_ == search.best_index_
    assert fits.best_params_ == search.best_params_
    assert fits.best_score_ == pytest.approx(search.best_score_)
    assert len(fits.best_estimators_) == 4
    assert (ours["mean_fit_time"] > 0).all()


def test_seeds_are_splits():
    fits = fit_many(CLASSIFIER, X, Y, {"alpha": [1, 2]}, cv=3, seeds=range(2))
    places = [(fit.candidate, fit.fold, fit.seed) for fit in fits]
    assert places[:4] == [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1)]
    assert len(fits) == 12
    assert fits.cv_results_["split5_test_score"].shape == (2,)
    assert fits[3] is fits.fits[3]
    assert repr(fits) == "ManyFits(12 fits of 2 candidates)"


def test_without_folds_nothing_is_scored():
    fits = fit_many(CLASSIFIER, X, Y, seeds=[0, 1])
    assert_as_alone(fits, CLASSIFIER, X, Y)
    assert np.isnan([fit.test_score for fit in fits]).all()
    assert "mean_test_score" not in fits.cv_results_
    with pytest.raises(AttributeError, match="without cv there are no test scores"):
        _ = fits.best_params_


def test_other_scorers_and_groups():
    groups = np.arange(len(X)) % 5
    fits = fit_many(CLASSIFIER, X, Y, cv=GroupKFold(3), groups=groups, seeds=[0], scoring="neg_log_loss")
    for fit in fits:
        test = fits.splits[fit.fold][1]
        assert fit.test_score == get_scorer("neg_log_loss")(fit.estimator, X[test], Y[test])


# ---- what is Python's own


def test_callbacks_and_scorers_of_the_estimator():
    recorded = []

    def stop(values):
        recorded.append((values["estimator"].alpha, values["epoch"], len(values["estimator"].loss_curve_)))
        return values["epoch"] < 3

    model = clone(CLASSIFIER).set_params(callbacks=[stop], early_stopping=True, scoring="neg_log_loss")
    fits = fit_many(model, X, Y, {"alpha": [0.1, 0.2, 0.3]}, seeds=[0], n_threads=2)
    assert sorted(recorded) == [(alpha, epoch, epoch + 1) for alpha in (0.1, 0.2, 0.3) for epoch in range(4)]
    assert_as_alone(fits, model, X, Y)


def test_estimators_with_a_fit_of_their_own():
    model = QuantileMLPRegressor(hidden_layer_sizes=(8,), max_iter=12, calibration_fraction=0.4)
    fits = fit_many(model, XR, YR, {"alpha": [0.1, 1]}, cv=2, seeds=[0], n_threads=2)
    for fit in fits:
        train = fits.splits[fit.fold][0]
        alone = clone(model).set_params(**fit.params, random_state=0).fit(XR[train], YR[train])
        assert np.array_equal(fit.estimator.predict_quantiles(XR), alone.predict_quantiles(XR))


def test_verbose(capsys):
    fit_many(CLASSIFIER, X, Y, {"verbose": [True], "max_iter": [2]}, seeds=[0, 1], n_threads=2)
    assert capsys.readouterr().out.count("Iteration 2, loss = ") == 2


# ---- what goes wrong


def test_a_fit_that_fails_leaves_the_others():
    grid = {"solver": ["sgd"], "learning_rate_init": [1e200, 0.01]}
    with pytest.warns(FitFailedWarning, match=r"3 of 6 fits failed:\nValueError: Solver produced non-finite"):
        fits = fit_many(REGRESSOR, XR, YR, grid, cv=3, seeds=[0])
    assert [fit.error is None for fit in fits] == [False] * 3 + [True] * 3
    assert np.isnan([fit.test_score for fit in fits[:3]]).all()
    assert fits.best_index_ == 1
    with pytest.raises(ValueError, match="non-finite"):
        fit_many(REGRESSOR, XR, YR, grid, cv=3, seeds=[0], error_score="raise")
    with pytest.warns(FitFailedWarning):
        assert fit_many(REGRESSOR, XR, YR, grid, cv=3, seeds=[0], error_score=-1.0)[0].test_score == -1


def test_a_scorer_that_fails():
    def fail(estimator, x, y):
        raise RuntimeError("no score")

    with pytest.warns(UserWarning, match="Scoring failed: RuntimeError: no score"):
        fits = fit_many(CLASSIFIER, X, Y, cv=3, seeds=[0], scoring=fail)
    assert np.isnan([fit.test_score for fit in fits]).all()
    with pytest.raises(RuntimeError, match="no score"):
        fit_many(CLASSIFIER, X, Y, cv=3, seeds=[0], scoring=fail, error_score="raise")


def test_a_callback_that_fails():
    def fail(values):
        raise RuntimeError("no more")

    with pytest.warns(FitFailedWarning, match="RuntimeError: no more"):
        fits = fit_many(CLASSIFIER, X, Y, {"callbacks": [[fail], None]}, seeds=[0, 1], n_threads=2)
    assert [fit.error is None for fit in fits] == [False, False, True, True]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"estimator": "mlp"}, "fit_many: 'mlp' is not an estimator of cmlp"),
        ({"scoring": "accuracy"}, "scoring is of the rows that cv holds out, and cv is None"),
        (
            {"param_grid": {"random_state": [0]}, "seeds": [0]},
            "random_state is in param_grid",
        ),
        (
            {"param_grid": {"alpha": [-1]}},
            "The 'alpha' parameter of MLPClassifier must be",
        ),
        ({"param_grid": {"alhpa": [1]}}, "Invalid parameter 'alhpa'"),
        ({"n_threads": 0}, "fit_many: n_threads is 0, it must be at least 1"),
        ({"error_score": "no"}, "fit_many: error_score is 'no', it must be 'raise' or a number"),
        ({"seeds": 3}, "fit_many: seeds is 3, it must be integers: range(3), say"),
        ({"X": X[:5]}, "inconsistent numbers of samples"),
    ],
)
def test_what_is_refused(settings, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        fit_many(**{"estimator": CLASSIFIER, "X": X, "y": Y, **settings})
    assert message in str(caught.value)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_all():
    model = MLPClassifier((50,), max_iter=10**6, tol=0, n_iter_no_change=10**6)
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            fit_many(model, X, Y, seeds=range(4), n_threads=2)
    finally:
        timer.join()


def test_it_warns_as_each_fit_does():
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        fit_many(CLASSIFIER, X, Y, seeds=[0, 1])


def test_it_is_reached_lazily():
    assert cmlp.fit_many is fit_many
    assert "fit_many" in dir(cmlp)
