"""7. Initialisation: whether a signal survives twenty layers.

A random batch goes forward through 20 layers of 256 units, and a random gradient back. Shown is the spread
(standard deviation) of what leaves each layer, above, and of the gradient that comes back to it, below. With
weights 0 nothing passes in either direction (the gradient is nonzero at layer 20 only, where it starts), so
no weight learns. Xavier's weights carry a signal through tanh; ReLU cuts one half of every signal off,
and with it half the power in each layer. He's weights are sqrt(2) times as large here, which makes up for
that half.
"""

import numpy as np
import style

from cmlp import nn

LAYERS, UNITS, ROWS = 20, 256, 256
FLOOR = 1e-5  # where a logarithmic axis shows 0
SCHEMES = {"zeros": "zero", "xavier_normal": "Xavier", "kaiming_normal": "He"}


def network(activation: str, init: str) -> nn.Sequential:
    """Twenty layers of one kind."""
    pairs = [(nn.Linear(UNITS, UNITS, init=init), nn.Activation(activation)) for _ in range(LAYERS)]
    return nn.Sequential(*(layer for pair in pairs for layer in pair), seed=0)


def outputs(net: nn.Sequential, x: np.ndarray) -> list[np.ndarray]:
    """Return what leaves each activation on the way forward."""
    return [value for _, value in net.trace(x)[2::2]]


def gradients(net: nn.Sequential, dy: np.ndarray) -> list[np.ndarray]:
    """Return what comes back to the input of each activation, the first layer's first."""
    found = []
    for layer in reversed(list(net)):
        dy = layer.backward(dy)
        if isinstance(layer, nn.Activation):
            found.insert(0, dy)
    return found


rng = np.random.default_rng(0)
x, dy = rng.normal(size=(ROWS, UNITS)), rng.normal(size=(ROWS, UNITS))
layers = np.arange(1, LAYERS + 1)
figure, grid = style.subplots(2, 2, 6.4, sharex=True, sharey=True)
for column, (activation, title) in zip(grid.T, {"tanh": "tanh", "relu": "ReLU"}.items(), strict=True):
    for k, (init, label) in enumerate(SCHEMES.items()):
        net = network(activation, init)
        signals = outputs(net, x)
        spreads = [[values.std() for values in signals], [values.std() for values in gradients(net, dy)]]
        look = style.look(k, marker=True)
        for axes, spread in zip(column, spreads, strict=True):
            axes.semilogy(layers, np.maximum(spread, FLOOR), label=label, clip_on=False, **look)
        print(f"{title} {label:<6}: spread after {LAYERS} layers {spreads[0][-1]:.2g}, "
              f"gradient back at the first {spreads[1][0]:.2g}")  # fmt: skip
    column[0].set_title(title)
    column[1].set(xlabel="layer", xticks=[1, 5, 10, 15, 20])
ticks = [FLOOR, 1e-4, 1e-3, 1e-2, 1e-1, 1]
labels = ["0", *(f"$10^{{{round(np.log10(tick))}}}$" for tick in ticks[1:-1]), "1"]
grid[0, 0].set(ylim=(FLOOR, 4), yticks=ticks, yticklabels=labels, ylabel="spread of activations")
grid[1, 0].set_ylabel("spread of gradients")
for axes in grid.flat:
    axes.minorticks_off()
figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=12)
style.save(figure, "initialisation")
