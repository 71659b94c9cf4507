"""Networks within networks: an inner one is a network of its layers; failing to make one breaks nothing."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import cmlp
from cmlp import nn, optim
from tolerance import assert_same_bits

X = np.linspace(-1, 1, 12).reshape(4, 3)
HIDDEN, OUT = np.ones((4, 2)), np.ones((4, 5))


def pair(dtype="float32"):
    """An outer network and the inner one, an encoder of two columns."""
    inner = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    return nn.Sequential(nn.Identity(), inner, nn.Linear(2, 5), seed=1, dtype=dtype), inner


def alone(inner):
    """A network of the same layers and values that belongs to nothing."""
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    net.load_state_dict(inner.state_dict())
    return net


def test_predictions_are_the_inner_networks():
    _, inner = pair()
    net = alone(inner)
    assert_same_bits((inner(X), inner.predict(X)), (net(X), net.predict(X)))
    assert inner.evaluate(X, HIDDEN, loss="mse", metrics=["mae"]) == net.evaluate(
        X, HIDDEN, loss="mse", metrics=["mae"]
    )
    assert inner.summary() == net.summary()
    assert [name for name, _ in inner.trace(X)] == [name for name, _ in net.trace(X)]
    assert inner.n_parameters == net.n_parameters
    assert cmlp.gradcheck(inner, X, HIDDEN, nn.MSELoss(), h=6e-6).worst < 1e-7


COPIES = {
    "copy": lambda net: net.copy(),
    "deepcopy": copy.deepcopy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "to": lambda net: net.to("float64").to("float32"),
}


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_of_the_inner_network_and_stands_alone(how):
    outer, inner = pair()
    twin = COPIES[how](inner)
    assert repr(twin).replace("  seed=1,\n", "") == repr(inner)
    assert list(twin.state_dict()) == list(inner.state_dict())
    assert_same_bits(twin.predict(X), alone(inner).predict(X))
    before = outer.predict(X)
    twin.fit(X, HIDDEN, loss="mse")
    assert_same_bits(outer.predict(X), before)


def test_a_saved_inner_network(tmp_path):
    _, inner = pair()
    cmlp.save(inner, tmp_path / "encoder")
    assert_same_bits(cmlp.load(tmp_path / "encoder").predict(X), alone(inner).predict(X))


@pytest.mark.parametrize("how", ["fit", "train_step"])
def test_training_the_inner_network_is_right_or_refused(how):
    """Either its own layers learn as they would alone, or the message says to train the outer network."""
    outer, inner = pair()
    net = alone(inner)
    before = outer[2].weight.data.copy()
    for each in (inner, net):
        sgd = optim.SGD(each.parameters(), lr=0.1)
        try:
            if how == "fit":
                each.fit(X, HIDDEN, loss="mse", optimizer=sgd)
            else:
                each.train_step(X, HIDDEN, nn.MSELoss(), sgd)
        except ValueError as error:
            assert "belongs" in str(error)  # noqa: PT017
            return
    assert_same_bits(list(inner.state_dict().values()), list(net.state_dict().values()))
    assert_same_bits(outer[2].weight.data, before)


def test_resetting_the_inner_network_leaves_the_rest():
    outer, inner = pair()
    before = outer[2].weight.data.copy()
    try:
        inner.reset_parameters(7)
    except ValueError as error:
        assert "belongs" in str(error)  # noqa: PT017
    assert_same_bits(outer[2].weight.data, before)


@pytest.mark.parametrize(
    "bad", [lambda: nn.Linear(9, 9), lambda: nn.Linear(0, 1), lambda: nn.Activation("no")]
)
def test_a_network_that_cannot_be_made_gives_its_layers_back(bad):
    layer, inner = nn.Linear(3, 4, seed=1), nn.Sequential(nn.Linear(4, 2))
    expected = inner(layer(X))
    with pytest.raises(ValueError):
        nn.Sequential(layer, inner, bad())
    assert_same_bits(inner(layer(X)), expected)
    assert nn.Sequential(layer, inner)(X).shape == (4, 2)


def test_a_module_twice_in_one_network_is_refused_and_unharmed():
    inner = nn.Sequential(nn.Linear(3, 3))
    expected = inner(X)
    for twice in ((inner, inner), (inner[0], inner[0])):
        with pytest.raises(ValueError, match=r"belongs to another network|twice"):
            nn.Sequential(*twice)
    assert_same_bits(inner(X), expected)


def test_values_given_before_joining_are_kept():
    inner = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    inner[0].weight.data = np.eye(3)
    outer = nn.Sequential(inner, nn.Sequential(nn.Linear(3, 2)), seed=4, dtype="float64")
    assert_same_bits(outer[0][0].weight.data, np.eye(3))
    assert outer.dtype == inner.dtype == np.float64


def test_auto_looks_past_the_end_of_a_block():
    """The last Linear of a block starts for the activation that follows it in the outer network."""
    nested = nn.Sequential(nn.Sequential(nn.Linear(20, 20)), nn.ReLU(), nn.Linear(20, 2), seed=3)
    flat = nn.Sequential(nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 2), seed=3)
    assert_same_bits(nested[0][0].weight.data, flat[0].weight.data)


def test_deep_nesting_is_a_flat_network(tmp_path):
    net = nn.Sequential(
        nn.Sequential(nn.Sequential(nn.Sequential(nn.Linear(3, 4)), nn.Tanh())), nn.Linear(4, 5)
    )
    assert list(net.state_dict()) == ["0.0.0.0.weight", "0.0.0.0.bias", "1.weight", "1.bias"]
    cmlp.save(net, tmp_path / "deep")
    loaded = cmlp.load(tmp_path / "deep")
    assert repr(loaded) == repr(net)
    assert_same_bits(loaded[0][0].predict(X), net[0][0](X))
    assert_same_bits(loaded.predict(X), net.predict(X))
    history = net.fit(X, OUT, loss="mse")
    assert history.steps == 1
