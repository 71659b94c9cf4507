"""Options of fit and train_step: metrics that are functions, class weights, gradients clipped by value."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from cmlp import _core, nn, optim
from tolerance import assert_same_bits

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 4)), RNG.integers(0, 3, 60)
W = RNG.integers(0, 3, 60).astype(float)


def network(dtype="float64"):
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3), seed=1, dtype=dtype)


def fit(net, **options):
    settings = {"loss": "cross_entropy", "epochs": 3, "batch_size": 7, **options}
    return net.fit(X, Y, **settings).history


def values(net):
    return list(net.state_dict().values())


def hits(y, prediction, weight=None):
    return np.average(prediction.argmax(axis=1) == y, weights=weight)


def largest(y, prediction):
    return prediction.max()


def test_functions_in_evaluate():
    net = network()
    got = net.evaluate(X, Y, loss="cross_entropy", metrics=[hits, "accuracy", largest])
    assert list(got) == ["loss", "hits", "accuracy", "largest"]
    assert got["hits"] == pytest.approx(got["accuracy"])
    assert got["largest"] == net.predict(X).max()
    got = net.evaluate(X, Y, loss="cross_entropy", metrics=[hits, "accuracy"], sample_weight=W)
    assert got["hits"] == pytest.approx(got["accuracy"])


def test_functions_in_fit_see_all_rows_after_each_epoch():
    net, recorded = network(), []
    history = fit(
        net,
        metrics=["accuracy", hits],
        validation_data=(X[:20], Y[:20]),
        callbacks=[lambda v: recorded.append(v)],
    )
    assert [key for key in history if "hits" in key] == ["hits", "val_hits"]
    np.testing.assert_allclose(history["val_hits"], history["val_accuracy"])
    assert history["hits"][-1] == hits(Y, net.predict(X))
    assert [v["hits"] for v in recorded] == history["hits"]


def test_functions_change_nothing():
    one, two = network(), network()
    fit(one), fit(two, metrics=[hits])
    assert_same_bits(values(one), values(two))


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ([3], "3 is neither a name nor a function"),
        ([hits, hits], "a name is there twice"),
        ([largest], "largest does"),
    ],
)
def test_functions_that_are_refused(metrics, message):
    with pytest.raises(ValueError, match=message):
        network().evaluate(X, Y, loss="cross_entropy", metrics=metrics, sample_weight=W)


@pytest.mark.parametrize(
    "weights",
    [
        {"sample_weight": W},
        {"class_weight": "balanced"},
        {"validation_data": (X, Y, W)},
    ],
)
def test_a_function_without_weights_is_refused_before_training(weights):
    net = network()
    before, calls = [array.copy() for array in values(net)], []

    def counted(y, prediction):
        calls.append(1)
        return 0.0

    with pytest.raises(ValueError, match="sample weights, and counted does not take them as a third"):
        fit(net, metrics=[counted], **weights)
    assert calls == []
    assert_same_bits(values(net), before)


def test_the_signature_of_a_function_is_read_once(monkeypatch):
    read, signature = [], inspect.signature
    monkeypatch.setattr(inspect, "signature", lambda f, **more: read.append(f) or signature(f, **more))
    fit(network(), metrics=[hits], sample_weight=W, validation_data=(X, Y, W))
    assert read.count(hits) == 1


@pytest.mark.parametrize("as_given", [list, np.asarray])
@pytest.mark.parametrize("weight", [None, W])
def test_row_names_are_split_with_the_rows(weight, as_given):
    def dropping():
        return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 3), seed=1, dtype="float64")

    names = as_given(np.arange(60, dtype=np.uint64) * np.uint64(2**63 // 60))
    one, two = dropping(), dropping()
    history = fit(one, validation_split=0.3, row_names=names, sample_weight=weight, seed=5)
    held = np.sort(_core.permutation(60, 5)[:18])
    kept = np.setdiff1d(np.arange(60), held)
    data = {"validation_data": (X[held], Y[held])}
    if weight is not None:
        data = {"validation_data": (X[held], Y[held], weight[held]), "sample_weight": weight[kept]}
    settings = {"loss": "cross_entropy", "epochs": 3, "batch_size": 7, "seed": 5}
    by_hand = two.fit(X[kept], Y[kept], row_names=np.asarray(names)[kept], **settings, **data)
    assert history["val_loss"] == by_hand["val_loss"]
    assert_same_bits(values(one), values(two))


@pytest.mark.parametrize("split", [None, 0.3])
def test_row_names_are_as_many_as_rows(split):
    with pytest.raises(ValueError, match="row_names"):
        fit(network(), row_names=np.arange(42, dtype=np.uint64), validation_split=split)


@pytest.mark.parametrize("weight", [None, W])
@pytest.mark.parametrize("kind", ["balanced", {0: 2.0, 2: 0.5}, [2.0, 1.0, 0.5]])
def test_class_weight_is_a_sample_weight(kind, weight):
    rows = np.ones(60) if weight is None else weight
    table = np.array([2.0, 1.0, 0.5])
    if isinstance(kind, str):
        table = rows.sum() / (3 * np.bincount(Y, rows))
    one, two = network(), network()
    fit(one, class_weight=kind, sample_weight=weight), fit(two, sample_weight=rows * table[Y])
    assert_same_bits(values(one), values(two))


def test_balanced_is_scikit_learns():
    utils = pytest.importorskip("sklearn.utils.class_weight")
    one, two = network(), network()
    fit(one, class_weight="balanced")
    fit(two, class_weight=dict(enumerate(utils.compute_class_weight("balanced", classes=np.arange(3), y=Y))))
    assert_same_bits(values(one), values(two))


@pytest.mark.parametrize(
    ("kind", "message"), [("even", "class_weight is 'even'"), ([1.0, 2.0], r"class_weight has shape \(2,\)")]
)
def test_class_weights_that_are_refused(kind, message):
    with pytest.raises(ValueError, match=message):
        fit(network(), class_weight=kind)


def test_clip_grad_value():
    one, two = network(), network()
    criterion = nn.CrossEntropyLoss()
    sgd, by_hand = optim.SGD(one.parameters(), lr=0.1), optim.SGD(two.parameters(), lr=0.1)
    one.train_step(X, Y, criterion, sgd, clip_grad_value=0.01)
    two.zero_grad()
    criterion(two(X), Y)
    two.backward(criterion.backward())
    for parameter in two.parameters():
        parameter.grad[...] = np.clip(parameter.grad, -0.01, 0.01)
    by_hand.step()
    assert_same_bits(values(one), values(two))
    three = network()
    fit(
        three,
        epochs=1,
        batch_size=60,
        shuffle=False,
        clip_grad_value=0.01,
        optimizer=optim.SGD(three.parameters(), lr=0.1),
    )
    assert_same_bits(values(three), values(two))
    with pytest.raises(ValueError, match="clip_grad_value is -1, it must be at least 0"):
        fit(network(), clip_grad_value=-1.0)
