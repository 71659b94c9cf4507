"""What fit turns its arguments into: metrics that are functions, courses of settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from cmlp._data import Rows
    from cmlp.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

    Scheduler: TypeAlias = LRScheduler | ReduceLROnPlateau

MetricLike = str | Callable[..., float]
Course = tuple[str, int, list[float], bool]  # setting, group, values, every step


class Metrics:
    """Metrics in the order asked for: names that the core knows, and functions of (y, prediction)."""

    def __init__(self, metrics: Sequence[MetricLike]) -> None:
        self.names = [m if isinstance(m, str) else _name_of(m) for m in metrics]
        self.native = [m for m in metrics if isinstance(m, str)]
        self.functions = {_name_of(m): m for m in metrics if not isinstance(m, str)}
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"metrics: a name is there twice: {', '.join(self.names)}")

    def join(self, native: Sequence[float], own: Mapping[str, float]) -> dict[str, float]:
        """Return all values by name, in the order asked for."""
        values = {**dict(zip(self.native, native, strict=True)), **own}
        return {name: values[name] for name in self.names}

    def measure(self, predict: Callable[[Any], npt.NDArray[Any]], rows: Rows) -> dict[str, float]:
        """Return the values of the functions over all rows."""
        x, y, weight = rows
        if not self.functions:
            return {}
        arguments = [np.asarray(y), predict(x)]
        return {
            name: float(function(*arguments, *_weight_for(function, weight)))
            for name, function in self.functions.items()
        }


def _name_of(function: Callable[..., float]) -> str:
    if not callable(function):
        raise ValueError(f"metrics: {function!r} is neither a name nor a function")
    return str(getattr(function, "__name__", type(function).__name__))


def _weight_for(function: Callable[..., float], weight: Any) -> list[Any]:
    """Return the weights as a third argument where there are some; a function without one is refused."""
    if weight is None:
        return []
    parameters = inspect.signature(function).parameters.values()
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if sum(p.kind in by_place for p in parameters) < 3 and not any(
        p.kind is p.VAR_POSITIONAL for p in parameters
    ):
        name = _name_of(function)
        raise ValueError(
            f"metrics: there are sample weights, and {name} does not take them as a third argument"
        )
    return [np.asarray(weight)]


class Schedules:
    """The schedulers of a fit: tables before it, plateaus after each epoch, states at its end."""

    def __init__(self, schedulers: Any, interval: str, optimizer: Any) -> None:
        from cmlp.optim.full_batch import FullBatch
        from cmlp.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

        if interval not in ("epoch", "step"):
            raise ValueError(f"fit: scheduler_interval is '{interval}'; choose from epoch, step")
        given = [] if schedulers is None else schedulers
        self.every_step = interval == "step"
        self.all: list[Scheduler] = [given] if not isinstance(given, list | tuple) else list(given)
        if self.all and isinstance(optimizer, FullBatch):
            raise ValueError(f"fit: {type(optimizer).__name__} takes no scheduler")
        for scheduler in self.all:
            if not isinstance(scheduler, LRScheduler | ReduceLROnPlateau):
                raise ValueError(f"fit: {scheduler!r} is not a scheduler of cmlp.optim.lr_scheduler")
            if scheduler.optimizer is not optimizer:
                raise ValueError(f"fit: {type(scheduler).__name__} is over another optimizer")
        self.closed = [s for s in self.all if isinstance(s, LRScheduler)]
        self.plateaus = [s for s in self.all if isinstance(s, ReduceLROnPlateau)]

    def courses(self, epochs: int, steps: int) -> list[Course]:
        """Return the values of every epoch or step to come."""
        count = epochs * steps if self.every_step else epochs
        return [
            (setting, group, values, self.every_step)
            for scheduler in self.closed
            for setting, group, values in scheduler._table(count)
        ]

    def epoch_end(self, values: Mapping[str, Any]) -> None:
        """Show the plateaus what they watch."""
        for plateau in self.plateaus:
            watched = plateau.monitor or ("val_loss" if "val_loss" in values else "loss")
            if watched not in values:
                raise ValueError(f"fit: ReduceLROnPlateau watches '{watched}', which is not among the values")
            plateau.step(values[watched])

    def finish(self, epochs: int, steps: int) -> None:
        """Bring every scheduler to where the fit ended."""
        done = steps if self.every_step else epochs
        for scheduler in self.closed:
            if done > 0:
                scheduler.step(scheduler.last_epoch + done)
