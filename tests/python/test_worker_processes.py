"""Workers of multiprocessing, by each start method, and of joblib: the results are those of this process."""

from __future__ import annotations

import multiprocessing
import os

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score

import cmlp
import workers

TASKS = range(4)
METHODS = multiprocessing.get_all_start_methods()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("method", METHODS)
def test_workers_of_each_start_method_train_to_the_same_bits(method, threads, monkeypatch, record_property):
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([os.path.dirname(workers.__file__), os.environ.get("PYTHONPATH", "")])
    )
    threads(2)
    expected = [workers.trained(seed) for seed in TASKS]  # this process has used its threads
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map_async(workers.trained, TASKS).get(120) == expected
    assert workers.trained(0) == expected[0]
    record_property("start methods", method)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_joblib_searches_as_one_process_does(backend, record_property):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 10)), rng.integers(0, 2, 200)
    model = cmlp.MLPClassifier((20,), max_iter=5, random_state=0).fit(x, y)
    scores = cross_val_score(model, x, y)
    grid = {"alpha": [1e-4, 1.0]}
    with joblib.parallel_backend(backend, n_jobs=2):
        assert np.array_equal(cross_val_score(model, x, y), scores)
        search = GridSearchCV(model, grid).fit(x, y)
        halves = joblib.Parallel()(joblib.delayed(model.predict_proba)(part) for part in (x[:100], x[100:]))
    assert np.array_equal(np.concatenate(halves), model.predict_proba(x))
    alone = GridSearchCV(model, grid).fit(x, y)
    assert np.array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
    record_property("joblib backends", backend)
