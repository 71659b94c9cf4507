"""Schedules that are resumed, or whose optimizer gets groups later: as in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import nn, optim

RNG = np.random.default_rng(1)
X = RNG.normal(size=(50, 6))
Y = (X[:, 0] > 0).astype(int)


def network():
    layers = nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2)
    return nn.Sequential(*layers, seed=0)


def fit(net, optimizer, epochs, **options):
    net.fit(
        X, Y, loss="cross_entropy", batch_size=8, verbose=False, optimizer=optimizer, epochs=epochs, **options
    )


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
