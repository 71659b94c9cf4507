"""Ensembles: each member equals the model fitted alone, and the ensemble predicts the mean."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression

from cmlp import MLPClassifier, MLPRegressor
from cmlp.estimators import MLPEnsembleClassifier, MLPEnsembleRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = make_classification(150, 8, n_informative=5, n_classes=3, random_state=0)
XR, YR = make_regression(150, 8, random_state=0)
CLASSIFIER = MLPClassifier((8,), max_iter=8, dropout=0.1, learning_rate_init=0.02)
REGRESSOR = MLPRegressor(hidden_layer_sizes=(8,), max_iter=8)
CASES = {
    "classes": (MLPEnsembleClassifier(CLASSIFIER, 4, random_state=3), X, np.array(["a", "b", "c"])[Y]),
    "two classes": (MLPEnsembleClassifier(CLASSIFIER, 4, random_state=3), X, Y > 0),
    "labels": (
        MLPEnsembleClassifier(CLASSIFIER, 4, random_state=3),
        *make_multilabel_classification(150, 8, random_state=0),
    ),
    "values": (MLPEnsembleRegressor(REGRESSOR, 4, random_state=3), XR, YR),
    "several values": (MLPEnsembleRegressor(REGRESSOR, 4, random_state=3), XR, np.stack([YR, -YR], axis=1)),
}


@pytest.mark.parametrize(("model", "x", "y"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("threads", [1, 3])
def test_members_are_what_they_would_be_alone(model, x, y, threads):
    fitted = clone(model).set_params(n_threads=threads).fit(x, y)
    for member in fitted.estimators_:
        alone = clone(model.estimator).set_params(random_state=member.random_state).fit(x, y)
        for a, b in zip(member.coefs_ + member.intercepts_, alone.coefs_ + alone.intercepts_, strict=True):
            assert np.array_equal(a, b)
    assert len({member.random_state for member in fitted.estimators_}) == 4


@pytest.mark.parametrize(("model", "x", "y"), CASES.values(), ids=CASES)
def test_mean_and_spread(model, x, y):
    fitted = clone(model).fit(x, y)
    if isinstance(model, MLPEnsembleRegressor):
        predictions = np.stack([member.predict(x) for member in fitted.estimators_])
        mean, spread = fitted.predict(x, return_std=True)
    else:
        predictions = np.stack([member.predict_proba(x) for member in fitted.estimators_])
        mean, spread = fitted.predict_proba(x), fitted.predict_spread(x)
        assert fitted.predict(x).shape == y.shape
        assert set(np.ravel(fitted.predict(x))) <= set(np.ravel(y))
    assert np.array_equal(mean, predictions.mean(axis=0))
    assert np.array_equal(spread, predictions.std(axis=0))
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict(x), fitted.predict(x))


def test_better_than_its_members():
    data, classes = make_classification(600, 20, n_informative=6, n_classes=3, flip_y=0.1, random_state=1)
    base = MLPClassifier((30,), max_iter=60, learning_rate_init=0.02)
    model = MLPEnsembleClassifier(base, 8, random_state=0)
    model.fit(data[:300], classes[:300])
    alone = np.mean([member.score(data[300:], classes[300:]) for member in model.estimators_])
    assert model.score(data[300:], classes[300:]) > alone


def test_weights_and_validation_rows_reach_the_members():
    weight = np.r_[np.zeros(75), np.ones(75)]
    model = MLPEnsembleClassifier(CLASSIFIER, 2, random_state=0).fit(X, Y, weight, eval_set=(X, Y))
    for member in model.estimators_:
        alone = clone(CLASSIFIER).set_params(random_state=member.random_state).fit(X, Y, weight)
        assert np.array_equal(member.coefs_[0], alone.coefs_[0])
        assert len(member.validation_scores_) == 8


def test_an_error_of_a_member_is_the_ensembles():
    with pytest.raises(ValueError, match="Input X contains NaN"):
        MLPEnsembleRegressor(REGRESSOR, 2).fit(np.full((5, 2), np.nan), np.ones(5))
    with pytest.raises(ValueError, match="'estimator' parameter"):
        MLPEnsembleClassifier("mlp").fit(X, Y)
