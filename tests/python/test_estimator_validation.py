"""Validation sets of estimators: eval_set, X_val and y_val, in a Pipeline, without a class, bad ones."""

import re

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_iris
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler, scale

import cmlp
from cmlp import MLPClassifier, MLPRegressor, nn
from cmlp._core import output_kind
from cmlp.estimators import (
    MLPEnsembleClassifier,
    MLPEnsembleRegressor,
    MLPTransformer,
    QuantileMLPRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, CODES = load_iris(return_X_y=True)
X = scale(X)
VALUES = X[:, 0] + 0.1 * X[:, 1]
A, B = slice(0, None, 2), slice(1, None, 2)
WEIGHT = np.random.default_rng(0).uniform(0.5, 2, 75)
KW = {"hidden_layer_sizes": (8,), "max_iter": 8, "random_state": 0, "learning_rate_init": 0.01}
ESTIMATORS = {
    "classifier": (MLPClassifier(**KW, early_stopping=True), CODES),
    "regressor": (MLPRegressor(**KW, early_stopping=True), VALUES),
    "quantiles": (QuantileMLPRegressor(**KW, early_stopping=True), VALUES),
    "classifiers": (
        MLPEnsembleClassifier(MLPClassifier(**KW, early_stopping=True), 2, random_state=0),
        CODES,
    ),
    "regressors": (MLPEnsembleRegressor(MLPRegressor(**KW, early_stopping=True), 2, random_state=0), VALUES),
}


def state(model):
    each = getattr(model, "estimators_", [model])
    return [(m.validation_scores_, m.validation_loss_curve_, [c.tolist() for c in m.coefs_]) for m in each]


@pytest.mark.parametrize(("model", "y"), ESTIMATORS.values(), ids=ESTIMATORS)
def test_every_form_is_the_same(model, y):
    pair = (X[B], y[B])
    expected = state(model.fit(X[A], y[A], eval_set=pair))
    assert state(model.fit(X[A], y[A], eval_set=[pair])) == expected
    assert state(model.fit(X[A], y[A], X_val=X[B], y_val=y[B])) == expected
    weighted = state(model.fit(X[A], y[A], eval_set=(*pair, WEIGHT)))
    assert weighted != expected
    assert state(model.fit(X[A], y[A], X_val=X[B], y_val=y[B], sample_weight_val=WEIGHT)) == weighted


def test_rows_of_an_autoencoder():
    model = MLPTransformer((2,), max_iter=30, early_stopping=True, random_state=0).fit(X[A], X_val=X[B])
    assert model.best_validation_score_ == max(model.validation_scores_) == model.score(X[B])


BAD = {
    "two sets": ({"eval_set": [(X, CODES), (X, CODES)]}, "eval_set has 2 validation sets"),
    "an array": ({"eval_set": X}, "eval_set is a ndarray of 150, it must be (X, y)"),
    "one": ({"eval_set": (X,)}, "eval_set is a tuple of 1, it must be (X, y)"),
    "a number": ({"eval_set": 3}, "eval_set is a int, it must be (X, y)"),
    "both": ({"eval_set": (X, CODES), "X_val": X}, "eval_set and X_val are both given"),
    "no y": ({"X_val": X}, "X_val is given without y_val"),
    "no X": ({"y_val": CODES}, "y_val is given without X_val"),
    "weights": ({"sample_weight_val": np.ones(150)}, "sample_weight_val is given without X_val"),
    "rows": ({"X_val": X, "y_val": CODES[:5]}, "inconsistent numbers of samples: [150, 5]"),
    "columns": ({"X_val": X[:, :2], "y_val": CODES}, "X has 2 features"),
    "a class": ({"X_val": X, "y_val": CODES + 1}, "`y` has classes not in `self.classes_`"),
    "negative": ({"eval_set": (X, CODES, -np.ones(150))}, "sample_weight is -1 at row 0"),
}


@pytest.mark.parametrize(("given", "message"), BAD.values(), ids=BAD)
def test_bad_validation_sets(given, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        MLPClassifier(**KW).fit(X, CODES, **given)


@pytest.mark.parametrize("model", [MLPClassifier(**KW, early_stopping=True)])
def test_a_pipeline_transforms_it(model):
    rows = 1000 + 50 * X
    with sklearn.config_context(enable_metadata_routing=True):
        net = model.set_fit_request(X_val=True, y_val=True)
        pipe = Pipeline([("scale", StandardScaler()), ("net", net)], transform_input=["X_val"])
        pipe.fit(rows[A], CODES[A], X_val=rows[B], y_val=CODES[B])
    assert pipe[-1].best_validation_score_ == pipe.score(rows[B], CODES[B])


# ---- what is scored

ONE_OF_SEVERAL = [
    loss for loss in cmlp.losses() if output_kind(loss) in ("class_logits", "logit") and loss != "nll"
]


@pytest.mark.parametrize("loss", ONE_OF_SEVERAL)
@pytest.mark.parametrize("y", [CODES, CODES > 0], ids=["three", "two"])
def test_scores_are_the_accuracy_of_predict(loss, y):
    scores = []
    model = MLPClassifier(
        loss=loss, **KW, callbacks=[lambda v: scores.append(v["estimator"].score(X[B], y[B]))]
    )
    model.fit(X[A], y[A], eval_set=(X[B], y[B]))
    np.testing.assert_allclose(model.validation_scores_, scores)
    p = model.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (model.classes_[p.argmax(axis=1)] == model.predict(X)).all()


@pytest.mark.parametrize("scale_of_x", [1, 1e3, 1e6])
@pytest.mark.parametrize("loss", ["log_loss", "hinge", "focal"])
@pytest.mark.parametrize("y", [CODES, CODES > 0], ids=["three", "two"])
def test_probabilities_are_never_0_or_1(scale_of_x, loss, y, dtype):
    p = MLPClassifier(loss=loss, dtype=dtype, **KW).fit(X, y).predict_proba(scale_of_x * X)
    assert ((p > 0) & (p < 1)).all()


def test_a_softmax_of_two_classes_splits_with_their_shares():
    y = np.arange(150) < 15  # 15 of 150; a validation set of 30 rows has 3
    counts = []

    def count(model, x, labels):
        counts.append(int(labels.sum()))
        return 0.0

    for seed in range(5):
        for loss in ("cross_entropy", "log_loss"):
            settings = {"max_iter": 1, "validation_fraction": 0.2, "early_stopping": True, "scoring": count}
            MLPClassifier((4,), loss=loss, random_state=seed, **settings).fit(X, y)
    assert set(counts) == {3}


LOSSES_OF_VALUES = [
    loss for loss in cmlp.losses() if output_kind(loss) in ("value", "log_mean", "moments", "quantiles")
]


@pytest.mark.parametrize(
    "loss", ["squared_error", "poisson", *LOSSES_OF_VALUES, nn.QuantileLoss(0.9)], ids=str
)
@pytest.mark.parametrize(
    "settings", [{"early_stopping": True}, {"early_stopping": True, "scoring": "r2"}], ids=str
)
def test_every_loss_of_values_is_scored_by_r2(loss, settings):
    y = np.exp(VALUES)
    model = MLPRegressor(loss, **KW, **settings).fit(X[A], y[A], eval_set=(X[B], y[B]))
    assert model.best_validation_score_ == pytest.approx(model.score(X[B], y[B]))
    MLPEnsembleRegressor(model, 2).fit(X, y)


def test_quantiles_are_scored_and_predicted_in_mid_fit():
    shapes = []
    model = QuantileMLPRegressor(
        **KW,
        calibration_fraction=0.4,
        quantiles=(0.2, 0.5, 0.8),
        scoring="neg_mean_absolute_error",
        callbacks=[lambda v: shapes.append(v["estimator"].predict_quantiles(X).shape)],
    )
    model.fit(X, VALUES, eval_set=(X, VALUES)).set_params(warm_start=True).fit(X, VALUES)
    assert shapes == [(150, 3)] * 16
    assert model.shifts_.any()


# ---- without one of the classes


def test_a_validation_set_may_lack_a_class():
    for settings in ({}, {"warm_start": True}, {"class_weight": {2: 5.0}}, {"class_weight": "balanced"}):
        model = MLPClassifier(**KW, **settings)
        for _ in range(2):
            model.fit(X, CODES, eval_set=(X[:100], CODES[:100]))
        assert np.isfinite(model.validation_loss_curve_).all()


def test_classes_weigh_the_same_in_training_and_validation():
    few = np.r_[0:50, 50:60, 100:150]
    model = MLPClassifier(**KW, class_weight="balanced").fit(
        X[few], CODES[few], eval_set=(X[:100], CODES[:100])
    )
    weight = np.array([110 / 150, 110 / 30, 110 / 150])[CODES[:100]]
    plain = MLPClassifier(**KW).fit(
        X[few],
        CODES[few],
        np.array([110 / 150, 110 / 30, 110 / 150])[CODES[few]],
        eval_set=(X[:100], CODES[:100], weight),
    )
    np.testing.assert_allclose(model.validation_loss_curve_, plain.validation_loss_curve_)
