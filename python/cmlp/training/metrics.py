"""The metrics of a fit: names that the core knows, and functions of (y, prediction)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from cmlp.training.data import FitRows

MetricLike = str | Callable[..., float]


class Metrics:
    """Metrics in the order given: names that the core knows, and functions of (y, prediction)."""

    def __init__(self, metrics: Sequence[MetricLike] | MetricLike | None) -> None:
        metrics = _listed(metrics)
        self.names: list[str] = [m if isinstance(m, str) else _name_of(m) for m in metrics]
        self.native: list[str] = [m for m in metrics if isinstance(m, str)]
        self.functions: dict[str, Any] = {_name_of(m): m for m in metrics if not isinstance(m, str)}
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"metrics: a name is there twice: {', '.join(self.names)}")

    def check_weights(self, *weights: Any) -> None:
        """Raise ValueError where there are sample weights and a function has no third argument for them."""
        if all(weight is None for weight in weights):
            return
        for name, function in self.functions.items():
            if not _takes_weights(function):
                raise ValueError(
                    f"metrics: there are sample weights, and {name} does not take them as a third argument"
                )

    def join(self, native: Sequence[float], own: Mapping[str, float]) -> dict[str, float]:
        """Return all values by name, in the order given."""
        values = {**dict(zip(self.native, native, strict=True)), **own}
        return {name: values[name] for name in self.names}

    def measure(self, rows: FitRows) -> dict[str, float]:
        """Return the values of the functions over all rows."""
        return self.of_prediction(rows.y, rows.predict, rows.weight)

    def of_prediction(self, y: Any, predict: Callable[[], npt.NDArray[Any]], weight: Any) -> dict[str, float]:
        """Return the values of the functions for targets and their prediction."""
        if not self.functions:
            return {}
        arguments = [np.asarray(y), predict(), *([] if weight is None else [np.asarray(weight)])]
        return {name: float(function(*arguments)) for name, function in self.functions.items()}


def _listed(metrics: Any) -> list[MetricLike]:
    """Return a list of metrics: of several, one, or None."""
    if metrics is None:
        return []
    return [metrics] if isinstance(metrics, str) or callable(metrics) else list(metrics)


def _name_of(function: Callable[..., float]) -> str:
    if not callable(function):
        raise ValueError(f"metrics: {function!r} is neither a name nor a function")
    return str(getattr(function, "__name__", type(function).__name__))


def _takes_weights(function: Callable[..., float]) -> bool:
    """Return whether a third argument may be given by position; True where Python cannot know."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in by_place for p in parameters) >= 3 or any(
        p.kind is p.VAR_POSITIONAL for p in parameters
    )
