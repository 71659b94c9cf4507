"""The schedules of a fit: the scheduled values of settings, and plateaus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from cmlp.training.monitor import default_monitor
from cmlp.training.options import FitOptions, ScheduledValues

if TYPE_CHECKING:
    from cmlp.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
    from cmlp.training.data import FitRows

    Scheduler: TypeAlias = LRScheduler | ReduceLROnPlateau


# Of a scheduler's state: what is computed from the rest, and what changes from step to step.
_COMPUTED = ("_last_lr", "_reached")
_MOVING = (*_COMPUTED, "last_epoch", "best", "num_bad_epochs", "cooldown_counter", "_schedulers")


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

    def settings(self) -> list[Any]:
        """Return what each scheduler is, without where it stands."""
        states = [{**one.state_dict(), "type": type(one).__name__} for one in self.all]
        kept = [{key: value for key, value in each.items() if key not in _MOVING} for each in states]
        return [*kept, self.every_step] if kept else []

    def state_after(self, epochs: int, steps: int) -> list[dict[str, Any]]:
        """Return the states of the schedulers after so many epochs and steps of the fit."""
        done = steps if self.every_step else epochs
        states = []
        for one in self.all:
            state = {key: value for key, value in one.state_dict().items() if key not in _COMPUTED}
            if one in self.closed:
                state["last_epoch"] += done
            states.append(state)
        return states

    def restore(self, states: Sequence[Mapping[str, Any]]) -> None:
        """Take over such states; the optimizer's settings are its own state."""
        for one, state in zip(self.all, states, strict=True):
            one.load_state_dict(dict(state))

    def set_values(self) -> None:
        """Set the optimizer to where the schedulers stand, as the end of a fit does."""
        for scheduler in self.closed:
            if scheduler.last_epoch > 0:
                scheduler.step(scheduler.last_epoch)

    def finish(self, epochs: int, steps: int) -> None:
        """Bring every scheduler to where the fit ended."""
        done = steps if self.every_step else epochs
        for scheduler in self.closed:
            if done > 0:
                scheduler.step(scheduler.last_epoch + done)
