"""Targets and weights that a loss is not defined for: refused by row, by every function that takes them."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import _core, nn, optim

X = np.random.default_rng(0).normal(size=(6, 3))
GOOD = {
    "sign": [-1.0, 1.0, 1.0, -1.0, 1.0, -1.0],
    "unit": [0.0, 1.0, 0.5, 1.0, 0.0, 0.25],
    "nonnegative": [0.0, 2.0, 7.0, 1.0, 0.0, 3.5],
    "positive": [0.5, 2.0, 7.0, 1.0, 1e-3, 3.5],
}
RULES = {
    "sign": "it must be -1 or 1",
    "unit": r"it must be in \[0,1\]",
    "nonnegative": "it must be at least 0",
    "positive": "it must be above 0",
}
MATRICES = ["cross_entropy", "nll", "focal", "multi_margin"]  # shares of the classes, or labels
RANGES = {name: _core.target_range(name) for name in cmlp.losses()}
LOSSES = {name: kind for name, kind in RANGES.items() if kind != "any" and name not in MATRICES}
BAD = {
    "sign": [0.0, 2.0, 0.5],
    "unit": [-1.0, 2.0, 1.0001],
    "nonnegative": [-1.0, -1e-30],
    "positive": [0.0, -2.0],
}
CASES = [(loss, bad) for loss, kind in LOSSES.items() for bad in BAD[kind]]


def network(loss):
    last = [nn.Sigmoid()] if loss == "bce" else []
    return nn.Sequential(nn.Linear(3, 1, init="normal", init_settings={"std": 0.01}), *last, seed=0)


def full_batch(net, rule, y, loss, weight):
    net.fit(X, y, loss=loss, optimizer=rule(net.parameters()), sample_weight=weight, verbose=False)


# Every function that takes targets, by name: (net, y, loss, weight).
ENTRIES = {
    "call": lambda net, y, loss, w: nn.losses.Loss(loss)(net(X), y, w),
    "train_step": lambda net, y, loss, w: net.train_step(
        X, y, nn.losses.Loss(loss), optim.SGD(net.parameters()), sample_weight=w
    ),
    "fit": lambda net, y, loss, w: net.fit(X, y, loss=loss, sample_weight=w, batch_size=2, verbose=False),
    "validation": lambda net, y, loss, w: net.fit(
        X,
        GOOD[LOSSES.get(loss, "sign")],
        loss=loss,
        validation_data=(X, y) if w is None else (X, y, w),
        verbose=False,
    ),
    "evaluate": lambda net, y, loss, w: net.evaluate(X, y, loss=loss, sample_weight=w),
    "lbfgs": lambda net, y, loss, w: full_batch(net, optim.LBFGS, y, loss, w),
}


def targets(kind, bad=None, row=4):
    y = np.array(GOOD[kind])
    if bad is not None:
        y[row] = bad
    return y


def test_the_ranges_are_those_of_the_definitions():
    assert LOSSES == {
        "soft_margin": "sign", "hinge": "sign", "squared_hinge": "sign", "bce": "unit",
        "bce_with_logits": "unit", "binary_focal": "unit", "poisson_nll": "nonnegative",
        "kl_div": "nonnegative", "tweedie": "nonnegative", "gamma_deviance": "positive",
    }  # fmt: skip
    assert {RANGES[name] for name in MATRICES} == {"nonnegative"}


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("loss", LOSSES)
def test_good_targets_are_taken(loss, entry):
    ENTRIES[entry](network(loss), targets(LOSSES[loss]), loss, None)


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize(("loss", "bad"), CASES)
def test_bad_targets_are_refused_by_row(loss, bad, entry):
    kind = LOSSES[loss]
    net = network(loss)
    before = net.state_dict()
    with pytest.raises(ValueError, match=rf"the target is \S+ at row 4; of {loss} {RULES[kind]}"):
        ENTRIES[entry](net, targets(kind, bad), loss, None)
    assert all((before[key] == value).all() for key, value in net.state_dict().items())


@pytest.mark.parametrize("loss", MATRICES)
def test_shares_of_classes_are_not_negative(loss):
    shares = np.full((6, 2), 0.5)
    shares[2] = [1.5, -0.5]
    net = nn.Sequential(nn.Linear(3, 2), seed=0)
    with pytest.raises(ValueError, match="fit: the target is -0.5 at row 2, column 1; of " + loss):
        net.fit(X, shares, loss=loss, verbose=False)


def test_logarithms_of_targets_may_be_negative():
    assert np.isfinite(nn.KLDivLoss(log_target=True)(X, -np.abs(X)))
    with pytest.raises(ValueError, match="kl_div: the target is -"):
        nn.KLDivLoss()(X, -np.abs(X))


def test_a_row_of_a_later_block_has_its_own_number():
    y = np.ones(3000)
    y[2500] = -1
    net = nn.Sequential(nn.Linear(1, 1), seed=0)
    with pytest.raises(ValueError, match="evaluate: the target is -1 at row 2500"):
        net.evaluate(np.ones((3000, 1)), y, loss="bce_with_logits")


WEIGHTS = [
    (-1.0, "sample_weight is -1 at row 3, it must not be negative"),
    (np.nan, "sample_weight is nan at row 3, it must be finite"),
    (np.inf, "sample_weight is inf at row 3, it must be finite"),
]


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize(("weight", "message"), WEIGHTS)
def test_weights_are_finite_and_not_negative(entry, weight, message):
    w = np.ones(6)
    w[3] = weight
    with pytest.raises(ValueError, match=message):
        ENTRIES[entry](network("mse"), np.zeros(6), "mse", w)


@pytest.mark.parametrize("entry", ENTRIES)
def test_all_weights_negative(entry):
    with pytest.raises(ValueError, match="sample_weight is -1 at row 0"):
        ENTRIES[entry](network("mse"), np.zeros(6), "mse", -np.ones(6))
