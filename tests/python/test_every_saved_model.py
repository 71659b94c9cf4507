"""Every public class with a fit, and every module, is written to a file and read back."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import cmlp
from cmlp import estimators, nn, optim, tabular
from cmlp.estimators import MLPEnsembleClassifier, MLPEnsembleRegressor
from cmlp.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from every_object import EVERY_MODULE
from tolerance import assert_same_bits

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

X = np.random.default_rng(0).normal(size=(60, 3))
CODES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
NAMES = np.array(["one", "two", "ü"])[CODES]
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}
CLASSIFIER, REGRESSOR = cmlp.MLPClassifier(**SMALL, dropout=0.2), cmlp.MLPRegressor(**SMALL)
FRAME = {"a": X[:, 0].tolist(), "b": NAMES.tolist()}


def average():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2), seed=1)
    made = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.75), use_buffers=True)
    net.fit(X, CODES % 2, loss="cross_entropy", epochs=3, callbacks=made)
    return made


SAME_FUNCTION = {
    "Activation": "LeakyReLU",
    "GELUTanh": "GELU",
}  # names of one function with the same settings
FITTED = {
    "MLPClassifier": lambda: CLASSIFIER.fit(X, NAMES),
    "MLPRegressor": lambda: REGRESSOR.fit(X, X[:, 0]),
    "MLPTransformer": lambda: estimators.MLPTransformer(**SMALL).fit(X),
    "QuantileMLPRegressor": lambda: estimators.QuantileMLPRegressor(**SMALL).fit(X, X[:, 0]),
    "MLPEnsembleClassifier": lambda: MLPEnsembleClassifier(CLASSIFIER, 3, random_state=0).fit(X, NAMES),
    "MLPEnsembleRegressor": lambda: MLPEnsembleRegressor(REGRESSOR, 2, random_state=0).fit(X, X[:, 0]),
    "an ensemble by default": lambda: MLPEnsembleRegressor(n_estimators=1).fit(X, X[:, 0]),
    "estimators.Perceptron": lambda: estimators.Perceptron("pocket", keep_path=True).fit(X, CODES > 0),
    "Perceptron": lambda: cmlp.Perceptron("averaged").fit(X, NAMES),
    "TabularClassifier": lambda: cmlp.TabularClassifier("fast", random_state=0, epochs=2).fit(FRAME, NAMES),
    "TabularRegressor": lambda: cmlp.TabularRegressor("fast", random_state=0, epochs=2).fit(FRAME, X[:, 1]),
    "AveragedModel": average,
}


def loaded(model, folder):
    cmlp.save(model, folder / "model.safetensors")
    return cmlp.load(folder / "model.safetensors")


def predictions(model):
    x = FRAME if type(model).__name__.startswith("Tabular") else X
    if isinstance(model, AveragedModel):
        return [model.module.predict(X)]
    methods = ("predict", "predict_proba", "predict_spread", "transform", "decision_function")
    return [getattr(model, name)(x) for name in methods if hasattr(model, name)]


def public_classes(home):
    """Return the names of the public classes that have a fit."""
    found = {name: getattr(home, name) for name in home.__all__}
    return {name for name, cls in found.items() if isinstance(cls, type) and hasattr(cls, "fit")}


def test_every_class_with_a_fit_is_here():
    public = public_classes(estimators) | (public_classes(cmlp) - {"Sequential"}) | public_classes(tabular)
    public -= {"TableEncoder", "Target"}  # parts of a TabularClassifier, in whose file they are
    assert public - FITTED.keys() == set()


@pytest.mark.parametrize("name", FITTED)
def test_a_fitted_model_comes_back(name, tmp_path, record_property):
    model = FITTED[name]()
    again = loaded(model, tmp_path)
    assert type(again) is type(model)
    if hasattr(model, "get_params"):
        assert repr(again.get_params()) == repr(model.get_params())
    for mine, other in zip(predictions(again), predictions(model), strict=True):
        np.testing.assert_equal(np.asarray(mine), np.asarray(other))
    first = (tmp_path / "model.safetensors").read_bytes()
    loaded(again, tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == first
    record_property("kinds of models and modules", 1)


@pytest.mark.parametrize("name", EVERY_MODULE)
def test_a_module_comes_back(name, tmp_path, record_property):
    module = EVERY_MODULE[name]()
    again = loaded(module, tmp_path)
    assert type(again).__name__ == SAME_FUNCTION.get(name, name)
    assert again.state_dict().keys() == module.state_dict().keys()
    assert_same_bits(list(again.state_dict().values()), list(module.state_dict().values()))
    assert again._specs() == module._specs()
    record_property("kinds of models and modules", 1)


@pytest.mark.parametrize("name", ["Perceptron", "estimators.Perceptron"])
def test_a_perceptron_comes_back_with_its_log(name, tmp_path):
    model = FITTED[name]()
    again = loaded(model, tmp_path)
    assert vars(again).keys() == vars(model).keys()
    for key, value in vars(model).items():
        np.testing.assert_equal(vars(again)[key], value)


def test_members_of_an_ensemble_come_back(tmp_path):
    """With all that their training depends on."""
    model = FITTED["MLPEnsembleClassifier"]()
    again = loaded(model, tmp_path)
    for one, other in zip(again.estimators_, model.estimators_, strict=True):
        one.partial_fit(X, NAMES)
        other.partial_fit(X, NAMES)
        assert_same_bits(one.coefs_, other.coefs_)


def test_an_average_continues(tmp_path):
    model = average()
    again, net = loaded(model, tmp_path), copy.deepcopy(model.module)
    for parameter in net.parameters():
        parameter.data += 1
    for each in (model, again):
        each.update_parameters(net)
    np.testing.assert_equal(again.state_dict(), model.state_dict())


REFUSED = {
    "the AveragedModel has a function": lambda: AveragedModel(nn.Linear(1, 1), avg_fn=lambda a, b, n: a),
    "the Perceptron has no weights yet": cmlp.Perceptron,
    "net is SGD, it must be a network": lambda: optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_no_file_holds(message, tmp_path):
    with pytest.raises(ValueError, match=message):
        cmlp.save(REFUSED[message](), tmp_path / "model.safetensors")
