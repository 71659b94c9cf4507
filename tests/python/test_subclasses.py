"""Users' classes of networks and layers, with their attributes, in copies, slices and pickles."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from cmlp import nn, optim
from tolerance import assert_same_bits


class Layer(nn.Linear):
    """A layer with a method and an attribute of its own."""

    def __init__(self, width):
        super().__init__(width, width, init="orthogonal")
        self.note = {"width": width}

    def norm(self):
        return float(np.linalg.norm(self.weight.data))


class Block(nn.Sequential):
    """A network within a network."""


class Shortcut(nn.Residual):
    """A residual within a network."""


class Mean(nn.Ensemble):
    """An ensemble within a network."""


class Net(nn.Sequential):
    """A network with arguments of its own, and names for its parts."""

    def __init__(self, width, seed=0):
        tanh = nn.Tanh()
        super().__init__(
            Layer(width), tanh, Block(nn.Linear(width, width), nn.Dropout(0.5)), Shortcut(Layer(width)), tanh,
            Mean(Layer(width), nn.Sequential(Layer(width))),
            seed=seed,
        )  # fmt: skip
        self.width, self._secret = width, [1]
        self.body = self[2]
        self.kernel = self[0].weight


COPIES = {
    "copy": lambda net: net.copy(),
    "copy.copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "to": lambda net: net.to("float64").to("float32"),
}
X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


@pytest.mark.parametrize("how", COPIES)
def test_copies_have_the_classes_and_attributes(how):
    net = Net(4, seed=3)
    net.train_step(X, X, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    twin = COPIES[how](net)
    assert type(twin) is Net
    assert [type(module) for module in twin] == [Layer, nn.Tanh, Block, Shortcut, nn.Tanh, Mean]
    assert (twin.width, twin._secret, twin[0].note) == (4, [1], {"width": 4})
    assert twin[0].norm() == net[0].norm()
    assert twin[3][0].norm() == net[3][0].norm()
    assert twin[5][1][0].norm() == net[5][1][0].norm()
    assert (twin.body, twin.kernel) == (twin[2], twin[0].weight)
    assert_same_bits(twin.predict(X), net.predict(X))
    assert_same_bits(twin.train()(X), net.train()(X))


@pytest.mark.parametrize("how", [name for name in COPIES if name not in ("pickle", "copy.copy")])
def test_attributes_of_copies_are_copies(how):
    net = Net(4)
    twin = COPIES[how](net)
    twin._secret.append(2)
    twin[0].note["width"] = 5
    assert (net._secret, net[0].note) == ([1], {"width": 4})
    assert copy.deepcopy([net, net[2]])[1] is not net[2]


def test_a_slice_has_the_class_and_the_attributes():
    net = Net(4)
    part = net[:3]
    assert (type(part), part.width, part.body) == (Net, 4, net[2])
    assert_same_bits(part.eval()(X), net[2](net[1](net[0](X))))
    alone = part.copy()
    assert (type(alone), alone.body is alone[2], alone._secret) == (Net, True, [1])
    inner = net[2].copy()
    assert type(inner) is Block


def test_a_copied_optimizer_is_over_the_copied_network():
    net = Net(4)
    twin, adam = copy.deepcopy((net, optim.Adam(net.parameters())))
    twin.train_step(X, X, nn.MSELoss(), adam)
    assert type(twin) is Net
    assert (twin[0].weight.data != net[0].weight.data).any()
