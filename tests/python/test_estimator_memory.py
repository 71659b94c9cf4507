"""What a fitted estimator keeps: small pickles, nothing written in place, one fit at a time."""

import io
import pickle
import threading

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.multioutput import MultiOutputClassifier

from cmlp import MLPClassifier, MLPRegressor
from cmlp.estimators import (
    MLPEnsembleClassifier,
    MLPEnsembleRegressor,
    MLPTransformer,
    Perceptron,
    QuantileMLPRegressor,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Perceptron.fit"),
]
X, CODES = load_iris(return_X_y=True)
KW = {"hidden_layer_sizes": (4,), "max_iter": 2, "batch_size": 40}
FITTED = {
    "classifier": (MLPClassifier(**KW), CODES),
    "regressor": (MLPRegressor(**KW), X[:, 0]),
    "early stopping": (MLPClassifier(**KW, early_stopping=True, warm_start=True), CODES),
    "imputed": (MLPClassifier(**KW, missing="impute", warm_start=True), CODES),
    "dropout": (MLPClassifier(**KW, dropout=0.3, batch_norm=True), CODES),
    "class weights": (MLPClassifier(**KW, class_weight="balanced", warm_start=True), CODES),
    "lbfgs": (MLPRegressor(**KW, solver="lbfgs", warm_start=True), X[:, 0]),
    "calibrated": (QuantileMLPRegressor(**KW, calibration_fraction=0.2, warm_start=True), X[:, 0]),
    "autoencoder": (MLPTransformer(**KW, warm_start=True), None),
    "classifiers": (MLPEnsembleClassifier(MLPClassifier(**KW), 2), CODES),
    "regressors": (MLPEnsembleRegressor(MLPRegressor(**KW), 2), X[:, 0]),
    "perceptron": (Perceptron(), CODES),
}


def from_file(model, path):
    file = path / f"model{len(list(path.iterdir()))}"  # the one before may be mapped
    joblib.dump(model, file)
    return joblib.load(file, mmap_mode="r")


def from_buffers(model, path):
    """Out of band, as protocol 5 has it, over memory that may not be written."""
    buffers = []
    text = pickle.dumps(model, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(text, buffers=[bytes(buffer) for buffer in buffers])


def from_bytes(model, path):
    return joblib.load(io.BytesIO(pickle.dumps(model)))


def outputs(model):
    predict = getattr(model, "predict_proba", getattr(model, "predict", model.transform))
    return predict(X)


@pytest.mark.parametrize(("model", "y"), FITTED.values(), ids=FITTED)
@pytest.mark.parametrize(
    "random_state", [None, 0, np.random.RandomState(0)], ids=["none", "int", "generator"]
)
def test_a_pickle_does_not_grow_with_the_rows(model, y, random_state):
    sizes = []
    model = pickle.loads(pickle.dumps(model))
    if "random_state" in model.get_params():
        model.set_params(random_state=random_state)
    for copies in (1, 40):
        rows = None if y is None else np.tile(y, copies)
        sizes.append(len(pickle.dumps(model.fit(np.tile(X, (copies, 1)), rows))))
    assert sizes[1] < sizes[0] + 1000


@pytest.mark.parametrize("load", [from_file, from_buffers, from_bytes])
@pytest.mark.parametrize("name", [name for name in FITTED if "ifiers" not in name and "ssors" not in name])
def test_a_copy_trains_on_as_the_model_itself(name, load, tmp_path):
    model, y = FITTED[name]
    model = pickle.loads(pickle.dumps(model))
    if name != "perceptron":
        model.set_params(random_state=0)

    def train(each):
        if not getattr(each, "warm_start", False) and hasattr(each, "partial_fit"):
            more = {"classes": np.unique(y)} if isinstance(each, MLPClassifier) else {}
            return each.partial_fit(X, y, **more)
        return each.fit(X, y)

    def values(each):
        return each.decision_function(X) if name == "perceptron" else outputs(each)

    for _ in range(3):  # a copy of a copy as well
        train(model)
        copy = load(model, tmp_path)
        assert np.array_equal(values(copy), values(model))
        assert np.array_equal(values(train(copy)), values(train(model)))
        model = copy


def test_workers_get_models_that_they_may_train():
    y = np.stack([CODES > 0, CODES > 1], axis=1).astype(int)
    model = MultiOutputClassifier(MLPClassifier((4,), random_state=0), n_jobs=2)
    rows = np.tile(X, (1000, 1))  # over joblib's 1 MB
    for _ in range(3):
        model.partial_fit(rows, np.tile(y, (1000, 1)), classes=[np.arange(2)] * 2)
    alone = MLPClassifier((4,), random_state=0)
    for _ in range(3):
        alone.partial_fit(rows, np.tile(y[:, 0], 1000), classes=[0, 1])
    assert np.array_equal(model.estimators_[0].coefs_[0], alone.coefs_[0])


COPIES = []


def keep(values):
    COPIES.append(pickle.dumps(values["estimator"]))


def test_a_copy_of_a_callback_continues_the_order():
    COPIES.clear()
    settings = {"hidden_layer_sizes": (4,), "random_state": 0, "batch_size": 16, "tol": 0}
    model = MLPClassifier(**settings, max_iter=6, callbacks=[keep]).fit(X, CODES)
    resumed = pickle.loads(COPIES[2]).partial_fit(X, CODES).partial_fit(X, CODES).partial_fit(X, CODES)
    assert np.array_equal(resumed.coefs_[0], model.coefs_[0])


def test_an_epoch_that_was_not_counted_is_repeated():
    model = MLPClassifier((4,), random_state=0, batch_size=1, time_limit=1e-9, max_iter=9).fit(X, CODES)
    copy = pickle.loads(pickle.dumps(model)).set_params(time_limit=None)
    model.set_params(time_limit=None)
    assert np.array_equal(copy.partial_fit(X, CODES).coefs_[0], model.partial_fit(X, CODES).coefs_[0])


def test_a_generator_that_others_use_begins_a_new_order():
    shared = np.random.RandomState(0)
    model = MLPClassifier((4,), random_state=shared, batch_size=16).partial_fit(X, CODES, classes=[0, 1, 2])
    copy = pickle.loads(pickle.dumps(model))
    for each in (model, copy):
        each.random_state.rand()
        each.partial_fit(X, CODES)
    assert np.array_equal(copy.coefs_[0], model.coefs_[0])


# ---- threads

KINDS = {name: FITTED[name] for name in ("classifier", "regressor", "lbfgs", "calibrated", "autoencoder")}


def waits(event, started):
    def callback(values):
        started.set()
        event.wait(10)

    return callback


@pytest.mark.parametrize("name", KINDS)
def test_a_second_thread_is_refused_while_the_first_fits(name):
    model, y = KINDS[name]
    model = pickle.loads(pickle.dumps(model)).set_params(random_state=0, warm_start=True).fit(X, y)
    event, started = threading.Event(), threading.Event()
    model.set_params(callbacks=[waits(event, started)])
    thread = threading.Thread(target=model.fit, args=(X, y))
    thread.start()
    try:
        assert started.wait(10)
        with pytest.raises(RuntimeError, match=r"fit: another thread is in fit of this MLP|Quantile"):
            model.fit(X, y)
        for method in ("predict", "transform", "score", "predict_proba", "predict_quantiles"):
            if hasattr(model, method):
                with pytest.raises(RuntimeError, match="another thread is in fit of this"):
                    getattr(model, method)(*((X, y) if method == "score" else (X,)))
    finally:
        event.set()
        thread.join()
    assert np.isfinite(model.set_params(callbacks=None).fit(X, y).loss_)


def test_a_callback_may_predict_and_not_fit():
    errors = []

    def callback(values):
        assert values["estimator"].predict(X).shape == (150,)
        try:
            values["estimator"].fit(X, CODES)
        except RuntimeError as error:
            errors.append(str(error))

    MLPClassifier(**KW, callbacks=[callback]).fit(X, CODES)
    assert len(errors) == 2
    assert "a callback of fit of this MLPClassifier" in errors[0]


def test_threads_that_fit_at_once_all_end():
    model, ended = MLPClassifier((8,), max_iter=30, random_state=0), []

    def fit():
        try:
            ended.append(model.fit(X, CODES).n_iter_)
        except (RuntimeError, ConvergenceWarning) as error:
            ended.append(str(error))

    threads = [threading.Thread(target=fit) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(ended) == 8
    assert any(isinstance(each, int) for each in ended)
