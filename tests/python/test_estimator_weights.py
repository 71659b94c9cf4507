"""Weights of rows and classes: what they may be, in every estimator and with every solver."""

import re

import numpy as np
import pytest
from sklearn.datasets import load_iris

from cmlp import MLPClassifier, MLPRegressor
from cmlp.estimators import (
    MLPEnsembleClassifier,
    MLPEnsembleRegressor,
    MLPTransformer,
    QuantileMLPRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, CODES = load_iris(return_X_y=True)
ROWS = len(X)
SIGNS = np.where(np.arange(ROWS) < 20, 1.0, -1.0)
BAD = {
    "all negative": (-np.ones(ROWS), "sample_weight is -1 at row 0, it must not be negative"),
    "some negative": (SIGNS, "sample_weight is -1 at row 20, it must not be negative"),
    "none": (
        np.zeros(ROWS),
        "sample_weight is 0 for all rows|at least one non-zero number",
    ),  # scikit-learn 1.9's
    "nan": (np.full(ROWS, np.nan), "contains NaN"),
    "rows": (np.ones(3), r"sample_weight.shape == \(3,\), expected \(150,\)"),
    "words": (np.full(ROWS, "a"), "could not convert string to float"),
}


def estimators(solver):
    kw = {"hidden_layer_sizes": (4,), "solver": solver, "max_iter": 3, "random_state": 0}
    return [
        (MLPClassifier(**kw), CODES),
        (MLPRegressor(**kw), X[:, 0]),
        (QuantileMLPRegressor(**kw), X[:, 0]),
        (MLPTransformer(**kw), None),
        (MLPEnsembleClassifier(MLPClassifier(**kw), 2), CODES),
        (MLPEnsembleRegressor(MLPRegressor(**kw), 2), X[:, 0]),
    ]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize(("weight", "message"), BAD.values(), ids=BAD)
def test_bad_weights(solver, at, weight, message):
    model, y = estimators(solver)[at]
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("build", [list, lambda w: np.array(w, dtype=object), lambda w: w.astype(int)])
@pytest.mark.parametrize("at", range(4))
def test_kinds_of_weights(build, at):
    weight = np.arange(ROWS) % 3 + 1.0
    (model, y), (other, _) = estimators("adam")[at], estimators("adam")[at]
    a, b = model.fit(X, y, sample_weight=weight), other.fit(X, y, sample_weight=build(weight))
    assert all(np.array_equal(v, w) for v, w in zip(a.coefs_, b.coefs_, strict=True))


# ---- classes

WORDS = np.array(["ash", "elm", "oak"])[CODES]
SEVERAL = np.eye(3, dtype=int)[CODES]
KEYS = {
    "words for numbers": (
        {"0": 1, "1": 100},
        CODES,
        "class_weight has ['0', '1'], the classes are [0, 1, 2]",
    ),
    "a word too many": ({"ash": 1, "fir": 2}, WORDS, "class_weight has ['fir']"),
    "negative": ({0: -1.0}, CODES, "class_weight of 0 is -1.0, it must not be negative"),
    "nan": ({0: np.nan}, CODES, "class_weight of 0 is nan"),
    "a dict for labels": ({0: 1.0}, SEVERAL, "pass a list with a dict for each"),
    "a list for classes": ([{0: 1.0}], CODES, "pass a dict"),
    "dicts": ([{0: 1.0}] * 2, SEVERAL, "class_weight has 2 dicts, y has 3 labels a row"),
    "a label": ([{2: 1.0}] * 3, SEVERAL, "class_weight has [2], the classes are [0, 1]"),
}


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(("given", "y", "message"), KEYS.values(), ids=KEYS)
def test_bad_class_weights(given, y, message, solver):
    with pytest.raises(ValueError, match=re.escape(message)):
        MLPClassifier((4,), class_weight=given, max_iter=3, solver=solver).fit(X, y)


GOOD = {
    "one class": ({1: 5.0}, CODES, np.array([1, 5, 1])[CODES]),
    "a key too many": ({0: 1.0, 1: 2.0, 2: 3.0, 7: 9.0}, CODES, np.array([1, 2, 3])[CODES]),
    "words": ({"oak": 0.5}, WORDS, np.array([1, 1, 0.5])[CODES]),
    "bools": ({True: 3.0}, CODES > 0, np.array([1, 3, 3])[CODES]),
    "labels": ([{1: 2.0}, {0: 3.0}, {}], SEVERAL, np.array([2 * 3, 1, 3])[CODES]),
    "balanced labels": ("balanced", SEVERAL, np.full(ROWS, 1.5 * 0.75**2)),
}


@pytest.mark.parametrize(("given", "y", "weight"), GOOD.values(), ids=GOOD)
def test_class_weights_are_weights_of_rows(given, y, weight):
    kw = {"hidden_layer_sizes": (4,), "max_iter": 5, "random_state": 0}
    model = MLPClassifier(**kw, class_weight=given).fit(X, y)
    other = MLPClassifier(**kw).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.coefs_[0], other.coefs_[0], rtol=1e-12)


def test_a_batch_may_lack_classes():
    model = MLPClassifier((4,), class_weight={1: 5.0}, random_state=0, warm_start=True)
    model.partial_fit(X, CODES, classes=[0, 1, 2])
    model.partial_fit(X[:50], CODES[:50]).partial_fit(X[50:100], CODES[50:100])
    assert model.n_iter_ == 3
