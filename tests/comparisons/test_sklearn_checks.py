"""scikit-learn's own checks of an estimator; those expected to fail are of options that hold rows out."""

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

pytestmark = pytest.mark.filterwarnings("ignore")  # the checks fit for a few epochs
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


# Options that split off rows: what is wrong with the rows is reported before they are split.
STOP = {"early_stopping": True, "validation_fraction": 0.3, "max_iter": 30}
CALIBRATE = {"calibration_fraction": 0.3, "max_iter": 30}
SPLIT = [
    *(kind(**STOP) for kind in (MLPClassifier, MLPRegressor, MLPTransformer)),
    QuantileMLPRegressor(**{**STOP, "max_iter": 100}),
    MLPClassifier(**STOP, class_weight="balanced"),
    MLPClassifier(**STOP, loss="cross_entropy"),
    MLPClassifier(**STOP, loss="hinge"),
    MLPRegressor("quantile", **STOP),
    QuantileMLPRegressor([0.5], **CALIBRATE),
    QuantileMLPRegressor([0.4, 0.6], **CALIBRATE, solver="lbfgs"),
    MLPEnsembleClassifier(MLPClassifier(**STOP), 2),
    MLPEnsembleRegressor(MLPRegressor(**{**STOP, "max_iter": 300, "n_iter_no_change": 50}), 2),
]
BY_DRAWN_ROWS = dict.fromkeys(
    ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data"),
    "rows are held out by number, not by weight",
)
NO_PARTIAL_FIT = dict.fromkeys(
    (
        "check_fit_score_takes_y",
        "check_n_features_in_after_fitting",
        "check_estimators_partial_fit_n_features",
    ),
    "partial_fit refuses early_stopping, as scikit-learn's does",
)

CLASS_WEIGHTS = {
    "check_class_weight_classifiers": "the best score of few rows is not the best for rare classes"
}


def expected(estimator):
    """Return the checks that an estimator which holds rows out fails, with the reason."""
    if estimator not in SPLIT:
        return {}
    stopping = estimator.get_params().get("early_stopping") and hasattr(estimator, "partial_fit")
    return BY_DRAWN_ROWS | (NO_PARTIAL_FIT | CLASS_WEIGHTS if stopping else {})


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


@parametrize_with_checks([*ESTIMATORS, *OTHERS, *SPLIT], expected_failed_checks=expected)
def test_check(estimator, check):
    check(estimator)
