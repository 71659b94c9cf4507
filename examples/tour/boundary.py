"""3. The multilayer perceptron: a boundary that bends.

Two moons cannot be parted by a line. A network of two hidden layers begins with a boundary near a line and
bends it round the moons, epoch by epoch. The colour is the probability that the network gives: blue for class
0, orange for class 1, the paler the less sure; the black line is where it is undecided.
"""

from typing import Any

import numpy as np
import style

from cmlp import nn, optim

SHOWN = [0, 5, 20, 25, 35, 100]  # epochs
LEVELS = np.linspace(0, 1, 11)


def two_moons(rng: np.random.Generator, rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Two half circles that reach into each other."""
    angle = rng.uniform(0, np.pi, rows)
    y = rng.integers(0, 2, rows)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x[y == 1] = [1.0, 0.5] - x[y == 1]
    return x + rng.normal(0, 0.12, x.shape), y


def probability(net: nn.Sequential, x: np.ndarray) -> np.ndarray:
    """Probability of class 1: the sigmoid of the output."""
    return nn.Sigmoid()(net.predict(x)).ravel()


def draw(axes: Any, net: nn.Sequential, x: np.ndarray, y: np.ndarray, epoch: int) -> Any:
    """Draw the probability over the plane, the boundary and the points."""
    across, up = np.meshgrid(np.linspace(-1.6, 2.6, 211), np.linspace(-1.1, 1.6, 136))
    grid = probability(net, np.stack([across.ravel(), up.ravel()], axis=1)).reshape(across.shape)
    filled = axes.contourf(across, up, grid, levels=LEVELS, cmap=style.SIDES)
    axes.contour(across, up, grid, levels=[0.5], colors="black", linewidths=2.5)
    style.scatter(axes, x, y, size=16)
    scores = net.evaluate(x, y, loss="bce_with_logits", metrics=["accuracy"])
    axes.set(xticks=[], yticks=[], title=f"epoch {epoch}: {scores['accuracy']:.0%} right")
    print(f"epoch {epoch:3}: loss {scores['loss']:.3f}, accuracy {scores['accuracy']:.1%}")
    return filled


x, y = two_moons(np.random.default_rng(0))
net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1), seed=2)
adam = optim.Adam(net.parameters(), lr=0.01)
figure, grid = style.subplots(2, 3, 5.0)
done = 0
for axes, epoch in zip(grid.flat, SHOWN, strict=True):
    net.fit(x, y, loss="bce_with_logits", optimizer=adam, initial_epoch=done, epochs=epoch)
    done = epoch
    filled = draw(axes, net, x, y, epoch)
figure.colorbar(filled, ax=grid, label="probability of class 1", ticks=[0, 0.5, 1], shrink=0.8)
style.save(figure, "boundary")
