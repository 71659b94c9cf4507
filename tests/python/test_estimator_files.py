"""Estimators in model files: predictions, parameters and training are those of the original."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

import cmlp
from cmlp import MLPClassifier, MLPRegressor, nn
from cmlp.estimators import (
    MLPEnsembleClassifier,
    MLPTransformer,
    QuantileMLPRegressor,
    model_file,
)
from model_file import header_of, with_header
from tolerance import assert_same_bits

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:Perceptron.fit"),
]
X, CODES = load_iris(return_X_y=True)
NAMES = np.array(["one", "two", "ünknown"])[CODES]
KW = {"hidden_layer_sizes": (4,), "max_iter": 2, "batch_size": 40, "random_state": 0}
LABELS = np.stack([CODES == 0, CODES < 2], axis=1).astype(int)
ESTIMATORS = {
    "classifier": (MLPClassifier(**KW), CODES),
    "text": (MLPClassifier(**KW, early_stopping=True), NAMES),
    "objects": (MLPClassifier(**KW, warm_start=True), NAMES.astype(object)),
    "booleans": (MLPClassifier(**KW), CODES == 1),
    "labels": (MLPClassifier(**KW), LABELS),
    "weights": (MLPClassifier(**KW, class_weight={"one": 2.0}), NAMES),
    "balanced": (MLPClassifier(**KW, class_weight="balanced", solver="sgd", warm_start=True), CODES),
    "loss": (MLPClassifier(**KW, loss=nn.CrossEntropyLoss(label_smoothing=0.1)), CODES),
    "activation": (MLPClassifier(**KW, activation=nn.LeakyReLU(0.3), dropout=0.2, batch_norm=True), CODES),
    "activations": (
        MLPClassifier(**{**KW, "hidden_layer_sizes": [4, 3]}, activation=["relu", "gelu"]),
        CODES,
    ),
    "imputed": (MLPClassifier(**KW, missing="impute", warm_start=True), CODES),
    "generator": (MLPClassifier(**{**KW, "random_state": np.random.RandomState(3)}), CODES),
    "numpy values": (MLPRegressor(**KW, alpha=np.float32(0.1), n_iter_no_change=np.int64(3)), X[:, 0]),
    "regressor": (MLPRegressor(**KW, dtype="float32", target_transform="standardize"), X[:, :2]),
    "poisson": (MLPRegressor(**KW, loss="poisson", early_stopping=True), CODES.astype(float)),
    "lbfgs": (MLPRegressor(**KW, solver="lbfgs", warm_start=True), X[:, 0]),
    "quantiles": (QuantileMLPRegressor(**KW, calibration_fraction=0.3), X[:, 0]),
    "autoencoder": (MLPTransformer(**KW), None),
}


def loaded(model, folder, **options):
    path = folder / "model.safetensors"
    cmlp.save(model, path, **options)
    return cmlp.load(path)


def outputs(model):
    names = ("predict", "predict_proba", "transform")
    return [getattr(model, name)(X) for name in names if hasattr(model, name)]


def shown_parameters(model):
    return re.sub(r" at 0x\w+", "", repr(model.get_params()))


def fitted(name):
    model, y = ESTIMATORS[name]
    return model.fit(X, y), y


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_comes_back(name, tmp_path):
    model, _ = fitted(name)
    again = loaded(model, tmp_path)
    assert type(again) is type(model)
    assert shown_parameters(again) == shown_parameters(model)
    for mine, other in zip(outputs(again), outputs(model), strict=True):
        assert mine.dtype == other.dtype
        assert mine.tolist() == other.tolist()
    assert_same_bits(again.coefs_, model.coefs_)
    assert again.__getstate__().keys() == model.__getstate__().keys()
    cmlp.save(again, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    "name", [name for name in ESTIMATORS if name not in ("quantiles", "text", "poisson")]
)
def test_training_continues_as_that_of_the_original(name, tmp_path):
    """With the optimizer's state and the order of the rows: bit for bit."""
    model, y = fitted(name)
    for _ in range(2):
        again = loaded(model, tmp_path)
        for each in (model, again):
            warm = getattr(each, "warm_start", False) or each.solver == "lbfgs" or name == "autoencoder"
            each.fit(X, y) if warm else each.partial_fit(X, y)
        assert_same_bits(again.coefs_, model.coefs_)
        assert again.loss_curve_ == model.loss_curve_


def test_names_of_columns_and_metadata_are_kept(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "ü", "d"])
    again = loaded(MLPClassifier(**KW).fit(frame, NAMES), tmp_path, metadata={"note": "hello"})
    assert again.feature_names_in_.tolist() == ["a", "b", "ü", "d"]
    assert again.net_.metadata == {"note": "hello"}
    assert again.classes_.dtype == NAMES.dtype
    with pytest.raises(ValueError, match="feature names should match"):
        again.predict(frame.rename(columns={"a": "z"}))


def test_other_readers_read_the_weights(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    model, _ = fitted("classifier")
    loaded(model, tmp_path)
    tensors = safetensors.load_file(tmp_path / "model.safetensors")
    assert_same_bits(next(iter(tensors.values())).T, model.coefs_[0])


class Own(MLPClassifier):
    """A user's subclass."""


REFUSED = {
    "callbacks": (
        MLPClassifier(**KW, callbacks=[lambda event: None]),
        "callbacks of the MLPClassifier .* function",
    ),
    "schedule": (
        MLPClassifier(**KW, schedule=lambda o: cmlp.optim.lr_scheduler.StepLR(o, 1)),
        "schedule of the .*",
    ),
    "subclass": (Own(**KW), r"net is an estimator \(Own\)"),
    "ensemble": (
        MLPEnsembleClassifier(MLPClassifier(**KW, callbacks=[lambda event: None]), 2),
        "callbacks of the MLPClassifier .* function",
    ),
    "foreign": (LinearRegression(), r"net is an estimator \(LinearRegression\)"),
    "pipeline": (make_pipeline(MLPClassifier(**KW)), r"net is an estimator \(Pipeline\)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_plain_data_is_refused_in_words(name, tmp_path):
    model, words = REFUSED[name]
    with pytest.raises(ValueError, match=rf"^save: {words}.*joblib.dump\(model, path\)"):
        cmlp.save(model.fit(X, CODES), tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_an_estimator_without_a_fit_is_refused(tmp_path):
    with pytest.raises(NotFittedError):
        cmlp.save(MLPClassifier(), tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="the key is the library's"):
        cmlp.save(nn.Sequential(nn.Linear(1, 1)), tmp_path / "a", metadata={"cmlp.estimator": "{}"})


def test_more_state_than_a_header_holds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(model_file, "LONGEST", 1000)
    with pytest.raises(
        ValueError, match=r"^save: the state of the MLPClassifier takes \d+ bytes as text.*joblib"
    ):
        cmlp.save(fitted("classifier")[0], tmp_path / "model.safetensors")


LIES = {
    "not an object": lambda d: [1],
    "no type": lambda d: {**d, "type": "Pipeline"},
    "future": lambda d: {**d, "version": 99},
    "no state": lambda d: {**d, "state": {}},
    "a method": lambda d: {**d, "state": {**d["state"], "predict": 1}},
    "another class": lambda d: {**d, "state": {**d["state"], "loss": {"type": "Popen", "state": {}}}},
    "a builtin": lambda d: {**d, "state": {**d["state"], "loss": {"type": "eval", "state": "1"}}},
    "objects": lambda d: {
        **d,
        "state": {**d["state"], "x": {"type": "ndarray", "dtype": "|O", "shape": [9], "data": []}},
    },
    "huge array": lambda d: {
        **d,
        "state": {**d["state"], "x": {"type": "ndarray", "dtype": "<f8", "shape": [2**40], "data": ""}},
    },
    "bad parameter": lambda d: {**d, "state": {**d["state"], "alpha": -1}},
    "deep": lambda d: {**d, "state": {"x": json.loads("[" * 900 + "]" * 900)}},
}


@pytest.mark.parametrize("lie", LIES)
def test_descriptions_that_lie_are_refused(lie, tmp_path):
    model, _ = fitted("classifier")
    loaded(model, tmp_path)
    path = tmp_path / "model.safetensors"
    header, data = header_of(path)
    changed = LIES[lie](json.loads(header["__metadata__"]["cmlp.estimator"]))
    header["__metadata__"]["cmlp.estimator"] = json.dumps(changed)
    with pytest.raises(ValueError, match=r"^load: the estimator in the file cannot be read: "):
        cmlp.load(with_header(path, header, data))
