"""SWALR and update_bn: the formula, in fit and in a loop, statistics over batches, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cmlp import nn, optim
from cmlp.optim.swa_utils import SWALR, AveragedModel, update_bn
from tolerance import assert_close, assert_same_bits

X, Y = np.random.default_rng(0).normal(size=(40, 3)), np.zeros((40, 2))


def network(dtype="float64"):
    return nn.Sequential(
        nn.Linear(3, 5),
        nn.BatchNorm1d(5, momentum=0.3),
        nn.Residual(nn.Linear(5, 5), nn.BatchNorm1d(5, momentum=None)),
        nn.Linear(5, 2),
        dtype=dtype,
    )


def share(strategy, n, epochs):
    t = min(1.0, n / epochs) if epochs else 1.0
    return t if strategy == "linear" else (1 - math.cos(math.pi * t)) / 2


@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("epochs", [0, 1, 7])
def test_rates_go_from_where_they_are(strategy, epochs):
    net = network()
    sgd = optim.SGD([{"params": net[0].parameters()}, {"params": net[3].parameters(), "lr": 0.4}], lr=1.0)
    scheduler = SWALR(sgd, [0.05, 0.5], epochs, strategy)
    if epochs:
        assert scheduler.get_last_lr() == [1.0, 0.4]
    sgd.param_groups[0]["lr"] = 2.0  # another scheduler's work until now
    for n in range(1, 10):
        scheduler.step()
        a = share(strategy, n, epochs)
        np.testing.assert_allclose(scheduler.get_last_lr(), [2 - 1.95 * a, 0.4 + 0.1 * a], rtol=1e-14)


def test_fit_is_the_loop_and_the_state_carries_over():
    nets = [network(), network()]
    rules = [optim.SGD(net.parameters(), lr=0.1) for net in nets]
    schedulers = [SWALR(rule, 0.01, 4) for rule in rules]
    for rule in rules:
        rule.lr = 0.2
    options = {"loss": "mse", "batch_size": 20, "verbose": 0}
    nets[0].fit(X, Y, optimizer=rules[0], epochs=6, scheduler=schedulers[0], **options)
    for epoch in range(6):
        nets[1].fit(X, Y, optimizer=rules[1], epochs=epoch + 1, initial_epoch=epoch, **options)
        schedulers[1].step()
        if epoch == 2:
            state, rate = schedulers[1].state_dict(), rules[1].lr
            schedulers[1] = SWALR(rules[1], 0.5, 9)
            rules[1].lr = rate
            schedulers[1].load_state_dict(state)
    assert_same_bits(list(nets[0].state_dict().values()), list(nets[1].state_dict().values()))
    assert schedulers[0].get_last_lr() == schedulers[1].get_last_lr() == [0.01]


def test_statistics_are_the_means_over_the_batches(dtype):
    net = network(dtype).eval()
    net(X), net.train(), net(X + 5), net.eval()  # statistics to be forgotten
    before, batches = net.state_dict(), [X[:25], X[25:]]
    update_bn([(x, "anything") for x in batches], net)
    after = net.state_dict()
    hidden = [x.astype(dtype) @ before["0.weight"].T + before["0.bias"] for x in batches]
    for key, value in after.items():
        if "num_batches" in key:
            assert value == 2
        elif "running" not in key:
            assert_same_bits(value, before[key])
    mean = np.mean([h.mean(axis=0) for h in hidden], axis=0)
    var = np.mean([h.var(axis=0, ddof=1) for h in hidden], axis=0)
    assert_close(after["1.running_mean"], mean, "forward", dtype, scale=1)
    assert_close(after["1.running_var"], var, "forward", dtype, scale=1)
    assert not net.training
    assert net[1].momentum == 0.3


def test_of_an_averaged_model_and_of_a_layer():
    net, averaged = network(), AveragedModel(network())
    averaged.update_parameters(net)
    update_bn([X], averaged)
    alone = nn.BatchNorm1d(3, dtype="float64")
    update_bn([X], alone)
    np.testing.assert_allclose(dict(alone.named_buffers())["running_mean"], X.mean(axis=0), rtol=1e-13)
    update_bn([X], net)
    assert_same_bits(
        list(averaged.module.state_dict().values()),
        list(net.state_dict().values()),
    )
    update_bn([X], nn.Linear(3, 1))  # without a norm there is nothing to do


@pytest.mark.parametrize("settings", [{}, {"avg_fn": lambda mean, x, n: mean + (x - mean) / (n + 1)}])
def test_statistics_may_be_averaged_too(settings):
    net = network()
    both, last = AveragedModel(net, use_buffers=True, **settings), AveragedModel(net, **settings)
    recorded = []
    for shift in range(3):
        net(X + shift)
        recorded.append(net.state_dict())
        both.update_parameters(net), last.update_parameters(net)
    for key in ("1.running_mean", "2.1.running_var"):
        expected = np.mean([state[key] for state in recorded], axis=0)
        assert_close(both.module.state_dict()[key], expected, "optimizer", scale=1)
        assert_same_bits(last.module.state_dict()[key], recorded[-1][key])


def test_an_average_of_another_shape_is_refused():
    net = network()
    averaged = AveragedModel(net, avg_fn=lambda mean, x, n: 0.0)
    averaged.update_parameters(net)
    with pytest.raises(ValueError, match=r"avg_fn returned shape \(\) for \(5, 3\)"):
        averaged.update_parameters(net)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1, 0.2],), "swa_lr has 2 values, the optimizer has 1 groups"),
        ((0.1, -1), "anneal_epochs is -1"),
        ((0.1, 1.5), "anneal_epochs is 1.5"),
        ((0.1, 1, "log"), "anneal_strategy is 'log'; choose from cos, linear"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SWALR(optim.SGD(network().parameters()), *arguments)


def test_batches_of_another_width_are_refused():
    net = network()
    before = net.state_dict()
    with pytest.raises(ValueError, match="x has 2 columns"):
        update_bn([X, X[:, :2]], net)
    assert_same_bits(list(net.state_dict().values()), list(before.values()))
