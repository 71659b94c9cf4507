"""The schedules of a fit: the scheduled values of settings, and plateaus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from cmlp.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

    Scheduler: TypeAlias = LRScheduler | ReduceLROnPlateau

Course = tuple[str, int, list[float], bool]  # setting, group, values, every step


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
