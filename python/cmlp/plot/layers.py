"""What is inside a network: weights, activations, gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp import nn
from cmlp.plot._axes import QUIET, TRAIN, axes_of, network_of


def _linear(net: Any) -> list[tuple[str, npt.NDArray[Any], npt.NDArray[Any]]]:
    named = [(name, p) for name, p in net.named_parameters() if p.data.ndim == 2]
    return [(name, p.data, p.grad) for name, p in named]


def weights(
    model: Any, layer: int = 0, *, shape: tuple[int, int] | None = None, units: int = 16, ax: Any = None
) -> Any:
    """Draw the weights of a layer as an image, or those into each unit as an image of the input's shape.

    Parameters
    ----------
    model : network or estimator
    layer : int, default 0
        Which weight matrix.
    shape : (rows, columns), optional
        Of an input that is a picture: each of the first `units` units is drawn as one.
    units : int, default 16
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from cmlp import nn, plot
    >>> plot.weights(nn.Sequential(nn.Linear(4, 3)), shape=(2, 2)).get_title()
    'Weights 0.weight into 3 units'
    """
    name, matrix, _ = _linear(network_of(model))[layer]
    shown = np.array(matrix)
    title = f"Weights {name}"
    if shape is not None:
        if shape[0] * shape[1] != shown.shape[1]:
            raise ValueError(f"weights: shape is {shape}, the layer takes {shown.shape[1]} inputs")
        shown, title = _tiled(shown[:units], shape), f"{title} into {min(units, len(shown))} units"
    ax, limit = axes_of(ax, (5.4, 4.8)), np.nanmax(np.abs(shown))
    image = ax.imshow(shown, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="equal" if shape else "auto")
    ax.figure.colorbar(image, ax=ax)
    if shape is None:
        ax.set(xlabel="input", ylabel="unit")
    else:
        ax.set_axis_off()
    ax.set_title(title)
    return ax


def _tiled(rows: npt.NDArray[Any], shape: tuple[int, int]) -> npt.NDArray[Any]:
    """Return the rows as pictures side by side, with gaps of NaN."""
    across = int(np.ceil(np.sqrt(len(rows))))
    down = -(-len(rows) // across)
    sheet = np.full((down * (shape[0] + 1) - 1, across * (shape[1] + 1) - 1), np.nan)
    for at, row in enumerate(rows):
        top, left = at // across * (shape[0] + 1), at % across * (shape[1] + 1)
        sheet[top : top + shape[0], left : left + shape[1]] = row.reshape(shape)
    return sheet


def activation_histograms(model: Any, X: Any, *, bins: int = 60, ax: Any = None) -> Any:
    """Draw how the outputs of each activation layer are distributed over rows of X.

    Parameters
    ----------
    model : network or estimator
    X : array (rows, in)
    bins : int, default 60
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> import numpy as np
    >>> from cmlp import nn, plot
    >>> net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    >>> plot.activation_histograms(net, np.eye(2)).get_xlabel()
    'activation'
    """
    net = network_of(model).copy().eval()
    found = [(title, value) for title, value in net.trace(X)[1:] if _is_activation(title)]
    if not found:
        raise ValueError("activation_histograms: the network has no activation layer")
    ax = axes_of(ax)
    for at, (title, value) in enumerate(found):
        zeros = float((value == 0).mean())
        note = f", {zeros:.0%} are 0" if zeros > 0.01 else ""
        ax.hist(value.ravel(), bins=bins, histtype="step", density=True, label=title + note, color=f"C{at}")
    ax.set(xlabel="activation", ylabel="density", title="Activations of each layer", yscale="log")
    ax.legend()
    return ax


def _is_activation(title: str) -> bool:
    kind = getattr(nn, title.rpartition(" ")[2], None)
    return isinstance(kind, type) and issubclass(kind, nn.Activation)


def gradient_flow(model: Any, X: Any, y: Any, *, loss: Any = None, ax: Any = None) -> Any:
    """Draw the size of the gradient in each layer's weights, relative to the weights themselves.

    Parameters
    ----------
    model : network or estimator
    X, y : array (rows, in), targets
        As the loss takes them; for an estimator as its ``fit`` does.
    loss : Loss, optional
        For a network: what the gradients are of.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> import numpy as np
    >>> from cmlp import nn, plot
    >>> net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    >>> plot.gradient_flow(net, np.eye(2), np.ones((2, 1)), loss=nn.MSELoss()).get_yscale()
    'log'
    """
    if hasattr(model, "_connect"):
        rows = model._rows(X, y, None, first=False, incremental=True)
        X, y, loss = rows.x, rows.y, model._objective.loss
    net = network_of(model).copy().eval()
    loss(net(X), y)
    net.zero_grad()
    net.backward(loss.backward())
    found = _linear(net)
    norms = [(float(np.linalg.norm(data)), float(np.linalg.norm(grad))) for _, data, grad in found]
    ax = axes_of(ax)
    ax.plot(range(len(norms)), [grad / data if data else np.nan for data, grad in norms], "o-", color=TRAIN)
    ax.set_xticks(range(len(norms)), [name for name, _, _ in found], rotation=45, ha="right")
    ax.grid(alpha=0.3, color=QUIET)
    ax.set(yscale="log", ylabel="norm of the gradient / of the weights", title="Gradient flow")
    return ax
