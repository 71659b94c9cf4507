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


# ---- rules that see all rows at once

FULL_BATCH = {"lbfgs": optim.LBFGS, "levenberg_marquardt": optim.LevenbergMarquardt}


def full_batch(kind, epochs=3, width=3):
    net, x = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 1)), np.eye(9, 2) - 0.1
    rule = FULL_BATCH[kind](net.parameters())
    net.fit(x, np.arange(9) / 9, loss="mse", optimizer=rule, epochs=epochs, batch_size=9, verbose=False)
    return rule


REFUSED_BY_ALL = {
    "another rule": (with_part("name", lambda _: "adam"), "the state is of 'adam' with 1 groups"),
    "no group": (with_part("groups", lambda _: []), "with 0 groups"),
    "two groups": (with_part("groups", lambda x: x * 2), "with 2 groups"),
    "a setting of no rule": (last_group("nonsense", 1.0), "has no nonsense"),
    "no memory": (with_part("state", lambda _: None), "the state is of"),
    "an empty memory": (with_part("state", lambda _: {}), "state"),
    "no state": (without("state"), "state"),
}


@pytest.mark.parametrize("kind", FULL_BATCH)
@pytest.mark.parametrize("case", REFUSED_BY_ALL)
def test_a_state_that_a_rule_over_all_rows_refuses_changes_nothing(case, kind):
    change, message = REFUSED_BY_ALL[case]
    rule, state = full_batch(kind), copy.deepcopy(full_batch(kind, epochs=5).state_dict())
    before = copy.deepcopy(rule.state_dict())
    change(state)
    with pytest.raises(ValueError, match=message):
        rule.load_state_dict(state)
    np.testing.assert_equal(rule.state_dict(), before)


OF_LBFGS = {
    "of other parameters": full_batch("lbfgs", width=4).state_dict(),
    "lr is 'a word', it must be a number": {
        **full_batch("lbfgs").state_dict(),
        "groups": [{"max_iter": 2, "lr": "a word"}],
    },
    "line_search_fn is 3": {**full_batch("lbfgs").state_dict(), "groups": [{"line_search_fn": 3}]},
}


@pytest.mark.parametrize("message", OF_LBFGS)
def test_a_state_that_lbfgs_refuses_changes_nothing(message):
    rule = full_batch("lbfgs")
    before = copy.deepcopy(rule.state_dict())
    with pytest.raises((TypeError, ValueError), match=message):
        rule.load_state_dict(OF_LBFGS[message])
    np.testing.assert_equal(rule.state_dict(), before)


def test_a_line_search_that_there_is_not_is_refused_when_it_is_set():
    rule = optim.LBFGS(nn.Linear(1, 1).parameters())
    rule.param_groups[0]["line_search_fn"] = "armijo"
    with pytest.raises(ValueError, match="line_search_fn is 'armijo'; choose from None"):
        rule.step(lambda: 0.0)
