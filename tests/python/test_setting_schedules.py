"""Schedules of settings other than the learning rate in fit: weight decay, momentum, betas, dropout."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import nn, optim
from cmlp.optim import lr_scheduler as s
from tolerance import assert_same_bits

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 4)), RNG.integers(0, 3, 60)
SHAPES = {  # over so many epochs or steps
    "coslog4": lambda optimizer, n, setting: s.CosLog4LR(optimizer, n, setting=setting),
    "flat_cos": lambda optimizer, n, setting: s.FlatCosLR(optimizer, n, flat=0.3, setting=setting),
    "exponential": lambda optimizer, n, setting: s.ExponentialLR(optimizer, 0.5 ** (1 / n), setting=setting),
}
OPTIMIZERS = {
    "weight_decay": lambda p: optim.AdamW(p, lr=0.01, weight_decay=0.5),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "beta1": lambda p: optim.Adam(p, lr=0.01),
    "beta2": lambda p: optim.Adam(p, lr=0.01, betas=(0.9, 0.99)),
    "dropout": lambda p: optim.SGD(p, lr=0.1),
}


def network(p=0.5):
    layers = nn.Linear(4, 16), nn.SELU(), nn.Dropout(p), nn.AlphaDropout(p / 2), nn.Linear(16, 3)
    return nn.Sequential(*layers, seed=1, dtype="float64")


def values(net):
    return [np.array(value) for value in net.state_dict().values()]


def loop(net, optimizer, scheduler, interval, epochs):
    criterion, recorded = nn.CrossEntropyLoss(), []
    for _ in range(epochs):
        for first in range(0, 60, 7):
            recorded.append(scheduler.get_last_lr()[0])
            net.train_step(X[first : first + 7], Y[first : first + 7], criterion, optimizer)
            if interval == "step":
                scheduler.step()
        if interval == "epoch":
            scheduler.step()
    return recorded


@pytest.mark.parametrize("interval", ["epoch", "step"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("setting", OPTIMIZERS)
def test_fit_is_the_loop(setting, shape, interval):
    (net, other), make = (network(), network()), OPTIMIZERS[setting]
    optimizer, by_hand = make(net.parameters()), make(other.parameters())
    total = 4 if interval == "epoch" else 36
    scheduler, hand = (SHAPES[shape](rule, total, setting) for rule in (optimizer, by_hand))
    net.fit(X, Y, loss="cross_entropy", optimizer=optimizer, epochs=4, batch_size=7, shuffle=False,
            scheduler=scheduler, scheduler_interval=interval)  # fmt: skip
    recorded = loop(other, by_hand, hand, interval, 4)
    assert len(set(recorded)) > 2
    assert_same_bits(values(net), values(other))
    assert scheduler.get_last_lr() == hand.get_last_lr()


def test_several_settings_at_once():
    net, other = network(), network()
    results = []
    for each in (net, other):
        adam = optim.AdamW(each.parameters(), lr=0.01, weight_decay=0.1)
        schedulers = [
            s.CosLog4LR(adam, 36),
            s.FlatCosLR(adam, 36, setting="weight_decay"),
            s.FlatCosLR(adam, 36, setting="dropout"),
        ]
        results.append((adam, schedulers))
    net.fit(X, Y, loss="cross_entropy", optimizer=results[0][0], epochs=4, batch_size=7, shuffle=False,
            scheduler=results[0][1], scheduler_interval="step")  # fmt: skip
    adam, schedulers = results[1]
    for _ in range(4):
        for first in range(0, 60, 7):
            other.train_step(X[first : first + 7], Y[first : first + 7], nn.CrossEntropyLoss(), adam)
            for scheduler in schedulers:
                scheduler.step()
    assert_same_bits(values(net), values(other))
    assert adam.param_groups[0]["dropout"] == pytest.approx(0)


@pytest.mark.parametrize("kind", [nn.Dropout, nn.AlphaDropout])
def test_a_factor_of_dropout_is_another_p(kind):
    one = nn.Sequential(nn.Linear(4, 50), kind(0.6), nn.Linear(50, 3), seed=1, dtype="float64")
    two = nn.Sequential(nn.Linear(4, 50), kind(0.3), nn.Linear(50, 3), seed=1, dtype="float64")
    optim.SGD(one.parameters()).param_groups[0]["dropout"] = 0.5
    assert_same_bits(one(X), two(X))
    assert_same_bits(one.backward(np.ones((60, 3))), two.backward(np.ones((60, 3))))
    assert_same_bits(one.predict(X), two.predict(X))


def test_no_dropout_at_factor_0():
    net = network()
    group = optim.SGD(net.parameters()).param_groups[0]
    assert group["dropout"] == 1
    group["dropout"] = 0
    assert_same_bits(net(X), net.predict(X))


@pytest.mark.parametrize("factor", [-0.1, 1.5, np.nan])
def test_factors_that_are_refused(factor):
    with pytest.raises(ValueError, match=r"dropout: the factor of p is .*, it must be in \[0, 1\]"):
        optim.SGD(network().parameters()).param_groups[0]["dropout"] = factor


def test_settings_that_are_not_there():
    with pytest.raises(ValueError, match="StepLR: SGD has no setting 'beta1'"):
        s.StepLR(optim.SGD(network().parameters()), 3, setting="beta1")
