"""8. Optimizers: three ways down the same valley.

A Linear layer with two weights, whose inputs differ in scale, makes a long and narrow valley out of the mean
squared error. Each optimizer starts at the same point with the learning rate, out of a grid, that brings it
below a thousandth of the first loss soonest and keeps it there. SGD bounces between the steep sides, which
bound its rate, and creeps along the floor. Momentum gathers speed along the floor and swings. Adam scales
each direction by its own gradients.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import style

from cmlp import nn, optim

START, STEPS = [-9.0, 2.2], 150
RATES = np.geomspace(0.01, 0.99, 30)
rng = np.random.default_rng(0)
x = rng.normal(size=(200, 2)) * [0.15, 1.0]
y = x @ [[1.0], [1.0]]
net = nn.Sequential(nn.Linear(2, 1, bias=False), dtype="float64")
criterion = nn.MSELoss()
(weight,) = net.parameters()
Rule = Callable[[float], optim.Optimizer]
RULES: dict[str, Rule] = {
    "SGD": lambda lr: optim.SGD([weight], lr=lr),
    "SGD, momentum 0.9": lambda lr: optim.SGD([weight], lr=lr, momentum=0.9),
    "Adam": lambda lr: optim.Adam([weight], lr=lr),
}


def walk(optimizer: optim.Optimizer) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights (STEPS + 1, 2) and the losses on the way."""
    weight.data = [START]
    path, losses = [weight.data[0].copy()], []
    for _ in range(STEPS):
        losses.append(net.train_step(x, y, criterion, optimizer))
        path.append(weight.data[0].copy())
    return np.array(path), np.array([*losses, criterion(net(x), y)])


def arrival(losses: np.ndarray) -> int:
    """Return the first step from which the loss stays below a thousandth of the first."""
    return int(np.flatnonzero(losses > losses[0] / 1000).max()) + 1


def surface(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Return the loss at each point of a grid of weights."""
    values = np.empty(across.shape)
    for index in np.ndindex(across.shape):
        weight.data = [[across[index], up[index]]]
        values[index] = criterion(net(x), y)
    return values


def draw_walk(axes: Any, path: np.ndarray, colour: str, title: str) -> None:
    """Draw the contours, the path and its two ends."""
    axes.contourf(across, up, height, levels=LEVELS, cmap="Greys", vmin=-3, vmax=7, extend="both")
    axes.contour(across, up, height, levels=LEVELS, colors="white", linewidths=0.8, linestyles="-")
    axes.plot(*path.T, ".-", color=colour, linewidth=1.5, markersize=6)
    axes.plot(*START, "ko", markersize=7)
    axes.plot(1, 1, "k*", markersize=13)
    axes.set(title=title, xlabel="$w_1$", ylabel="$w_2$", xlim=(-10.5, 4.5), ylim=(-0.9, 2.9))


LEVELS = np.linspace(-3, 1, 13)
across, up = np.meshgrid(np.linspace(-10.5, 4.5, 76), np.linspace(-0.9, 2.9, 58))
height = np.log10(surface(across, up))
figure, grid = style.subplots(2, 2, 6.2)
for k, (name, rule) in enumerate(RULES.items()):
    best = min(RATES, key=lambda lr: arrival(walk(rule(lr))[1]))
    path, losses = walk(rule(best))
    draw_walk(grid.flat[k], path, style.COLOURS[k], f"{name}, rate {best:.2g}")
    grid[1, 1].semilogy(losses, label=name, **style.look(k))
    print(f"{name}: rate {best:.3f}, there after {arrival(losses)} steps")
grid[1, 1].axhline(losses[0] / 1000, color=style.GREY, linewidth=1, label="a thousandth of the first")
grid[1, 1].set(title="Loss", xlabel="step", ylim=(1e-6, 1e3))
grid[1, 1].legend()
style.save(figure, "optimizers")
