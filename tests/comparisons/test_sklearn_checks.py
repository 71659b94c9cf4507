"""scikit-learn's own checks of an estimator, none of them expected to fail."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from cmlp import MLPClassifier, MLPRegressor
from cmlp.estimators import (
    MLPEnsembleClassifier,
    MLPEnsembleRegressor,
    MLPTransformer,
    Perceptron,
    QuantileMLPRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore")  # the checks fit for a few epochs, and ask where they care
ESTIMATORS = [
    estimator
    for kind in (MLPClassifier, MLPRegressor)
    for estimator in (
        kind(),
        kind(solver="lbfgs"),
        kind(solver="sgd", learning_rate="adaptive"),
        kind(solver="adamw", activation="gelu"),
        kind(hidden_layer_sizes=(8, 8), activation=["tanh", "silu"], layer_norm=True, residual=True),
        kind(dropout=0.2, input_dropout=0.1, random_state=0),
        kind(missing="impute", n_threads=1),
    )
]


# Options that split off rows: what is wrong with the rows is said before they are split.
KINDS = (MLPClassifier, MLPRegressor, QuantileMLPRegressor, MLPTransformer)
SPLIT = [
    *(kind(early_stopping=True, max_iter=30) for kind in KINDS),
    MLPClassifier(early_stopping=True, class_weight="balanced", max_iter=30),
    MLPClassifier(loss="cross_entropy", early_stopping=True, max_iter=30),
    MLPClassifier(loss="hinge", early_stopping=True, max_iter=30),
    MLPRegressor("quantile", early_stopping=True, max_iter=30),
    QuantileMLPRegressor([0.5], calibration_fraction=0.3, max_iter=30),
    QuantileMLPRegressor([0.4, 0.6], calibration_fraction=0.3, early_stopping=True, solver="lbfgs"),
    MLPEnsembleClassifier(MLPClassifier(early_stopping=True, max_iter=30), 2),
    MLPEnsembleRegressor(MLPRegressor(early_stopping=True, max_iter=30), 2),
]
OTHERS = [
    Perceptron(),
    Perceptron("adaline"),
    Perceptron("averaged"),
    MLPTransformer((3,), max_iter=20),
    MLPTransformer((6, 3), activation="tanh", solver="lbfgs", max_iter=20),
    QuantileMLPRegressor(),
    QuantileMLPRegressor([0.5]),
    MLPEnsembleClassifier(n_estimators=2),
    MLPEnsembleRegressor(n_estimators=2),
]


@parametrize_with_checks([*ESTIMATORS, *OTHERS, *SPLIT])
def test_check(estimator, check):
    check(estimator)
