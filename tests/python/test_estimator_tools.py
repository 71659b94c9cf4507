"""MLPClassifier and MLPRegressor among scikit-learn's tools: pipelines, searches, ensembles, copies."""

import io
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SelectFromModel
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from cmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_breast_cancer(return_X_y=True)
X = scale(X)[:200, :10]
Y = Y[:200]

FIXED = {"learning_rate_init": 0.05, "random_state": 0}


def model(**settings):
    return MLPClassifier(**{"hidden_layer_sizes": (8,), "max_iter": 15, **FIXED, **settings})


def weights(fitted):
    return np.concatenate([array.ravel() for array in fitted.coefs_ + fitted.intercepts_])


WRAPPERS = {
    "pipeline": lambda: make_pipeline(StandardScaler(), model()),
    "transformer": lambda: make_pipeline(model(), LogisticRegression()),
    "calibrated": lambda: CalibratedClassifierCV(model(), cv=3),
    "stacking": lambda: StackingClassifier([("a", model()), ("b", model(random_state=1))], cv=3),
    "voting": lambda: VotingClassifier([("a", model()), ("b", model(random_state=1))], voting="soft"),
    "bagging": lambda: BaggingClassifier(model(), 3),
    "grid": lambda: GridSearchCV(model(), {"alpha": [1e-4, 1e-1], "dropout": [0.0, 0.2]}, cv=3),
    "halving": lambda: HalvingGridSearchCV(
        model(), {"alpha": [1e-4, 1e-1]}, resource="max_iter", max_resources=12, min_resources=4, cv=3
    ),
}


@pytest.mark.parametrize("build", WRAPPERS.values(), ids=WRAPPERS)
def test_inside(build):
    assert build().fit(X, Y).score(X, Y) > 0.8


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_searches_in_parallel_give_the_same(backend):
    def search(jobs):
        return GridSearchCV(model(), {"alpha": [1e-4, 1e-1]}, cv=3, n_jobs=jobs).fit(X, Y)

    alone = search(1)
    with joblib.parallel_backend(backend):
        joint = search(2)
    assert np.array_equal(joint.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
    assert np.array_equal(weights(joint.best_estimator_), weights(alone.best_estimator_))


def test_workers_share_the_cores():
    count = joblib.delayed(eval)("__import__('cmlp').get_num_threads()")
    counts = joblib.Parallel(2, backend="loky")(count for _ in range(2))
    assert all(count <= max(1, joblib.cpu_count() // 2) for count in counts)


def test_questions():
    fitted = model().fit(X, Y)
    assert permutation_importance(fitted, X, Y, n_repeats=2).importances_mean.shape == (10,)
    assert partial_dependence(fitted, X, [0], grid_resolution=5)["average"].shape == (1, 5)
    assert cross_val_score(model(), X, Y, cv=3).shape == (3,)
    assert cross_val_predict(model(), X, Y, cv=3, method="predict_proba").shape == (200, 2)
    assert len(learning_curve(model(), X, Y, cv=3, exploit_incremental_learning=True)) == 3
    assert MultiOutputRegressor(MLPRegressor(max_iter=2)).fit(X, X[:, :2]).predict(X).shape == (200, 2)
    importances = SelectFromModel(
        fitted, importance_getter=lambda m: abs(m.coefs_[0]).sum(axis=1), prefit=True
    )
    assert 0 < importances.transform(X).shape[1] < 10


def through_joblib(fitted):
    file = io.BytesIO()
    joblib.dump(fitted, file)
    file.seek(0)
    return joblib.load(file)


COPIES = {"pickle": lambda fitted: pickle.loads(pickle.dumps(fitted)), "joblib": through_joblib}
SOLVERS = [{}, {"solver": "sgd", "schedule": None}, {"solver": "lbfgs"}, {"dropout": 0.1, "batch_norm": True}]


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("settings", SOLVERS, ids=str)
def test_copies(copy, settings):
    fitted = model(**settings).fit(X, Y)
    other = copy(fitted)
    assert np.array_equal(other.predict_proba(X), fitted.predict_proba(X))
    assert other.loss_ == fitted.loss_
    if settings.get("solver") != "lbfgs":
        assert np.array_equal(weights(other.partial_fit(X, Y)), weights(fitted.partial_fit(X, Y)))


def test_clone_is_untaught_and_alike():
    given = {"activation": ["tanh"], "class_weight": "balanced", "dropout": 0.1}
    other = clone(model(**given).fit(X, Y))
    assert not hasattr(other, "coefs_")
    assert {key: other.get_params()[key] for key in given} == given
