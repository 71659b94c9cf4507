"""An update that overflows: an error, and the weights, the state and the counts before it."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import _core, nn, optim
from tolerance import assert_same_bits

X, Y = np.array([[10.0, 20], [30, 40]]), np.array([[1.0], [2]])
KINDS = [row["name"] for row in _core.optimizers()]


def network(dtype="float32"):
    return nn.Sequential(nn.Linear(2, 1, init="constant", init_settings={"value": 0.5}), dtype=dtype, seed=0)


def state_of(net, optimizer):
    state = optimizer.state_dict()
    return [*net.state_dict().values(), *state["state"], np.array(state["memory"]), np.array(state["steps"])]


def overflowing(kind, net, scale=1.0):
    """The optimizer with a rate that leaves the range of the weights at once."""
    largest = 1e38 if net[0].weight.data.dtype == np.float32 else 1e308
    settings = {"lr": largest * scale}
    if kind == "rprop":
        settings |= {"step_sizes": (1.0, largest * scale)}
    return optim.Optimizer(net.parameters(), kind, **settings)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_step_leaves_a_weight_that_is_not_finite(kind, dtype):
    """Steps of a huge rate until one overflows: the weights are finite, and those of the step before."""
    net = network(dtype)
    optimizer = overflowing(kind, net)
    states = [state_of(net, optimizer)]

    def steps():
        for _ in range(50):
            net.train_step(X, Y, nn.MSELoss(), optimizer)
            states.append(state_of(net, optimizer))

    with pytest.raises(cmlp.NonFiniteError, match="the weights are those before this step"):
        steps()
    assert_same_bits(state_of(net, optimizer), states[-1])
    assert all(np.isfinite(value).all() for value in net.state_dict().values())


@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw"])
def test_fit_keeps_the_last_finite_weights(kind):
    net = network()
    optimizer = overflowing(kind, net)
    with pytest.raises(cmlp.NonFiniteError):
        net.fit(X, Y, loss="mse", optimizer=optimizer, epochs=50, verbose=False)
    assert np.isfinite(net[0].weight.data).all()


def test_the_message_names_rule_step_and_rate():
    net = network()
    sgd = optim.SGD(net.parameters(), lr=1e38)
    with pytest.raises(
        cmlp.NonFiniteError,
        match=r"a weight after the update by sgd is not finite at step 1; .*lr is 1e\+38; the weights",
    ):
        net.train_step(X, Y, nn.MSELoss(), sgd)


def test_lbfgs_keeps_the_last_finite_weights():
    net = network()
    rule = optim.LBFGS(net.parameters(), lr=1e300, max_iter=1)
    with pytest.raises(cmlp.NonFiniteError, match="a weight after the update is not finite at step 1"):
        net.fit(X, Y, loss="mse", optimizer=rule, epochs=2, verbose=False)
    assert (net[0].weight.data == 0.5).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_rate_that_does_not_overflow_has_the_same_bits(kind):
    """The careful step is the plain one: explicit steps, which are not looked at, give the same weights."""
    (one, two) = network("float64"), network("float64")
    first = optim.Optimizer(one.parameters(), kind, lr=1e3)
    second = optim.Optimizer(two.parameters(), kind, lr=1e3)
    criterion = nn.MSELoss()
    for _ in range(3):
        one.train_step(X, Y, criterion, first)
        two.zero_grad()
        criterion(two(X), Y)
        two.backward(criterion.backward())
        second.step()
    assert_same_bits(state_of(one, first), state_of(two, second))
