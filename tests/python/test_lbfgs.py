"""L-BFGS: minima it finds, its state, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from cmlp import nn, optim
from tolerance import assert_same_bits


def fitting(dtype="float64", **settings):
    """Return a network, its optimizer and the closure of a small regression."""
    net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1), dtype=dtype, seed=2)
    x = np.random.default_rng(0).normal(size=(40, 3))
    y, criterion = np.sin(x.sum(axis=1, keepdims=True)), nn.MSELoss()
    optimizer = optim.LBFGS(net.parameters(), **settings)

    def closure():
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        net.backward(criterion.backward())
        return loss

    return net, optimizer, closure


def test_a_network_is_fitted(dtype):
    _, optimizer, closure = fitting(dtype, line_search_fn="strong_wolfe")
    losses = [optimizer.step(closure) for _ in range(20)]
    assert losses[-1] < 1e-3 * losses[0]
    assert all(b <= a for a, b in itertools.pairwise(losses))


def test_a_quadratic_is_solved_in_a_few_iterations(rng):
    a = rng.normal(size=(6, 6))
    a, b = a @ a.T + np.eye(6), rng.normal(size=6)
    layer = nn.Linear(6, 1, bias=False, dtype="float64")

    def closure():
        w = layer.weight.data[0]
        layer.weight.grad = [a @ w - b]
        return 0.5 * w @ a @ w - b @ w

    optim.LBFGS(layer.parameters(), max_iter=60, line_search_fn="strong_wolfe").step(closure)
    np.testing.assert_allclose(layer.weight.data[0], np.linalg.solve(a, b), atol=1e-4)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_state_carries_over(search, dtype):
    settings = {"max_iter": 4, "line_search_fn": search, "lr": 0.5, "history_size": 5}
    net, complete, closure = fitting(dtype, **settings)
    for _ in range(4):
        complete.step(closure)
    cut, first, cut_closure = fitting(dtype, **settings)
    for _ in range(2):
        first.step(cut_closure)
    again = optim.LBFGS(cut.parameters())
    again.load_state_dict(first.state_dict())
    for _ in range(2):
        again.step(cut_closure)
    assert_same_bits([p.data for p in cut.parameters()], [p.data for p in net.parameters()])
    assert again.state_dict()["state"]["n_iter"] == complete.state_dict()["state"]["n_iter"]


def test_what_is_refused():
    net, optimizer, closure = fitting()
    with pytest.raises(ValueError, match="line_search_fn is 'armijo'; choose from None, 'strong_wolfe'"):
        optim.LBFGS(net.parameters(), line_search_fn="armijo")
    with pytest.raises(ValueError, match="LBFGS: there are no parameters"):
        optim.LBFGS([])
    with pytest.raises(ValueError, match="LBFGS: it takes parameters, not groups"):
        optim.LBFGS([{"params": net.parameters()}])
    with pytest.raises(ValueError, match="history_size is 0, it must be at least 1"):
        fitting(history_size=0)[1].step(closure)
    with pytest.raises(ValueError, match="train_step: LBFGS sees all rows at once and has no step of one"):
        net.train_step(np.ones((2, 3)), np.ones((2, 1)), nn.MSELoss(), optimizer)
    optimizer.step(closure)
    with pytest.raises(ValueError, match="the state is of other parameters"):
        optim.LBFGS(net[0].parameters()).load_state_dict(optimizer.state_dict())


def test_an_error_in_the_closure_comes_through():
    def closure():
        raise KeyError("lost")

    _, optimizer, _ = fitting()
    with pytest.raises(KeyError, match="lost"):
        optimizer.step(closure)


def test_a_closure_that_raises_leaves_the_last_complete_iteration():
    """The point is one where the iteration before ended, not one that the line search was trying."""
    net, optimizer, closure = fitting(line_search_fn="strong_wolfe")
    calls = []

    def interrupted():
        calls.append([p.data.copy() for p in net.parameters()])
        if len(calls) == 9:
            raise KeyError
        return closure()

    with pytest.raises(KeyError):
        optimizer.step(interrupted)
    ours = [p.data for p in net.parameters()]
    assert any(all((a == b).all() for a, b in zip(ours, recorded, strict=True)) for recorded in calls[:8])
    assert not all((a == b).all() for a, b in zip(ours, calls[8], strict=True))
