"""Schedules that are resumed or meet groups added later, and steps resumed by state_dicts: as in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import nn, optim
from tolerance import assert_same_bits

RNG = np.random.default_rng(1)
X = RNG.normal(size=(50, 6))
Y = (X[:, 0] > 0).astype(int)


def network():
    layers = nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2)
    return nn.Sequential(*layers, seed=0)


def fit(net, optimizer, epochs, **options):
    net.fit(
        X, Y, loss="cross_entropy", batch_size=8, verbose=False, optimizer=optimizer, epochs=epochs, **options
    )


def values(net):
    return list(net.state_dict().values())


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


def test_states_of_older_versions_are_taken():
    net = network()
    adam = optim.Adam(net.parameters())
    state = adam.state_dict()
    del state["initial"], state["passes"]
    adam.load_state_dict(state)
    with pytest.raises(ValueError, match=r"last_epoch is 3, .* no initial lr to continue from; load the opt"):
        optim.lr_scheduler.StepLR(adam, 2, last_epoch=3)
    adam.param_groups[0]["initial_lr"] = 0.5
    assert optim.lr_scheduler.StepLR(adam, 2, 0.1, last_epoch=3).get_last_lr() == [0.5 * 0.1**2]


def test_initial_values_of_groups_added_later():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    sgd = optim.SGD(net[0].parameters(), lr=0.1, weight_decay=0.5)
    for setting in ("lr", "weight_decay"):
        optim.lr_scheduler.ExponentialLR(sgd, 0.5, setting=setting).step()
    sgd.add_param_group({"params": net[1].parameters(), "lr": 0.3})
    assert [group["initial_lr"] for group in sgd.param_groups] == [0.1, 0.3]
    assert [group["initial_weight_decay"] for group in sgd.param_groups] == [0.5, 0.5]
    with pytest.raises(KeyError, match="initial_momentum"):
        sgd.param_groups[0]["initial_momentum"]


@pytest.mark.parametrize("min_lr", [0.0, [0.01]])
def test_a_plateau_after_add_param_group(min_lr):
    net = nn.Sequential(nn.Linear(6, 3), nn.Linear(3, 2))
    sgd = optim.SGD(net[0].parameters(), lr=0.1)
    plateau = optim.lr_scheduler.ReduceLROnPlateau(
        sgd, patience=0, threshold=10, threshold_mode="abs", min_lr=min_lr
    )
    sgd.add_param_group({"params": net[1].parameters(), "lr": 0.3})
    if min_lr:
        with pytest.raises(ValueError, match="min_lr has 1 values, there are 2 groups"):
            fit(net, sgd, 3, scheduler=plateau)
        assert net.history is None or net.history.steps == 0  # before the first step
    else:
        fit(net, sgd, 3, scheduler=plateau)
        np.testing.assert_allclose([group["lr"] for group in sgd.param_groups], [0.001, 0.003])
