"""Losses and scores over the epochs, also while they come."""

from __future__ import annotations

from typing import Any

import numpy as np

from cmlp.plot._axes import HELD_OUT, QUIET, TRAIN, axes_of


def series_of(source: Any) -> dict[str, list[float]]:
    """Return the curves of a History, a network that was fitted, an estimator, or a dict of lists."""
    if isinstance(source, dict):
        return source
    if hasattr(source, "loss_curve_"):
        held_out = {"val_loss": "validation_loss_curve_", "val_score": "validation_scores_"}
        named = {name: getattr(source, curve, None) for name, curve in held_out.items()}
        named = {"loss": source.loss_curve_, **named}
        return {name: list(values) for name, values in named.items() if values}
    history = getattr(source, "history", None)
    if history is None:
        raise ValueError(f"plot: {type(source).__name__} has not been fitted")
    return series_of(history)


def _epochs(ax: Any, series: dict[str, list[float]], names: list[str]) -> None:
    from matplotlib.ticker import MaxNLocator

    for name in names:
        color = HELD_OUT if name.startswith("val_") else TRAIN
        ax.plot(range(1, len(series[name]) + 1), series[name], color=color, label=name.replace("_", " "))
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.3)
    ax.legend()


def loss_curve(source: Any, *, ax: Any = None, log: bool = True) -> Any:
    """Draw the loss over the epochs, and that of the held-out rows with its lowest point.

    Parameters
    ----------
    source : History, fitted network or estimator, or dict of lists
    ax : matplotlib Axes, optional
        Where to; a new figure by default.
    log : bool, default True
        Logarithmic losses, where all are above 0.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from cmlp import plot
    >>> plot.loss_curve({"loss": [1.0, 0.5], "val_loss": [1.1, 0.7]}).get_ylabel()
    'loss'
    """
    series, ax = series_of(source), axes_of(ax)
    names = [name for name in ("loss", "val_loss") if series.get(name)]
    _epochs(ax, series, names)
    if "val_loss" in names:
        best = int(np.nanargmin(series["val_loss"]))
        ax.plot(best + 1, series["val_loss"][best], "o", color=HELD_OUT)
        ax.axvline(best + 1, color=QUIET, linestyle=":", label=f"lowest: epoch {best + 1}")
        ax.legend()
    if log and min(min(series[name]) for name in names) > 0:
        ax.set_yscale("log")
    ax.set(ylabel="loss", title="Loss while training")
    return ax


def score_curve(source: Any, *, ax: Any = None) -> Any:
    """Draw every metric or validation score over the epochs.

    Parameters
    ----------
    source : History, fitted network or estimator, or dict of lists
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        When there is none.

    Examples
    --------
    >>> from cmlp import plot
    >>> plot.score_curve({"loss": [1.0, 0.5], "val_accuracy": [0.5, 0.8]}).get_title()
    'Scores while training'
    """
    series = series_of(source)
    names = [name for name in series if name not in ("loss", "val_loss", "lr", "seconds")]
    if not names:
        raise ValueError("score_curve: there are no metrics; fit with metrics=[...] or rows held out")
    ax = axes_of(ax)
    _epochs(ax, series, names)
    ax.set(ylabel="score", title="Scores while training")
    return ax


class LiveCurves:
    """A callback that draws the loss again and again while a fit goes on; in a notebook the picture moves.

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
        self.figure = plt.figure(figsize=(6.4, 4.2), layout="constrained")
        self._handle: Any = None

    def __call__(self, values: dict[str, Any]) -> None:
        """Take in an epoch."""
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
