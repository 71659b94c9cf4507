"""Networks with PyTorch's semantics: names, shapes, views, accumulated gradients, single layers, copies."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from cmlp import nn
from networks import nested, network
from tolerance import assert_close, assert_same_bits


def values(net):
    return list(net.state_dict().values())


def test_state_dict_has_pytorchs_names_and_shapes():
    shapes = {name: value.shape for name, value in network().state_dict().items()}
    assert shapes == {"0.weight": (5, 6), "0.bias": (5,), "3.weight": (3, 5)}
    assert [name for name, _ in network().named_parameters()] == list(shapes)
    assert list(nested().state_dict()) == [
        "0.weight", "0.bias", "1.0.0.weight", "1.0.0.bias", "1.1.weight", "1.1.bias", "3.weight", "3.bias",
    ]  # fmt: skip
    assert network().n_parameters == 5 * 6 + 5 + 15
    assert list(nested()[1].state_dict()) == ["0.0.weight", "0.0.bias", "1.weight", "1.bias"]


def test_state_dict_is_a_copy_in_c_order(dtype):
    net = network(dtype)
    state = net.state_dict()
    assert all(
        value.flags.c_contiguous and value.flags.owndata and value.dtype == dtype for value in state.values()
    )
    state["0.weight"][...] = 7
    assert not (net[0].weight.data == 7).any()


def test_load_state_dict_round_trip(dtype, rng):
    a, b = network(dtype, 1), network(dtype, 2)
    b.load_state_dict(a.state_dict())
    assert_same_bits(values(b), values(a))
    b.load_state_dict({name: value.tolist() for name, value in a.state_dict().items()})
    assert_same_bits(values(b), values(a))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("0.bias"), "load_state_dict: the state has no 0.bias"),
        (lambda s: s.update(extra=np.ones(1)), "load_state_dict: the network has no extra"),
        (
            lambda s: s.update({"3.weight": np.ones((5, 3))}),
            r"'3.weight' has shape \(3, 5\), the value \(5, 3\)",
        ),
        (
            lambda s: s.update({"0.bias": np.ones((5, 1))}),
            r"'0.bias' has shape \(5,\), the value \(5, 1\)",
        ),
        (lambda s: s.update({"3.weight": np.full((3, 5), "a")}), "3.weight"),
        (lambda s: s.update({"3.weight": np.full((3, 5), 1j)}), "3.weight"),
        (lambda s: s.update({"3.weight": np.full((3, 5), None)}), "3.weight"),
    ],
)
def test_load_state_dict_refuses_and_changes_nothing(change, message):
    net = network()
    before, state = values(net), network(seed=9).state_dict()
    change(state)
    with pytest.raises(ValueError, match=message):
        net.load_state_dict(state)
    assert_same_bits(values(net), before)


def test_parameters_are_views_of_the_network(dtype, rng):
    net, x = network(dtype).eval(), rng.normal(size=(4, 6))
    weight = net[0].weight.data
    before = net(x)
    weight[...] *= 2
    net[0].bias.data[0] = 100
    assert (net(x) != before).any()
    net[3].weight.data = np.zeros((3, 5))
    assert not net(x).any()
    assert_same_bits(net.parameters()[0].data, weight)
    assert np.shares_memory(net.parameters()[0].data, weight)
    with pytest.raises(ValueError, match=r"Parameter: '0.weight' has shape \(5, 6\), the value \(6, 5\)"):
        net.parameters()[0].data = np.zeros((6, 5))


def test_views_outlive_the_network():
    weight = nn.Linear(300, 200, init="constant", init_settings={"value": 0.25}).weight
    data, grad = weight.data, weight.grad
    del weight
    gc.collect()
    assert np.ones(100_000).all()  # memory that would be taken again
    assert (data == 0.25).all()
    assert not grad.any()


def test_gradients_accumulate_until_zeroed(dtype, rng):
    net, x, dy = network(dtype).eval(), rng.normal(size=(4, 6)), rng.normal(size=(4, 3))
    net(x)
    dx = net.backward(dy)
    once = [parameter.grad.copy() for parameter in net.parameters()]
    assert_same_bits(net.backward(dy), dx)  # a second backward of the same forward
    assert_same_bits([parameter.grad for parameter in net.parameters()], [2 * g for g in once])
    net.zero_grad()
    assert not any(parameter.grad.any() for parameter in net.parameters())


@pytest.mark.parametrize("make", [network, nested])
def test_layers_one_by_one_are_the_complete_network(make, dtype, rng):
    complete, parts = make(dtype).eval(), make(dtype).eval()
    x, dy = rng.normal(size=(7, 6)).astype(dtype), rng.normal(size=(7, 3)).astype(dtype)
    y, dx = x, dy
    for layer in parts:
        y = layer(y)
    for layer in reversed(list(parts)):
        dx = layer.backward(dx)
    assert_same_bits(complete(x), y)
    assert_same_bits(complete.backward(dy), dx)
    assert_same_bits([p.grad for p in complete.parameters()], [p.grad for p in parts.parameters()])


@pytest.mark.parametrize("make", [network, nested])
def test_trace_shows_every_value(make, dtype, rng):
    net, x = make(dtype).eval(), rng.normal(size=(3, 6)).astype(dtype)
    trace = net.trace(x)
    assert_same_bits(trace[0][1], x)
    assert_same_bits(trace[-1][1], net(x))
    if make is network:
        assert [name for name, _ in trace] == ["input", "0: Linear", "1: ReLU", "2: Dropout", "3: Linear"]
        for (_, before), (_, after), layer in zip(trace, trace[1:], net, strict=False):
            assert_same_bits(layer(before), after)
    else:
        assert [name for name, _ in trace][1:4] == ["0: Linear", "1.0.0: Linear", "1.0.1: Tanh"]


def test_layers_of_a_sequential_are_its_own(rng):
    """A layer put in a network keeps the values it was given, and is a view from then on."""
    layer = nn.Linear(3, 3)
    layer.weight.data = np.eye(3)
    net = nn.Sequential(layer, nn.Identity(), dtype="float64")
    assert_same_bits(net(np.ones((1, 3))), np.ones((1, 3)))
    layer.weight.data = 2 * np.eye(3)
    assert_same_bits(net(np.ones((1, 3))), np.full((1, 3), 2.0))
    assert (net[0] is layer, len(net), net[-1].training) == (True, 2, True)
    with pytest.raises(ValueError, match="already belongs to another network"):
        nn.Sequential(layer)
    activation = nn.ReLU()  # without parameters: shared as one likes
    assert nn.Sequential(activation, nn.Linear(1, 1), activation)([[1.0]]).shape == (1, 1)


def test_seeds_reach_nested_networks():
    """Blocks made alike start apart, and from the outer seed."""

    def block():
        return nn.Sequential(nn.Linear(4, 4), nn.ReLU())

    one, two = (nn.Sequential(block(), block(), seed=seed) for seed in (1, 2))
    assert (one[0][0].weight.data != one[1][0].weight.data).any()
    assert all((a != b).any() for a, b in zip(values(one)[::2], values(two)[::2], strict=True))
    flat = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), seed=1)
    assert_same_bits(values(one), values(flat))


def test_layers_stand_alone(dtype, rng):
    layer = nn.Linear(4, 2, seed=3, dtype=dtype)
    x = rng.normal(size=(5, 4)).astype(dtype)
    expected = x.astype(float) @ layer.weight.data.astype(float).T + layer.bias.data
    assert_close(layer.forward(x), expected, "forward", dtype, scale=1)
    assert layer.backward(np.ones((5, 2))).shape == (5, 4)
    assert nn.Linear(4, 2, bias=False).bias is None
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_one_mode_for_all_layers():
    net = nested()
    assert net.training
    assert net[1].eval() is net[1]
    assert (net.training, net[1][0].training) == (False, False)
    assert net.train() is net
    assert net[1][0].training


def test_summary_and_repr():
    lines = nested("float64").summary().splitlines()
    assert lines[-1] == f"{nested().n_parameters:,} parameters, float64"
    assert [line.split()[-2:] for line in lines[2:4]] == [["5", "35"], ["4", "24"]]
    assert repr(network()).splitlines()[1] == "  Linear(in_features=6, out_features=5, bias=True),"
    assert "GELU(approximate='tanh')" in repr(nested())
    assert repr(nested()[0].weight) == "Parameter('0.weight', shape=(5, 6), dtype=float32)"
