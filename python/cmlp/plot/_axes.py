"""What all pictures share: where they are drawn, and their colours."""

from __future__ import annotations

from typing import Any

TRAIN, HELD_OUT, QUIET = "#1f77b4", "#d95f02", "#777777"


def axes_of(ax: Any, size: tuple[float, float] = (6.4, 4.2)) -> Any:
    """Return the axes given, or those of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def network_of(model: Any) -> Any:
    """Return the network of an estimator, or the network itself."""
    return model._connect() if hasattr(model, "_connect") else model
