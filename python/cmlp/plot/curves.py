"""Curves of losses and scores over the epochs, after a training or during it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cmlp.plot._axes import QUIET, axes_of
from cmlp.plot._models import last_step

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NO_SCORES = ("loss", "val_loss", "lr", "seconds")


def series_of(source: Any, function: str = "plot") -> Mapping[str, Sequence[float]]:
    """Return the curves of a History, a fitted network, estimator or Pipeline, or a dict of lists."""
    if isinstance(source, Mapping):
        wrong = [name for name, values in source.items() if not hasattr(values, "__len__")]
        if wrong:
            raise ValueError(f"plot: the model is a dict, {wrong[0]!r} in it must be a list of numbers")
        return source
    source = last_step(source)
    if hasattr(source, "loss_curve_"):
        held_out = {"val_loss": "validation_loss_curve_", "val_score": "validation_scores_"}
        named = {name: getattr(source, curve, None) for name, curve in held_out.items()}
        named = {"loss": source.loss_curve_, **named}
        return {name: list(values) for name, values in named.items() if values}
    history = getattr(source, "history", None)
    if history is None:
        raise ValueError(f"{function}: model ({type(source).__name__}) has not been fitted")
    return series_of(history, function)


def _draw(
    ax: Axes, series: Mapping[str, Sequence[float]], names: Sequence[str], label: str
) -> dict[str, Any]:
    """Draw curves in the next colours of the axes; return the line of each name."""
    from matplotlib.ticker import MaxNLocator

    lines = {}
    for name in names:
        text = f"{label} {name}".strip().replace("_", " ")
        (lines[name],) = ax.plot(range(1, len(series[name]) + 1), series[name], label=text)
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(visible=True, alpha=0.3)
    return lines


def loss_curve(model: Any, *, label: str = "", log: bool = True, ax: Axes | None = None) -> Axes:
    """Draw the loss over the epochs, and that of the held-out rows with its lowest point.

    Parameters
    ----------
    model : fitted network, estimator or Pipeline, History, or dict of lists
    label : str, default ""
        Put before the names of the curves, where several models are drawn on the same axes.
    log : bool, default True
        Logarithmic losses, where all are above 0.
    ax : matplotlib Axes, optional
        Axes to draw on; those of a new figure by default.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        When the model has not been fitted, or by a solver that keeps no losses.

    Examples
    --------
    >>> from cmlp import plot
    >>> plot.loss_curve({"loss": [1.0, 0.5], "val_loss": [1.1, 0.7]}).get_ylabel()
    'loss'
    """
    series = series_of(model, "loss_curve")
    names = [name for name in ("loss", "val_loss") if len(series.get(name, ()))]
    if not names:
        raise ValueError("loss_curve: there are no losses")
    ax = axes_of(ax)
    lines = _draw(ax, series, names, label)
    if "val_loss" in names:
        _mark_lowest(ax, series["val_loss"], lines["val_loss"].get_color(), label)
    if log and min(min(series[name]) for name in names) > 0:
        ax.set_yscale("log")
    ax.legend()
    ax.set(ylabel="loss", title="Loss by epoch")
    return ax


def _mark_lowest(ax: Axes, values: Sequence[float], color: str, label: str) -> None:
    """Mark the epoch of the lowest value, where there is a finite one."""
    if np.isfinite(values).any():
        best = int(np.nanargmin(values))
        ax.plot(best + 1, values[best], "o", color=color)
        ax.axvline(best + 1, color=QUIET, linestyle=":", label=f"{label} lowest: epoch {best + 1}".strip())


def score_curve(model: Any, *, label: str = "", ax: Axes | None = None) -> Axes:
    """Draw every metric or validation score over the epochs.

    Parameters
    ----------
    model : fitted network, estimator or Pipeline, History, or dict of lists
    label : str, default ""
        Put before the names of the curves, where several models are drawn on the same axes.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        When there are no scores.

    Examples
    --------
    >>> from cmlp import plot
    >>> plot.score_curve({"loss": [1.0, 0.5], "val_accuracy": [0.5, 0.8]}).get_title()
    'Scores by epoch'
    """
    series = series_of(model, "score_curve")
    names = [name for name in series if name not in _NO_SCORES]
    if not names:
        raise ValueError("score_curve: there are no metrics; fit with metrics=[...] or rows held out")
    ax = axes_of(ax)
    _draw(ax, series, names, label)
    ax.legend()
    ax.set(ylabel="score", title="Scores by epoch")
    return ax


class LiveCurves:
    """A callback that draws the losses after every epoch; in a notebook one picture is redrawn in its place.

    Parameters
    ----------
    every : int, default 1
        Epochs from one drawing to the next.

    Attributes
    ----------
    figure : matplotlib Figure

    Examples
    --------
    >>> from cmlp import plot
    >>> live = plot.LiveCurves()
    >>> for epoch in range(2):
    ...     live({"epoch": epoch, "loss": 1.0 / (epoch + 1)})
    >>> len(live.figure.axes[0].lines)
    1
    """

    def __init__(self, every: int = 1) -> None:
        import matplotlib.pyplot as plt

        self.every = every
        self.series: dict[str, list[float]] = {}
        self.figure: Any = plt.figure(figsize=(6.4, 4.2), layout="constrained")
        if "inline" in plt.get_backend():  # it shows every open figure once more at the end of a cell
            plt.close(self.figure)
        self._handle: Any = None

    def __call__(self, values: dict[str, Any]) -> None:
        """Add an epoch and draw."""
        for name in ("loss", "val_loss"):
            if name in values:
                self.series.setdefault(name, []).append(values[name])
        if len(self.series["loss"]) % self.every == 0:
            self.figure.clear()
            loss_curve(self.series, ax=self.figure.add_subplot())
            self._show()

    def _show(self) -> None:
        try:
            from IPython import get_ipython
            from IPython.display import display
        except ImportError:
            return
        if get_ipython() is None:
            return
        if self._handle is None:
            self._handle = display(self.figure, display_id=True)
        else:
            self._handle.update(self.figure)
