"""Copies of a network: by hand, by pickle, in the other precision; the same in all they do, then apart."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from cmlp import nn
from networks import nested, network
from tolerance import assert_close, assert_same_bits


def values(net):
    return list(net.state_dict().values())


COPIES = {
    "copy": lambda net: net.copy(),
    "copy.copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "pickle_2": lambda net: pickle.loads(pickle.dumps(net, protocol=2)),
    "to": lambda net: net.to(net.dtype),
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("make", [network, nested])
def test_copies(how, make, dtype, rng):
    net, x = make(dtype), rng.normal(size=(8, 6))
    net.fit(x, rng.normal(size=(8, 3)), loss="mse", epochs=2)
    net.metadata["note"] = "ä"
    net.eval()
    twin = COPIES[how](net)
    assert (repr(twin), twin.dtype, twin.training) == (repr(net), net.dtype, False)
    assert twin.metadata["note"] == "ä"
    assert twin.history.to_dict() == net.history.to_dict()
    assert_same_bits(twin.predict(x), net.predict(x))
    assert_same_bits(twin.train()(x), net.train()(x))  # the same next dropout masks
    before = values(net)
    twin.parameters()[0].data[...] = 0
    twin.metadata["note"] = "other"
    assert_same_bits(values(net), before)
    assert net.metadata["note"] == "ä"


@pytest.mark.parametrize("how", COPIES)
def test_copies_keep_the_mode(how):
    assert [COPIES[how](network().train(mode)).training for mode in (True, False)] == [True, False]


@pytest.mark.parametrize("how", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_copies_of_layers_and_losses(how, rng):
    layer, loss = nn.Linear(3, 2, seed=4), nn.CrossEntropyLoss([1.0, 2.0], label_smoothing=0.1)
    layer.weight.data = np.ones((2, 3))
    y, x = layer(rng.normal(size=(5, 3))), rng.normal(size=(5, 3))
    assert_same_bits(how(layer)(x), layer(x))
    assert how(loss)(y, [0, 1, 0, 1, 1]) == loss(y, [0, 1, 0, 1, 1])
    assert repr(how(loss)) == repr(loss)


def test_to_the_other_precision(rng):
    net, x = network("float32", 3), rng.normal(size=(6, 6))
    double = net.to("float64")
    assert_same_bits(values(double), [value.astype("float64") for value in values(net)])
    assert_same_bits(values(double.to(np.float32)), values(net))
    assert_same_bits(values(network("float64", 3).to("float32")), values(net))
    assert_close(double.predict(x), net.predict(x), "forward", "float32", scale=1)
    with pytest.raises(ValueError, match="unknown dtype 'float16'; choose from float32, float64"):
        net.to("float16")
