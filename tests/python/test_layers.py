"""Layers against the oracle: Linear at every size of tail, Softmax, and what Dropout draws."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import nn
from reference import MLP
from tolerance import assert_close, assert_same_bits

SIZES = [
    (1, 1, 1),
    (2, 3, 1),
    (5, 1, 7),
    (6, 17, 16),
    (7, 31, 33),
    (13, 64, 65),
    (3, 100, 130),
    (257, 5, 9),
    (600, 40, 12),
]


def check_against_oracle(net, x, dy):
    """Forward, then backward, with errors measured against the largest value there is."""
    mlp, dtype = MLP(net), net.dtype
    expected = mlp.forward(x)
    assert_close(net(x), expected, "forward", dtype, scale=abs(expected).max())
    dx, grads = mlp.backward(dy)
    net.zero_grad()
    assert_close(net.backward(dy), dx, "backward", dtype, scale=abs(dx).max())
    for name, parameter in net.named_parameters():
        assert_close(parameter.grad, grads[name], "backward", dtype, scale=abs(grads[name]).max())


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("rows", "n", "m"), SIZES)
def test_linear(rows, n, m, bias, dtype, isa, rng):
    net = nn.Sequential(nn.Linear(n, m, bias=bias), dtype=dtype, seed=1)
    if bias:
        net[0].bias.data = rng.normal(size=m)
    check_against_oracle(
        net, rng.normal(size=(rows, n)).astype(dtype), rng.normal(size=(rows, m)).astype(dtype)
    )


@pytest.mark.parametrize("columns", [1, 2, 15, 16, 17, 33, 130])
def test_softmax(columns, dtype, isa, rng):
    net = nn.Sequential(nn.Softmax(), dtype=dtype)
    x, dy = rng.normal(0, 5, (2, 7, columns)).astype(dtype)
    check_against_oracle(net, x, dy)
    assert_close(net(x).sum(axis=1), np.ones(7), "forward", dtype)


def test_softmax_of_large_and_infinite_logits(dtype, isa):
    net = nn.Sequential(nn.Softmax(), dtype=dtype)
    x = np.array([[700, -700, 0], [1e30, -1e30, 1e30], [-np.inf, 0, 0], [-1e30, -1e30, -1e30]], dtype)
    expected = [[1, 0, 0], [0.5, 0, 0.5], [0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]]
    assert_close(net(x), expected, "forward", dtype, scale=1)
    assert np.isnan(net(np.array([[np.nan, 0.0]], dtype))).any()


@pytest.mark.parametrize("activation", cmlp.activations())
def test_a_deep_network(activation, dtype, isa, rng):
    layers = [
        nn.Linear(9, 40),
        nn.Activation(activation),
        nn.Linear(40, 17, bias=False),
        nn.Activation(activation),
    ]
    net = nn.Sequential(*layers, nn.Dropout(0.5), nn.Linear(17, 3), nn.Softmax(), dtype=dtype, seed=3).eval()
    check_against_oracle(net, rng.normal(size=(50, 9)).astype(dtype), rng.normal(size=(50, 3)).astype(dtype))


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_dropout_keeps_its_share_and_the_mean(p, dtype, isa):
    net = nn.Sequential(nn.Dropout(p), dtype=dtype, seed=4)
    x = np.ones((400, 500), dtype)
    y = net(x)
    kept = 0.0 if p == 1 else 1 / (1 - p)
    assert set(np.unique(y)) <= {np.dtype(dtype).type(0), np.dtype(dtype).type(kept)}
    assert abs((y == 0).mean() - p) <= 5 * np.sqrt(p * (1 - p) / y.size)
    assert abs(y.mean() - (p < 1)) <= 5 * kept * np.sqrt(p * (1 - p) / y.size) + 1e-7
    rows = (y == 0).mean(axis=1)
    assert abs(rows - p).max() <= 6 * np.sqrt(p * (1 - p) / 500)


def test_dropouts_backward_uses_the_same_mask(dtype, isa, rng):
    net = nn.Sequential(nn.Dropout(0.3), dtype=dtype)
    x, dy = rng.uniform(1, 2, (2, 31, 47)).astype(dtype)
    for _ in range(3):
        y, dx = net(x), net.backward(dy)
        assert ((y == 0) == (dx == 0)).all()
        assert_close(dx[y != 0] / dy[y != 0], np.full((y != 0).sum(), 1 / 0.7), "forward", dtype)


def test_masks_differ_by_pass_layer_seed_and_place(rng):
    def masks(net):
        values = [value for _, value in net.trace(np.ones((50, 64)))]
        return [values[1] != 0, values[2] != values[1]]

    def network(seed):
        return nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.5), seed=seed)

    net = network(0)
    first, second = masks(net), masks(net)
    every = [
        first[0],
        second[0],
        masks(network(1))[0],
        first[0][::-1],
        first[0][:, ::-1],
        first[0] & first[1],
    ]
    for at, one in enumerate(every):
        assert all(0.4 < (one == other).mean() < 0.6 for other in every[at + 1 : 5])
    assert_same_bits(masks(network(0))[0], first[0])


def test_masks_do_not_depend_on_threads_or_instruction_set(dtype, vector_isa, threads):
    x = np.ones((700, 300), dtype)

    def masks(count):
        threads(count)
        return nn.Sequential(nn.Dropout(0.4), dtype=dtype, seed=9)(x)

    one = masks(1)
    cmlp.runtime.set_isa("scalar")
    for count in (2, 3):
        assert_same_bits(masks(count), one)


def test_masks_of_both_precisions_are_the_same():
    masks = [
        nn.Sequential(nn.Dropout(0.4), dtype=dtype)(np.ones((20, 30))) != 0
        for dtype in ("float32", "float64")
    ]
    assert_same_bits(*masks)


def test_masks_of_the_first_rows_do_not_depend_on_the_rows_after(isa):
    def mask(rows):
        return nn.Sequential(nn.Dropout(0.4), seed=2)(np.ones((rows, 33)))

    assert_same_bits(mask(50)[:7], mask(7))


def test_eval_passes_through(dtype, rng):
    net = nn.Sequential(nn.Dropout(0.9), dtype=dtype).eval()
    x = rng.normal(size=(5, 6)).astype(dtype)
    assert_same_bits((net(x), net.backward(x), net.predict(x)), (x, x, x))
    assert not net.training
    assert (net.train()(x) == 0).any()
    assert_same_bits(net.predict(x), x)  # predict is always in evaluation mode


def test_a_forward_in_evaluation_takes_no_random_numbers():
    def run(between):
        net = nn.Sequential(nn.Dropout(0.5), seed=1)
        net(np.ones((3, 40)))
        between(net)
        return net(np.ones((3, 40)))

    def evaluate(net):
        net.eval()(np.ones((3, 40)))
        net.predict(np.ones((3, 40)))
        net.evaluate(np.ones((3, 40)), np.ones((3, 40)), loss="mse")
        net.train()

    assert_same_bits(run(evaluate), run(lambda net: None))


def test_alpha_dropout_is_its_formula():
    """What is dropped becomes low, SELU's lower limit; a y + b brings back mean 0 and variance 1."""
    x, p, low = np.random.default_rng(0).normal(size=(300, 400)), 0.3, -1.7580993408473766
    net = nn.Sequential(nn.AlphaDropout(p), dtype="float64")
    a = 1 / np.sqrt((1 - p) * (1 + p * low**2))
    b = -a * low * p
    y = net(x)
    dropped = abs(y - (a * low + b)) < 1e-12
    assert abs(dropped.mean() - p) < 5 * np.sqrt(p * (1 - p) / x.size)
    assert_close(y[~dropped], a * x[~dropped] + b, "forward", scale=1)
    assert_close(net.backward(np.ones_like(x)), np.where(dropped, 0, a), "backward")
    assert abs(y.mean()) < 5 / np.sqrt(x.size) > abs(y.var() - 1) / 2
