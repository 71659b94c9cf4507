# pyright: strict
"""A user's program: `nox -s types` checks that mypy and pyright, both strict, find no error in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import cmlp
from cmlp import EarlyStopping, nn, optim
from cmlp.optim import lr_scheduler

Floats = NDArray[np.float32]


def data(rows: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return points (rows, 2) and the class of each."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 2)).astype(np.float32)
    return x, (x[:, 0] * x[:, 1] > 0).astype(np.int64)


def steps(net: nn.Sequential, x: Floats, y: NDArray[np.int64]) -> float:
    """Train by explicit steps and return the last loss."""
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = optim.Adam(net.parameters(), lr=1e-2, betas=(0.9, 0.99))
    scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    value = 0.0
    for _ in range(10):
        value = criterion(net(x), y)
        net.zero_grad()
        dx = net.backward(criterion.backward())
        assert dx.shape == x.shape
        optimizer.step()
        scheduler.step()
    return value


def rows_losses(net: nn.Sequential, x: Floats, y: NDArray[np.int64]) -> Floats:
    """Return the loss of each row: without reduction a loss is an array."""
    values = nn.CrossEntropyLoss(reduction="none")(net(x), y)
    return values.astype(np.float32)


def main(folder: Path) -> float:
    """Build, train, inspect, save and load a network."""
    x, y = data(64)
    net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2), seed=0)
    print(steps(net, x, y), rows_losses(net, x, y).mean())
    history = net.fit(x, y, loss="cross_entropy", optimizer="adam", epochs=5, metrics=["accuracy"],
                      early_stopping=EarlyStopping("loss", patience=3))  # fmt: skip
    print(history.history["loss"][-1])
    for name, parameter in net.named_parameters():
        print(name, parameter.data.shape, float(abs(parameter.grad).max()))
    cmlp.save(net, folder / "model.safetensors")
    again = cmlp.load(folder / "model.safetensors")
    assert bool((again.predict(x) == net.predict(x)).all())
    model = cmlp.MLPClassifier(hidden_layer_sizes=(16,), max_iter=5, random_state=0).fit(x, y)
    print(model.predict_proba(x[:1]), model.score(x, y))
    cmlp.set_num_threads(1)
    return float(net.evaluate(x, y, loss="cross_entropy", metrics=["accuracy"])["accuracy"])
