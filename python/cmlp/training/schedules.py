"""The schedules of a fit: the scheduled values of settings, and plateaus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from cmlp.training.monitor import default_monitor
from cmlp.training.options import FitOptions, ScheduledValues

if TYPE_CHECKING:
    from cmlp.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
    from cmlp.training.data import FitRows

    Scheduler: TypeAlias = LRScheduler | ReduceLROnPlateau


class Schedules:
    """The schedulers of a fit: tables before it, plateaus after each epoch, states at its end."""

    def __init__(self, schedulers: Any, interval: str, optimizer: Any) -> None:
        from cmlp.optim.full_batch import FullBatch
        from cmlp.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

        if interval not in ("epoch", "step"):
            raise ValueError(f"fit: scheduler_interval is '{interval}'; choose from epoch, step")
        given = [] if schedulers is None else schedulers
        self.every_step: bool = interval == "step"
        self.all: list[Scheduler] = [given] if not isinstance(given, list | tuple) else list(given)
        if self.all and isinstance(optimizer, FullBatch):
            raise ValueError(f"fit: {type(optimizer).__name__} takes no scheduler")
        for scheduler in self.all:
            if not isinstance(scheduler, LRScheduler | ReduceLROnPlateau):
                raise ValueError(f"fit: {scheduler!r} is not a scheduler of cmlp.optim.lr_scheduler")
            if scheduler.optimizer is not optimizer:
                raise ValueError(f"fit: {type(scheduler).__name__} is over another optimizer")
        self.closed: list[LRScheduler] = [s for s in self.all if isinstance(s, LRScheduler)]
        self.plateaus: list[ReduceLROnPlateau] = [s for s in self.all if isinstance(s, ReduceLROnPlateau)]
        for plateau in self.plateaus:
            plateau._check_groups()

    def scheduled(self, epochs: int, steps: int) -> tuple[ScheduledValues, ...]:
        """Return the values of every epoch or step to come; ``steps`` is those of an epoch."""
        count = epochs * steps if self.every_step else epochs
        return tuple(
            (setting, group, values, self.every_step)
            for scheduler in self.closed
            for setting, group, values in scheduler._table(count)
        )

    def added_to(self, options: FitOptions, rows: FitRows) -> FitOptions:
        """Return the options with the scheduled values of these rows' epochs."""
        if not self.closed:
            return options
        length = options.length
        epochs = max(length.epochs - length.initial_epoch, 0)
        steps = rows.steps_an_epoch(options)
        return replace(options, schedules=self.scheduled(epochs, steps))

    def epoch_end(self, values: Mapping[str, Any]) -> None:
        """Step the plateau schedulers with the value that each monitors."""
        for plateau in self.plateaus:
            monitor = plateau.monitor or default_monitor("val_loss" in values)
            if monitor not in values:
                raise ValueError(
                    f"fit: ReduceLROnPlateau monitors '{monitor}', which is not among the values"
                )
            plateau.step(values[monitor])

    def finish(self, epochs: int, steps: int) -> None:
        """Bring every scheduler to where the fit ended."""
        done = steps if self.every_step else epochs
        for scheduler in self.closed:
            if done > 0:
                scheduler.step(scheduler.last_epoch + done)
