"""Options of fit against the same training in PyTorch: penalties, accumulated batches, mixup, max-norm."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import _core, nn, optim

torch = pytest.importorskip("torch")

ROWS, BATCH, EPOCHS, SEED = 60, 8, 8, 3  # 64 batches
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(ROWS, 4)), RNG.integers(0, 3, ROWS)
T, W = RNG.normal(size=(ROWS, 3)), RNG.uniform(0, 3, ROWS)
LIMIT = 1e-9  # relative to the largest weight
OPTIONS = [
    {},
    {"l1": 1e-3},
    {"l2": 0.05},
    {"l1": 1e-3, "l2": 0.02, "clip_grad_norm": 0.3},
    {"clip_grad_value": 0.01},
    {"accumulate_steps": 3},
    {"max_norm": 0.8},
    {"mixup": 0.5},
    {"mixup": 0.2, "accumulate_steps": 4, "l2": 0.01, "max_norm": 1.0},
]


def pair():
    ours = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3), seed=1, dtype="float64")
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3)).double()
    state = {name: torch.tensor(np.array(value)) for name, value in ours.state_dict().items()}
    theirs.load_state_dict(state)
    return ours, theirs


def sum_of_losses(loss, y, rows, weight):
    """The weighted sum over the rows, and what its mean divides by."""
    w = torch.ones(len(rows)).double() if weight is None else torch.tensor(weight[rows])
    if loss == "cross_entropy":
        each = torch.nn.functional.cross_entropy(y, torch.tensor(Y[rows]), reduction="none")
        return (w * each).sum(), w.sum()
    each = torch.nn.functional.mse_loss(y, torch.tensor(T[rows]), reduction="none")
    return (w[:, None] * each).sum(), w.sum() * 3


def step(net, optimizer, loss, batches, weight, options):
    """One update from the batches with these numbers, as fit's docstring has it."""
    optimizer.zero_grad()
    total, divisor = 0.0, 0.0
    for number, rows in batches:
        share, pairs = 1.0, list(range(len(rows)))
        if "mixup" in options:
            share, pairs = _core.mixup_pairs(len(rows), options["mixup"], SEED, number)
        second = rows[pairs]
        y = net(torch.tensor(share * X[rows] + (1 - share) * X[second]))
        for part, at in ((share, rows), (1 - share, second)):
            value, weights = sum_of_losses(loss, y, at, weight)
            total, divisor = total + part * value, divisor + part * weights
    matrices = [p for p in net.parameters() if p.dim() == 2]
    penalty = sum(
        options.get("l1", 0) * p.abs().sum() + options.get("l2", 0) / 2 * (p**2).sum() for p in matrices
    )
    (total / divisor + penalty).backward()
    if "clip_grad_norm" in options:
        torch.nn.utils.clip_grad_norm_(net.parameters(), options["clip_grad_norm"])
    if "clip_grad_value" in options:
        torch.nn.utils.clip_grad_value_(net.parameters(), options["clip_grad_value"])
    optimizer.step()
    if "max_norm" in options:
        with torch.no_grad():
            for p in matrices:
                norm = p.norm(dim=1, keepdim=True)
                p *= torch.clamp(options["max_norm"] / norm, max=1)


@pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_fit(options, loss, weight):
    ours, theirs = pair()
    adam = optim.Adam(ours.parameters(), lr=0.01)
    ours.fit(X, Y if loss == "cross_entropy" else T, loss=loss, optimizer=adam, epochs=EPOCHS, seed=SEED,
             batch_size=BATCH, shuffle=False, sample_weight=weight, **options)  # fmt: skip
    other = torch.optim.Adam(theirs.parameters(), lr=0.01)
    parts = [np.arange(ROWS)[first : first + BATCH] for first in range(0, ROWS, BATCH)]
    accumulated = options.get("accumulate_steps", 1)
    for epoch in range(EPOCHS):
        numbered = [(epoch * len(parts) + i, rows) for i, rows in enumerate(parts)]
        for first in range(0, len(numbered), accumulated):
            step(theirs, other, loss, numbered[first : first + accumulated], weight, options)
    for name, value in theirs.state_dict().items():
        expected = value.numpy()
        error = abs(np.array(ours.state_dict()[name]) - expected).max()
        assert error <= LIMIT * max(1, abs(expected).max()), name
