"""Weights, activations and gradients of a network's layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cmlp import nn
from cmlp.plot._axes import QUIET, axes_of
from cmlp.plot._models import last_input, last_step, network_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cmlp.nn.losses import Loss


def _matrices(net: nn.Sequential) -> list[tuple[str, npt.NDArray[Any]]]:
    """Return the weight matrices with their names."""
    return [(name, p.data) for name, p in net.named_parameters() if p.data.ndim == 2]


def weights(
    model: Any,
    layer: int = 0,
    *,
    shape: tuple[int, int] | None = None,
    units: int = 16,
    ax: Axes | None = None,
) -> Axes:
    """Draw the weights of a layer as an image, or those into each unit as an image of the input's shape.

    Parameters
    ----------
    model : network, fitted estimator or Pipeline
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
    found = _matrices(network_of(model, "weights"))
    if not -len(found) <= layer < len(found):
        raise ValueError(f"weights: layer is {layer}, the network has {len(found)} weight matrices")
    name, matrix = found[layer]
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


def activation_histograms(model: Any, X: npt.ArrayLike, *, bins: int = 60, ax: Axes | None = None) -> Axes:
    """Draw how the outputs of each activation layer are distributed over rows of X.

    Parameters
    ----------
    model : network, fitted estimator or Pipeline
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
    net = network_of(model, "activation_histograms").copy().eval()
    layers = net.trace(last_input(model, X))[1:]
    found = [(title, value) for title, value in layers if _is_activation(title)]
    if not found:
        raise ValueError("activation_histograms: the network has no activation layer")
    ax = axes_of(ax)
    for title, value in found:
        zeros = float((value == 0).mean())
        note = f", {zeros:.0%} are 0" if zeros > 0.01 else ""
        ax.hist(value.ravel(), bins=bins, histtype="step", density=True, label=title + note)
    ax.set(xlabel="activation", ylabel="density", title="Activations of each layer", yscale="log")
    ax.legend()
    return ax


def _is_activation(title: str) -> bool:
    kind = getattr(nn, title.rpartition(" ")[2], None)
    return isinstance(kind, type) and issubclass(kind, nn.Activation)


def gradient_flow(
    model: Any, X: npt.ArrayLike, y: npt.ArrayLike, *, loss: Loss | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the norm of the gradient of each layer's weights, divided by that of the weights.

    Parameters
    ----------
    model : network, fitted estimator or Pipeline
    X, y : array (rows, in), targets
        As the loss takes them; for an estimator or Pipeline as its ``fit`` does.
    loss : Loss, optional
        The loss whose gradients are drawn; needed for a network, an estimator has its own.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        For a network without a loss.

    Examples
    --------
    >>> import numpy as np
    >>> from cmlp import nn, plot
    >>> net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    >>> plot.gradient_flow(net, np.eye(2), np.ones((2, 1)), loss=nn.MSELoss()).get_yscale()
    'log'
    """
    net, rows = network_of(model, "gradient_flow"), last_input(model, X)
    gradients = _gradients(last_step(model), rows, y, loss)
    named = _matrices(net)
    ratios = [_ratio(gradients[name], data) for name, data in named]
    ax = axes_of(ax)
    ax.plot(range(len(ratios)), ratios, "o-")
    ax.set_xticks(range(len(ratios)), [name for name, _ in named], rotation=45, ha="right")
    ax.grid(visible=True, alpha=0.3, color=QUIET)
    ax.set(yscale="log", ylabel="norm of the gradient / of the weights", title="Gradient flow")
    return ax


def _ratio(gradient: npt.NDArray[Any], weights: npt.NDArray[Any]) -> float:
    size = float(np.linalg.norm(weights))
    return float(np.linalg.norm(gradient)) / size if size else np.nan


def _gradients(model: Any, x: Any, y: Any, loss: Loss | None) -> dict[str, npt.NDArray[Any]]:
    """Return the gradient of the loss by each parameter, by its name."""
    if not isinstance(model, nn.Sequential) and loss is None:
        gradients: dict[str, npt.NDArray[Any]] = model.gradients(x, y)
        return gradients
    if loss is None:
        raise ValueError("gradient_flow: loss is None; a network needs the loss that it is trained with")
    net = network_of(model, "gradient_flow").copy().eval()
    loss(net(x), y)
    net.zero_grad()
    net.backward(loss.backward())
    return {name: p.grad for name, p in net.named_parameters()}
