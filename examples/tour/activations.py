"""2. Activations: what a neuron makes of its sum, and what backpropagation makes of it.

Each panel shows a function (solid) and its derivative (dashed). The derivative is not typed in here: it is
what the layer's own backward returns for a gradient of 1. Where the dashed line is near 0 a neuron hardly
learns: sigmoid and tanh on both sides, ReLU on the left. Softmax works on a row; the picture shows its first
output as the first of three inputs moves and the others stay 0.
"""

from typing import Any

import numpy as np
import style

import cmlp
from cmlp import nn

SETTINGS = {"leaky_relu": {"negative_slope": 0.1}}  # the default, 0.01, would not be visible
COLUMNS = 5
z = np.linspace(-4, 4, 1601).reshape(-1, 1)


def curves(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return f(z) and f'(z)."""
    layer = nn.Sequential(nn.Activation(name, **SETTINGS.get(name, {})), dtype="float64")
    return layer(z), layer.backward(np.ones_like(z))


def softmax_curves() -> tuple[np.ndarray, np.ndarray]:
    """Return the first output of softmax(z, 0, 0) and its derivative by z."""
    layer = nn.Sequential(nn.Softmax(), dtype="float64")
    first = np.zeros((len(z), 3))
    first[:, 0] = 1
    return layer(first * z)[:, 0], layer.backward(first)[:, 0]


def draw(axes: Any, title: str, value: np.ndarray, derivative: np.ndarray) -> None:
    """Draw both curves; all panels share one scale."""
    axes.plot(z, value, color=style.BLUE, label="$f(z)$")
    axes.plot(z, derivative, color=style.RED, linestyle="--", label="$f'(z)$")
    axes.axhline(0, color=style.GREY, linewidth=0.8, zorder=1)
    axes.set(title=title, xticks=range(-4, 5, 2), yticks=range(-1, 4), ylim=(-1.3, 3.3))


USUAL = [
    "identity",
    "step",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "sigmoid",
    "tanh",
]
names = USUAL + [name for name in cmlp.activations() if name not in USUAL]
rows = -(-(len(names) + 1) // COLUMNS)
figure, grid = style.subplots(rows, COLUMNS, min(1.9 * rows + 0.6, 8.7), sharex=True, sharey=True)
for axes, name in zip(grid.flat, names, strict=False):
    settings = "".join(f" {slope}" for slope in SETTINGS.get(name, {}).values())
    draw(axes, name + settings, *curves(name))
draw(grid.flat[len(names)], "softmax", *softmax_curves())
for axes in grid.flat[len(names) + 1 :]:
    axes.set_visible(False)
figure.supxlabel("$z$", fontsize=12)
figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=12)

for name in names:
    _, derivative = curves(name)
    print(f"{name:<12} derivative between {derivative.min():6.3f} and {derivative.max():5.3f}")
apart = np.abs(curves("gelu")[0] - curves("gelu_tanh")[0]).max()
print(f"the two forms of gelu differ by at most {apart:.1e}")
style.save(figure, "activations")
