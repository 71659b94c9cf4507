"""A state that an optimizer refuses changes nothing of it."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from cmlp import nn, optim


def trained(steps=2, lr=0.1, momentum=0.9):
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    groups = [{"params": net[0].parameters()}, {"params": net[2].parameters(), "lr": lr / 2}]
    optimizer = optim.SGD(groups, lr=lr, momentum=momentum)
    optim.lr_scheduler.StepLR(optimizer, 5)
    for _ in range(steps):
        net.train_step(np.ones((2, 2)), np.ones((2, 1)), nn.MSELoss(), optimizer)
    return optimizer


def with_part(key, value):
    def change(state):
        state[key] = value(state[key])

    return change


def without(key):
    def change(state):
        del state[key]

    return change


def last_group(key, value):
    def change(state):
        state["groups"][-1][key] = value

    return change


def no_momentum(state):
    for group in state["groups"]:
        group["momentum"] = 0.0


REFUSED = {
    "another rule": (with_part("name", lambda _: "adam"), "the state is of 'adam' with 2 groups"),
    "fewer groups": (with_part("groups", lambda x: x[:1]), "with 1 groups"),
    "fewer arrays": (with_part("state", lambda x: x[:-1]), "of other parameters: 0 arrays, not 1"),
    "other shapes": (with_part("state", lambda x: [x[0][:-1]]), "of other parameters: .* has shape"),
    "text": (with_part("state", lambda x: [*x[:-1], np.array(["a"])]), "must hold real numbers"),
    "fewer passes": (with_part("passes", lambda _: []), "'passes' has 0 values, not 1"),
    "more passes": (with_part("passes", lambda x: [*x, 1]), "'passes' has 2 values, not 1"),
    "less memory": (with_part("memory", lambda x: x[:1]), "'memory' has 1 values, not 2"),
    "fewer joined": (with_part("joined", lambda x: x[:1]), "'joined' has 1 values, not 2"),
    "fewer initial rates": (with_part("initial", lambda _: {"lr": [1.0]}), "'lr' has 1 values, not 2"),
    "a rate out of range": (last_group("lr", -1.0), "lr"),
    "a setting of no rule": (last_group("nonsense", 1.0), "nonsense"),
    "other settings": (no_momentum, "of other parameters: 1 arrays, not 0"),
    "no steps": (without("steps"), "steps"),
    "no memory": (without("memory"), "memory"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_state_that_is_refused_changes_nothing(case):
    change, message = REFUSED[case]
    optimizer, state = trained(), trained(steps=5, lr=0.7, momentum=0.3).state_dict()
    before = copy.deepcopy(optimizer.state_dict())
    change(state)
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(state)
    np.testing.assert_equal(optimizer.state_dict(), before)


def test_a_state_without_what_later_versions_add_is_taken():
    optimizer, state = trained(), trained(steps=5, lr=0.7).state_dict()
    del state["initial"], state["passes"]
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 0.7
