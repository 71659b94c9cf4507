"""4. Forward propagation: one row through a 2-3-2 network, with every number in its place.

The number on an edge is a weight, the number below a node its bias. Inside a node are z, the weighted sum,
and what the activation makes of it: ReLU in the hidden layer, softmax at the end. All of them come from
net.trace; the sum of the first node of each layer is spelled out below, so that it can be checked by hand.
"""

from typing import Any

import numpy as np
import style
from matplotlib.patches import Circle

from cmlp import nn

X = np.array([[1.0, 2.0]])
RADIUS, ACROSS = 0.98, 5.2
HEIGHTS = [[1.75, -1.75], [2.9, 0, -2.9], [1.75, -1.75]]  # of the nodes, layer by layer
TITLES = ["input", "Linear, ReLU\n$h$ = max($z$, 0)", "Linear, softmax\n$p$ = $e^z$ / sum of both $e^z$"]


def network() -> nn.Sequential:
    """A small network with weights that one can calculate with."""
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2), nn.Softmax(), dtype="float64")
    net.load_state_dict({
        "0.weight": [[0.5, 0.6], [-0.8, 0.4], [0.7, -0.1]], "0.bias": [0.1, -0.2, 0.3],
        "2.weight": [[0.5, -1.0, 0.2], [-0.4, 0.9, 0.6]], "2.bias": [-0.1, 0.2],
    })  # fmt: skip
    return net


def signed(value: float, digits: int = 1) -> str:
    """Write a number with a real minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def draw_edges(axes: Any, layer: int, weight: np.ndarray) -> None:
    """Draw the edges into a layer; blue and solid pulls up, red and dashed down, the wider the more."""
    for (to, source), w in np.ndenumerate(weight):
        start, end = (ACROSS * (layer - 1), HEIGHTS[layer - 1][source]), (ACROSS * layer, HEIGHTS[layer][to])
        colour, dash = (style.BLUE, "-") if w > 0 else (style.RED, "--")
        line = {"color": colour, "linestyle": dash, "linewidth": 0.8 + 3 * abs(w), "zorder": 1}
        axes.plot(*zip(start, end, strict=True), **line)
        at = 0.7 * np.array(start) + 0.3 * np.array(end)
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes.text(*at, signed(w), color=colour, ha="center", va="center", bbox=paper, zorder=2)


def draw_nodes(axes: Any, layer: int, texts: list[str], bias: np.ndarray | None = None) -> None:
    """Draw a layer's nodes with their numbers, and the biases below."""
    for k, (text, y) in enumerate(zip(texts, HEIGHTS[layer], strict=True)):
        axes.add_patch(Circle((ACROSS * layer, y), RADIUS, facecolor="white", edgecolor="black", zorder=3))
        axes.text(ACROSS * layer, y, text, ha="center", va="center", fontsize=12, linespacing=1.5, zorder=4)
        if bias is not None:
            axes.text(ACROSS * layer, y - RADIUS - 0.12, f"bias {signed(bias[k])}", ha="center", va="top")


def two_lines(name: str, sums: np.ndarray, values: np.ndarray) -> list[str]:
    """Write the numbers of each node of a layer: its sum and its output."""
    pairs = enumerate(zip(sums, values, strict=True), start=1)
    return [f"$z_{k}$ = {signed(a, 2)}\n${name}_{k}$ = {signed(b, 2)}" for k, (a, b) in pairs]


def spelled(weight: np.ndarray, inputs: np.ndarray, bias: float, z: float) -> str:
    """Write a node's sum out."""
    terms = " + ".join(f"({signed(w)})({signed(value)})" for w, value in zip(weight, inputs, strict=True))
    return f"$z_1$ = {terms} + ({signed(bias)}) = {signed(z, 2)}"


net = network()
x, z, h, u, p = (values[0] for _, values in net.trace(X))
w1, b1, w2, b2 = (parameter.data for parameter in net.parameters())
figure, ((axes,),) = style.subplots(1, 1, 6.2)
axes.set(xlim=(-1.9, 2 * ACROSS + 1.9), ylim=(-5.9, 4.9), aspect="equal")
axes.axis("off")
draw_edges(axes, 1, w1)
draw_edges(axes, 2, w2)
draw_nodes(axes, 0, [f"$x_{k}$ = {signed(value)}" for k, value in enumerate(x, start=1)])
draw_nodes(axes, 1, two_lines("h", z, h), b1)
draw_nodes(axes, 2, two_lines("p", u, p), b2)
for layer, title in enumerate(TITLES):
    axes.text(ACROSS * layer, 4.75, title, ha="center", va="top", fontsize=12)
axes.text(ACROSS, -5.1, "first hidden node:  " + spelled(w1[0], x, b1[0], z[0]), ha="center")
axes.text(ACROSS, -5.7, "first output node:  " + spelled(w2[0], h, b2[0], u[0]), ha="center")
style.save(figure, "forward")
for name, values in net.trace(X):
    print(f"{name:<12} {values[0].round(3).tolist()}")
