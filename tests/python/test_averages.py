"""Averages of weights and clipping of gradients against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import nn, optim
from cmlp.optim import swa_utils
from tolerance import assert_close, assert_same_bits


def net_of(dtype="float64", seed=0):
    return nn.Sequential(nn.Linear(5, 33), nn.ReLU(), nn.Linear(33, 2), dtype=dtype, seed=seed)


def drawn(net, rng):
    for parameter in net.parameters():
        parameter.data = rng.normal(size=parameter.shape)
        parameter.grad = rng.normal(size=parameter.shape)
    return net


def averaged(model, means, rng, updates=6):
    """Update with random weights; return the weights of each time by name."""
    recorded = []
    for _ in range(updates):
        recorded.append(drawn(model, rng).state_dict())
        means.update_parameters(model)
    return {key: np.array([state[key] for state in recorded], float) for key in recorded[0]}


def test_swa_is_the_mean(dtype, rng):
    model = net_of(dtype)
    means = swa_utils.AveragedModel(model)
    every = averaged(model, means, rng)
    assert means.n_averaged == 6
    for key, value in means.module.state_dict().items():
        assert_close(value, every[key].mean(axis=0), "optimizer", dtype, scale=1)
    x = rng.normal(size=(4, 5))
    assert_same_bits(means(x), means.module(x))


@pytest.mark.parametrize("decay", [0.0, 0.9, 1.0])
def test_ema_forgets(decay, dtype, rng):
    model = net_of(dtype)
    means = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(decay))
    every = averaged(model, means, rng)
    for key, value in means.module.state_dict().items():
        expected = every[key][0]
        for x in every[key][1:]:
            expected = decay * expected + (1 - decay) * x
        assert_close(value, expected, "optimizer", dtype, scale=1)


@pytest.mark.parametrize("kind", ["avg_fn", "multi_avg_fn"])
def test_functions_of_ones_own(kind, rng):
    def multi(means, current, count):
        for mean, x in zip(means, current, strict=True):
            mean[...] = one(mean, x, count)

    def one(mean, x, count):
        return np.maximum(mean, x)

    model = net_of()
    means = swa_utils.AveragedModel(model, **{kind: one if kind == "avg_fn" else multi})
    every = averaged(model, means, rng)
    for key, value in means.module.state_dict().items():
        assert_same_bits(value, every[key].max(axis=0))


def test_state_of_an_average_goes_on(rng):
    model = net_of()
    one, other = swa_utils.AveragedModel(model), swa_utils.AveragedModel(net_of(seed=5))
    averaged(model, one, rng, 3)
    other.load_state_dict(one.state_dict())
    drawn(model, rng)
    one.update_parameters(model), other.update_parameters(model)
    assert other.n_averaged == 4
    assert_same_bits([p.data for p in other.parameters()], [p.data for p in one.parameters()])


def test_averages_refuse(rng):
    means = swa_utils.AveragedModel(net_of())
    with pytest.raises(ValueError, match="AveragedModel: the model is not of the same layers and dtype"):
        means.update_parameters(net_of("float32"))
    with pytest.raises(ValueError, match="both given"):
        swa_utils.AveragedModel(net_of(), avg_fn=min, multi_avg_fn=max)
    with pytest.raises(ValueError, match=r"decay is 2, it must be in \[0,1\]"):
        swa_utils.get_ema_multi_avg_fn(2)


@pytest.mark.parametrize("norm_type", [1, 2, np.inf])
@pytest.mark.parametrize("max_norm", [0.0, 0.5, 1e6])
def test_clip_grad_norm(norm_type, max_norm, dtype, rng):
    net = drawn(net_of(dtype), rng)
    chosen = net.parameters()[1:]
    before = [p.grad.copy() for p in net.parameters()]
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in before[1:]]).astype(float), norm_type)
    assert_close(nn.utils.clip_grad_norm_(chosen, max_norm, norm_type), norm, "optimizer", dtype)
    factor = min(1, max_norm / (norm + 1e-6))
    assert_same_bits(net.parameters()[0].grad, before[0])
    for parameter, g in zip(chosen, before[1:], strict=True):
        assert_close(parameter.grad, g * factor, "optimizer", dtype)


def test_clip_grad_value(dtype, rng):
    net = drawn(net_of(dtype), rng)
    net[0].weight.grad[0, 0] = np.nan
    before = [p.grad.copy() for p in net.parameters()]
    nn.utils.clip_grad_value_(net.parameters(), 0.25)
    for parameter, g in zip(net.parameters(), before, strict=True):
        assert_same_bits(parameter.grad, np.clip(g, -0.25, 0.25).astype(dtype))


def test_clipping_takes_one_parameter_and_none(rng):
    net = drawn(net_of(), rng)
    assert nn.utils.clip_grad_norm_([], 1.0) == 0
    nn.utils.clip_grad_value_(net[0].weight, 0.0)
    assert not net[0].weight.grad.any()
    assert net[0].bias.grad.any()


def test_clipping_refuses(rng):
    net = drawn(net_of(), rng)
    before = net[0].weight.grad.copy()
    with pytest.raises(ValueError, match="norm_type is 3, it must be 1, 2 or infinity"):
        nn.utils.clip_grad_norm_(net.parameters(), 1.0, 3)
    with pytest.raises(ValueError, match=r"max_norm is -1, it must be in \[0,inf\]"):
        nn.utils.clip_grad_norm_(net.parameters(), -1.0)
    with pytest.raises(ValueError, match=r"clip_value is nan, it must be in \[0,inf\]"):
        nn.utils.clip_grad_value_(net.parameters(), np.nan)
    with pytest.raises(ValueError, match="parameters have different dtypes"):
        nn.utils.clip_grad_norm_(net.parameters() + net_of("float32").parameters(), 1.0)
    net[2].weight.grad[0, 0] = np.inf
    with pytest.raises(RuntimeError, match="norm of the gradients is inf, nothing was clipped"):
        nn.utils.clip_grad_norm_(net.parameters(), 1.0, error_if_nonfinite=True)
    assert_same_bits(net[0].weight.grad, before)


def test_muon_trains_a_complete_network(rng):
    x = rng.normal(size=(64, 5))
    net = net_of()
    history = net.fit(
        x, x[:, :2], loss="mse", optimizer=optim.Muon(net.parameters(), lr=0.02), epochs=30, verbose=0
    )
    assert history.history["loss"][-1] < 0.1 * history.history["loss"][0]
