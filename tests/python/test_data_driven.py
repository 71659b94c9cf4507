"""nn.init.data_driven_: deviations and kinks by the rows, what it leaves alone, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import nn
from tolerance import assert_close, assert_same_bits

X = np.random.default_rng(0).normal(4, 3, (300, 6)) * [1, 10, 0.1, 1, 1, 5]


def network(dtype="float64", seed=0, **options):
    return nn.Sequential(
        nn.Scale(6),
        nn.Linear(6, 40, **options),
        nn.BatchNorm1d(40),
        nn.SELU(),
        nn.Residual(nn.Linear(40, 40, **options), nn.ReLU()),
        nn.Linear(40, 7, **options),
        nn.Ensemble(nn.Linear(7, 7, **options), nn.Residual(nn.Linear(7, 7, **options))),
        dtype=dtype,
        seed=seed,
    )


def before_bias(net, x):
    """x W of each linear layer, for the rows as they come to it."""
    inputs = [value for _, value in net.trace(x)]
    layers = [at for at, (_, kind, _) in enumerate(net._core.layers()) if kind == "Linear"]
    state = net.state_dict()
    names = [net._core.layers()[at][0] for at in layers]
    return [
        (inputs[at + 1] - state.get(f"{name}.bias", 0), state.get(f"{name}.bias"))
        for at, name in zip(layers, names, strict=True)
    ]


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
def test_outputs_have_deviation_one_and_kinks_amid_the_rows(parametrization, dtype):
    net = network(dtype, parametrization=parametrization)
    assert nn.init.data_driven_(net, X) is net
    for z, bias in before_bias(net, X):
        assert_close(z.astype(float).std(axis=0), np.ones(z.shape[1]), "training", dtype)
        assert (z.min(axis=0) < -bias).all()
        assert (-bias < z.max(axis=0)).all()


def test_weights_are_normal_over_the_deviation():
    net, drawn = network(seed=5), network(seed=5, parametrization="ntk")  # whose weights begin as N(0, 1)
    nn.init.data_driven_(net, X, seed=5)
    g = drawn[1].weight.data
    assert_close(net[1].weight.data, g / (X @ g.T).std(axis=0)[:, None], "forward")


def test_biases_are_dirichlet_means_of_five_rows():
    # Var(sum lambda_k z_k) = Var(z) E(sum lambda_k^2) = Var(z) 2 / 6
    wide = nn.Sequential(nn.Linear(6, 20000), dtype="float64")
    nn.init.data_driven_(wide, X)
    ((z, bias),) = before_bias(wide, X)
    apart = -bias - z.mean(axis=0)
    assert abs(apart.mean()) < 0.02
    assert abs(apart.var() - 1 / 3) < 0.015


def test_without_bias_and_with_outputs_that_do_not_vary():
    net = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 2), dtype="float64")
    nn.init.data_driven_(net, np.ones((10, 2)))
    assert all(np.isfinite(value).all() for value in net.state_dict().values())
    assert_close(net(np.ones((1, 2))), np.zeros((1, 2)), "forward", scale=10)


def test_leaves_all_else_as_it_was():
    net = network()
    rest = {key: value for key, value in net.state_dict().items() if key[0] in "02"}
    net(X)
    net.backward(np.ones((300, 7)))
    rest = {key: value for key, value in net.state_dict().items() if key[0] in "02"}
    grads = [parameter.grad.copy() for parameter in net.parameters()]
    step = net._core.step
    nn.init.data_driven_(net, X)
    assert_same_bits([net.state_dict()[key] for key in rest], list(rest.values()))
    assert_same_bits([parameter.grad for parameter in net.parameters()], grads)
    assert net._core.step == step
    assert net.training
    with pytest.raises(ValueError, match="no forward pass"):
        net.backward(np.ones((300, 7)))


def test_follows_the_seed_and_the_mode():
    one, two, other, drops = network(), network(), network(), network().train()
    nn.init.data_driven_(one, X, seed=1), nn.init.data_driven_(two, X, seed=1)
    assert_same_bits(list(one.state_dict().values()), list(two.state_dict().values()))
    nn.init.data_driven_(other, X, seed=2), nn.init.data_driven_(drops.eval(), X, seed=1)
    assert (other[1].weight.data != one[1].weight.data).all()
    assert (drops[4][0].weight.data != one[4][0].weight.data).any()  # the norm's running statistics


def test_a_part_of_a_network():
    net = network()
    before = net[5].weight.data.copy()
    nn.init.data_driven_(net[1], X)
    assert_close(net[1](X).std(axis=0), np.ones(40), "training")
    assert_same_bits(net[5].weight.data, before)


def test_same_bits_for_threads_and_sets(threads):
    before, results = cmlp.runtime.isa(), []
    for isa in cmlp.runtime.isas():
        for count in (1, 3):
            threads(count)
            cmlp.runtime.set_isa(isa)
            results.append(list(nn.init.data_driven_(network("float32"), X).state_dict().values()))
    cmlp.runtime.set_isa(before)
    for result in results[1:]:
        assert_same_bits(result, results[0])


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (X[:, :5], "x has 5 columns"),
        (X[:0], "x has no rows"),
        (np.where(np.arange(6) == 2, np.nan, X), "row 0 of x is not finite"),
        (np.where(np.arange(300)[:, None] == 7, np.inf, X), "row 7 of x is not finite"),
    ],
)
def test_refused(x, message):
    net = network()
    before = net.state_dict()
    with pytest.raises(ValueError, match=message):
        nn.init.data_driven_(net, x)
    assert_same_bits(list(net.state_dict().values()), list(before.values()))
