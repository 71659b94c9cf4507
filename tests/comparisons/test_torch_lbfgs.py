"""fit by L-BFGS against PyTorch's LBFGS in a loop: the losses, the weights and the evaluations."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import nn, optim

torch = pytest.importorskip("torch")

PROBLEMS = ["logistic", "classes", "network"]


def twins(problem, rng):
    """Return a network, PyTorch's of the same weights, data, and the two losses."""
    x = rng.normal(size=(80, 5))
    if problem == "network":
        y = np.sin(x @ rng.normal(size=(5, 2)))
        net = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 2), dtype="float64", seed=4)
        theirs = torch.nn.Sequential(torch.nn.Linear(5, 6), torch.nn.Tanh(), torch.nn.Linear(6, 2))
        losses = nn.MSELoss(), torch.nn.MSELoss()
    else:
        outputs = 1 if problem == "logistic" else 3
        noisy = x @ rng.normal(size=(5, outputs)) + rng.normal(size=(80, outputs))
        y = (noisy > 0).astype(float) if problem == "logistic" else noisy.argmax(axis=1)
        net = nn.Sequential(nn.Linear(5, outputs), dtype="float64", seed=4)
        theirs = torch.nn.Sequential(torch.nn.Linear(5, outputs))
        name = "BCEWithLogitsLoss" if problem == "logistic" else "CrossEntropyLoss"
        losses = getattr(nn, name)(), getattr(torch.nn, name)()
    theirs = theirs.double()
    for p, q in zip(net.parameters(), theirs.parameters(), strict=True):
        q.data = torch.tensor(p.data.copy())
    return net, theirs, x, y, losses


SETTINGS = [
    {"line_search_fn": "strong_wolfe", "max_iter": 1},
    {"line_search_fn": "strong_wolfe", "max_iter": 4},
    {"line_search_fn": "strong_wolfe", "max_iter": 3, "history_size": 2},
    {"line_search_fn": "strong_wolfe", "max_iter": 5, "max_eval": 4, "lr": 0.5},
    {"max_iter": 3, "lr": 0.3},
]


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("settings", SETTINGS)
def test_epochs_are_steps(problem, settings, rng):
    net, theirs, x, y, (loss, their_loss) = twins(problem, rng)
    ours = optim.LBFGS(net.parameters(), **settings)
    other = torch.optim.LBFGS(theirs.parameters(), **settings)
    inputs, targets = torch.tensor(x), torch.tensor(y)

    def closure():
        other.zero_grad()
        value = their_loss(theirs(inputs), targets)
        value.backward()
        return value

    for _ in range(6):
        history = net.fit(x, y, loss=loss, optimizer=ours)
        expected = other.step(closure).item()
        np.testing.assert_allclose(history.history["loss"], [expected], rtol=1e-10)
        for p, q in zip(net.parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=0, atol=1e-8)
        state = next(iter(other.state.values()))
        assert ours.state_dict()["state"]["n_iter"] == state["n_iter"]
        assert ours.state_dict()["state"]["func_evals"] == state["func_evals"]


@pytest.mark.parametrize(("start", "lr"), [(-20.0, 100.0), (-3.0, 1e4)])
def test_an_infinite_trial(start, lr):
    """On 50 (exp(w) - w) the first trial overflows: PyTorch is at NaN from there, ours turns back."""
    layer = nn.Linear(1, 1, bias=False, dtype="float64")
    layer.weight.data = [[start]]
    w = torch.tensor([start], dtype=torch.float64, requires_grad=True)
    ours = optim.LBFGS(layer.parameters(), lr=lr, line_search_fn="strong_wolfe")
    theirs = torch.optim.LBFGS([w], lr=lr, line_search_fn="strong_wolfe")

    def closure():
        at = layer.weight.data[0, 0]
        with np.errstate(over="ignore"):
            layer.weight.grad = [[50 * (np.exp(at) - 1)]]
            return float(50 * (np.exp(at) - at))

    def their_closure():
        theirs.zero_grad()
        value = 50 * (torch.exp(w) - w).sum()
        value.backward()
        return value

    for _ in range(4):
        ours.step(closure), theirs.step(their_closure)
    assert abs(layer.weight.data[0, 0]) < 1e-5
    assert torch.isnan(w).all()
