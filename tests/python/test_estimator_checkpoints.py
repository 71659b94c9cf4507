"""A fit of an estimator that is cut short and resumed has the bits of the uninterrupted one."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
from sklearn.base import clone

import cmlp
import fresh
from cmlp import MLPClassifier, MLPRegressor, optim
from cmlp.estimators import MLPTransformer, QuantileMLPRegressor
from cuts import Cut, cut_at
from tolerance import assert_same_bits

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(80, 4))
CODES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
NAMES = np.array(["one", "two", "ü"])[CODES]
KW = {"hidden_layer_sizes": (6, 5), "max_iter": 9, "batch_size": 16, "random_state": 3, "tol": 0.0}
ESTIMATORS = {
    "classifier": (MLPClassifier(**KW), NAMES),
    "early stopping": (MLPClassifier(**KW, early_stopping=True, n_iter_no_change=3), NAMES),
    "early stopping, worse and worse": (
        MLPClassifier(**KW, early_stopping=True, n_iter_no_change=4, learning_rate_init=0.3),
        CODES,
    ),
    "dropout": (MLPClassifier(**KW, dropout=0.3, input_dropout=0.1, batch_norm=True), CODES),
    "adaptive": (
        MLPClassifier(**KW, solver="sgd", learning_rate="adaptive", n_iter_no_change=1, momentum=0.5),
        CODES,
    ),
    "inverse scaling": (MLPRegressor(**KW, solver="sgd", learning_rate="invscaling"), X[:, 0]),
    "in order": (MLPRegressor(**KW, shuffle=False, dtype="float32"), X[:, 0]),
    "lion": (MLPRegressor(**KW, solver="lion", target_transform="standardize"), 5 * X[:, :2]),
    "few steps": (MLPRegressor(**KW, max_steps=32), X[:, 0]),
    "quantiles": (QuantileMLPRegressor(**KW, calibration_fraction=0.3), X[:, 0]),
    "transformer": (MLPTransformer(**KW), None),
}
STATE = (
    *("n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "best_validation_score_", "validation_scores_"),
    *("validation_loss_curve_", "_no_improvement_count"),
)


def cut(model, y, path, at, every=1):
    model = clone(model).set_params(callbacks=[cut_at(at)])
    with pytest.raises(Cut):
        model.fit(X, y, checkpoint=path, every=every)


def state(model):
    return {name: getattr(model, name, None) for name in STATE} | {
        "optimizer": model.__getstate__()["_optimizer"].__getstate__()["kept"],
        "random": model._random_state.get_state(),
        "passes": model.net_._core.step,
    }


def equal(a, b):
    np.testing.assert_equal(state(a), state(b))
    assert_same_bits(list(a.net_.state_dict().values()), list(b.net_.state_dict().values()))


@pytest.mark.parametrize("at", [0, 2, 5])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_resumed(name, at, tmp_path):
    model, y = ESTIMATORS[name]
    complete, resumed, path = clone(model), clone(model), tmp_path / "model.safetensors"
    complete.fit(X, y)
    if complete.n_iter_ > at:
        cut(model, y, path, at)
    resumed.fit(X, y, checkpoint=path, resume=True)
    equal(resumed, complete)
    again = clone(model).fit(X, y, checkpoint=path, resume=True)  # has ended
    equal(again, complete)
    for each in (complete, again):
        each.partial_fit(X, y) if hasattr(each, "partial_fit") and not each.early_stopping else None
    equal(again, complete)


RESUME = """
    import json, pickle, sys, warnings
    warnings.simplefilter("ignore")
    sys.path.insert(0, {tests!r})
    from sklearn.base import clone
    from test_estimator_checkpoints import ESTIMATORS, X, state

    states = {{}}
    for name, (model, y) in ESTIMATORS.items():
        model = clone(model).fit(X, y, checkpoint={folder!r} + "/" + name + ".safetensors", resume=True)
        states[name] = state(model), model.net_.state_dict()
    with open({folder!r} + "/states.pickle", "wb") as file:
        pickle.dump(states, file)
    print(json.dumps("done"))
"""


def test_resumed_in_another_process(tmp_path, record_property):
    for name, (model, y) in ESTIMATORS.items():
        complete = clone(model).fit(X, y)
        if complete.n_iter_ > 4:
            cut(model, y, tmp_path / f"{name}.safetensors", 4, every=2)
    fresh.result(RESUME.format(tests=os.path.dirname(__file__), folder=str(tmp_path)))
    with (tmp_path / "states.pickle").open("rb") as file:
        states = pickle.load(file)
    for name, (model, y) in ESTIMATORS.items():
        complete = clone(model).fit(X, y)
        np.testing.assert_equal(states[name], (state(complete), complete.net_.state_dict()))
    record_property("estimators cut and resumed in another process", len(ESTIMATORS))


def test_the_file_is_the_estimator(tmp_path):
    path = tmp_path / "model.safetensors"
    model = clone(ESTIMATORS["early stopping"][0]).fit(X, NAMES, checkpoint=path)
    loaded = cmlp.load(path)
    assert loaded.predict(X).tolist() == model.predict(X).tolist()
    assert_same_bits(loaded.coefs_, model.coefs_)
    assert loaded.get_params() == model.get_params()


def test_more_epochs_continue_a_fit_that_had_ended(tmp_path):
    path = tmp_path / "model.safetensors"
    MLPClassifier(**KW).fit(X, NAMES, checkpoint=path)
    longer = {**KW, "max_iter": 14}
    resumed = MLPClassifier(**longer).fit(X, NAMES, checkpoint=path, resume=True)
    equal(resumed, MLPClassifier(**longer).fit(X, NAMES))


def test_every(tmp_path):
    path, found = tmp_path / "model.safetensors", []

    def call(event):
        found.append(cmlp.load(path).n_iter_ if path.exists() else 0)

    MLPClassifier(**KW, callbacks=call).fit(X, NAMES, checkpoint=path, every=4)
    assert found == [0, 0, 0, 0, 4, 4, 4, 4, 8]
    assert cmlp.load(path).n_iter_ == 9


REFUSED = {
    "solver='lbfgs' is SciPy's": {"solver": "lbfgs"},
    "random_state must be an integer": {"random_state": None},
    "schedule of the MLPClassifier holds": {"schedule": lambda o: optim.lr_scheduler.StepLR(o, 1)},
}


@pytest.mark.parametrize("message", REFUSED)
def test_estimators_whose_fit_no_file_continues(message, tmp_path):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**{**KW, **REFUSED[message]}).fit(X, NAMES, checkpoint=tmp_path / "m.safetensors")
    assert os.listdir(tmp_path) == []


DIFFERENT = {
    "batch_size is 20, that of the file 16": ({"batch_size": 20}, X),
    "hidden_layer_sizes is .*3": ({"hidden_layer_sizes": (3,)}, X),
    "random_state is 4, that of the file 3": ({"random_state": 4}, X),
    r"X is \(80, 3\), that of the file \(80, 4\)": ({}, X[:, :3]),
    "early_stopping is True": ({"early_stopping": True}, X),
}


@pytest.mark.parametrize("message", DIFFERENT)
def test_a_file_of_other_settings(message, tmp_path):
    path, (changes, x) = tmp_path / "model.safetensors", DIFFERENT[message]
    MLPClassifier(**KW).fit(X, NAMES, checkpoint=path)
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**{**KW, **changes}).fit(x, NAMES, checkpoint=path, resume=True)


def test_a_file_of_a_network(tmp_path):
    path = tmp_path / "model.safetensors"
    cmlp.save(MLPClassifier(**KW).fit(X, NAMES), path)
    with pytest.raises(ValueError, match="is not a checkpoint of fit"):
        MLPClassifier(**KW).fit(X, NAMES, checkpoint=path, resume=True)


def test_arguments_that_do_not_fit():
    with pytest.raises(ValueError, match="resume needs checkpoint="):
        MLPClassifier(**KW).fit(X, NAMES, resume=True)
