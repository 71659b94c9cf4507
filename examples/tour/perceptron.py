"""1. The perceptron: one neuron that finds a line, when there is one.

Left, two classes that a line can part: Rosenblatt's rule moves its line with every mistake (the line after
each epoch, pale at first, the last one thick) and ends with the first epoch without a mistake. Right, XOR: no
line parts it, so the line swings to and fro for ever and the mistakes never reach 0. Below, the mistakes of
each epoch.
"""

import warnings
from typing import Any

import numpy as np
import style

from cmlp import Perceptron

EPOCHS = 20
Data = tuple[np.ndarray, np.ndarray]


def separable(rng: np.random.Generator) -> Data:
    """Points on both sides of a line, none of them very close to it."""
    x = rng.uniform(-3, 3, (90, 2))
    distance = x @ [0.8, 0.6] - 1.2
    clear = np.abs(distance) > 0.3
    return x[clear], (distance[clear] > 0).astype(int)


def xor(rng: np.random.Generator) -> Data:
    """Four clouds; opposite corners share a class."""
    corner = rng.integers(0, 2, (60, 2))
    return 3 * (corner - 0.5) + rng.normal(0, 0.35, (60, 2)), corner[:, 0] ^ corner[:, 1]


def draw_lines(axes: Any, path: np.ndarray) -> None:
    """Draw the line w.x + b = 0 for each row (w1, w2, b) of the path, from pale to dark."""
    path = path[1:]  # it starts at w = 0, which is no line
    for k, (w1, w2, b) in enumerate(path, start=1):
        foot, along = -b * np.array([w1, w2]) / (w1**2 + w2**2), np.array([-w2, w1]) / np.hypot(w1, w2)
        ends = foot + np.outer([-10, 10], along)
        last = k == len(path)
        axes.plot(*ends.T, color=str(0.85 - 0.85 * k / len(path)), linewidth=3 if last else 1.5, zorder=2)


def draw(axes: Any, data: Data, title: str) -> Perceptron:
    """Learn, draw the points with the path of the line, and below them the mistakes."""
    neuron = Perceptron(epochs=EPOCHS, keep_path="epoch", shuffle=True)
    with warnings.catch_warnings(
        record=True, action="always"
    ) as caught:  # fit warns when it does not converge
        neuron.fit(*data)
    style.scatter(axes[0], *data)
    draw_lines(axes[0], neuron.path_)
    axes[0].set(xlim=(-3.1, 3.1), ylim=(-3.1, 3.1), title=title, xlabel="$x_1$", ylabel="$x_2$")
    axes[0].set(aspect="equal", xticks=[-3, 0, 3], yticks=[-3, 0, 3])
    axes[1].plot(np.arange(1, neuron.n_iter_ + 1), neuron.mistakes_, "o-", color="black", markersize=5)
    axes[1].set(xlim=(0.5, EPOCHS + 0.5), xticks=range(2, EPOCHS + 1, 2), ylim=(-3, 43))
    axes[1].set(xlabel="epoch", ylabel="mistakes")
    print(f"{title}: mistakes {neuron.mistakes_.tolist()}")
    print(*(warning.message for warning in caught))
    return neuron


figure, axes = style.subplots(2, 2, 6.9, height_ratios=[3, 1])
found = draw(axes[:, 0], separable(np.random.default_rng(41)), "A line parts them: it is found")
draw(axes[:, 1], xor(np.random.default_rng(8)), "XOR: no line does, the search never ends")
arrow = {"arrowstyle": "->"}
note = f"none in epoch {found.n_iter_}: done"
axes[1, 0].annotate(note, (found.n_iter_, 0), (found.n_iter_ + 1, 16), arrowprops=arrow)
axes[1, 1].text(10.5, 8, "never 0", ha="center")
style.save(figure, "perceptron")
