"""A run that is stopped and resumed by state_dicts, as in PyTorch: the bits of the uninterrupted one."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import nn, optim
from tolerance import assert_same_bits

RNG = np.random.default_rng(1)
X = RNG.normal(size=(50, 6))
Y = (X[:, 0] > 0).astype(int)
DRAWING = {  # layers whose output is drawn
    "dropout": lambda: nn.Dropout(0.3),
    "alpha_dropout": lambda: nn.AlphaDropout(0.3),
    "rrelu": lambda: nn.RReLU(),
}


def network(layer="dropout", seed=0):
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), DRAWING[layer](), nn.Linear(16, 2), seed=seed)


def fit(net, optimizer, epochs, first=0, **options):
    arguments = {"loss": "cross_entropy", "batch_size": 8, "verbose": False, "seed": 3, **options}
    net.fit(X, Y, optimizer=optimizer, epochs=epochs, initial_epoch=first, **arguments)


def values(net):
    return list(net.state_dict().values())


@pytest.mark.parametrize("layer", DRAWING)
@pytest.mark.parametrize("options", [{}, {"accumulate_steps": 2}, {"mixup": 0.3, "input_noise": 0.1}])
def test_fit(layer, options):
    complete, first = network(layer), network(layer)
    adam, half = optim.Adam(complete.parameters()), optim.Adam(first.parameters())
    fit(complete, adam, 6, **options)
    fit(first, half, 3, **options)
    resumed = network(layer)
    resumed.train()
    resumed(X)  # used before
    resumed.load_state_dict(first.state_dict())
    continued = optim.Adam(resumed.parameters())
    continued.load_state_dict(half.state_dict())
    fit(resumed, continued, 6, 3, **options)
    assert_same_bits(values(complete), values(resumed))


def test_fit_by_all_rows():
    complete, first, resumed = network(), network(), network()
    rules = [optim.LBFGS(net.parameters(), max_iter=3) for net in (complete, first, resumed)]
    options = {"batch_size": 50}
    fit(complete, rules[0], 4, **options)
    fit(first, rules[1], 2, **options)
    resumed.load_state_dict(first.state_dict())
    rules[2].load_state_dict(rules[1].state_dict())
    fit(resumed, rules[2], 4, 2, **options)
    assert_same_bits(values(complete), values(resumed))


def test_a_fold_repeats_itself():
    net = network()
    start = net.state_dict()
    fit(net, optim.Adam(net.parameters()), 3)
    once = values(net)
    net.load_state_dict(start)
    fit(net, optim.Adam(net.parameters()), 3)
    assert_same_bits(values(net), once)


def test_another_seed_draws_other_masks():
    one, two = network(), network()
    for net, seed in ((one, 0), (two, 1)):
        fit(net, optim.SGD(net.parameters(), lr=0.1), 1, seed=seed, shuffle=False)
    assert not np.array_equal(one[0].weight.data, two[0].weight.data)


def steps(net, optimizer, first, last):
    criterion = nn.CrossEntropyLoss()
    for i in range(first, last):
        if i % 2:
            net.train_step(X, Y, criterion, optimizer)
            continue
        net.zero_grad()
        criterion(net(X), Y)
        net.backward(criterion.backward())
        optimizer.step()


def test_steps_of_ones_own():
    """What dropout draws in them follows from the passes so far, which the optimizer's state holds."""
    complete, first, resumed = network(), network(), network()
    optimizers = [optim.Adam(net.parameters()) for net in (complete, first, resumed)]
    steps(complete, optimizers[0], 0, 7)
    steps(first, optimizers[1], 0, 4)
    resumed.load_state_dict(first.state_dict())
    optimizers[2].load_state_dict(optimizers[1].state_dict())
    steps(resumed, optimizers[2], 4, 7)
    assert_same_bits(values(complete), values(resumed))


def test_a_fit_counts_its_passes():
    net = network()
    fit(net, optim.Adam(net.parameters()), 2)
    assert net._core.step == 2 * 7


def test_a_callback_sees_the_networks_own_seed():
    net, seeds = network(seed=5), []
    fit(net, "adam", 1, callbacks=[lambda v: seeds.append(net._core.seed)])
    assert seeds == [5]
