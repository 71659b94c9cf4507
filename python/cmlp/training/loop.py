"""The training loop as Python takes part in it: progress, schedules and callbacks after each epoch.

The core trains (or SciPy's L-BFGS does); :class:`TrainingLoop` is what every training calls between epochs
and steps. ``net.fit`` and the estimators are policies on it: they name the values of an epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from cmlp.training.history import History
    from cmlp.training.progress import Progress
    from cmlp.training.schedules import Schedules


class TrainingEvent(dict[str, Any]):
    """What a callback is called with: the values of an epoch or a step, by name.

    Attributes
    ----------
    model : Sequential, MLPClassifier or MLPRegressor
        What is trained.
    history : History or None
        Of ``net.fit``: the epochs so far, this one included.
    stopped : bool
        Whether a callback called :meth:`stop`.
    """

    def __init__(self, values: Mapping[str, Any], model: Any, history: History | None = None) -> None:
        super().__init__(values)
        self.model: Any = model
        self.history: History | None = history
        self.stopped: bool = False

    def stop(self) -> None:
        """End the training after this epoch or step, as a callback that returns False does."""
        self.stopped = True


Callback: TypeAlias = Callable[[TrainingEvent], Any]


def as_callbacks(given: Any, name: str = "callbacks") -> list[Callback]:
    """Return a list of functions: of one function, several, or None.

    Raises
    ------
    ValueError
        For something that is not a function.
    """
    if given is None:
        return []
    several = isinstance(given, Iterable) and not callable(given)
    callbacks = [getattr(one, "_as_callback", one) for one in (given if several else [given])]
    for callback in callbacks:
        if not callable(callback):
            raise ValueError(f"fit: {name} has {callback!r}, it must be a function of an epoch's values")
    return callbacks


def as_step_callbacks(given: Any, every_steps: int | None) -> list[Callback]:
    """Return a list of functions; they need to know after how many steps they are called."""
    callbacks = as_callbacks(given, "step_callbacks")
    if callbacks and not every_steps:
        raise ValueError(
            f"fit: step_callbacks are called every_steps steps, and every_steps is {every_steps}"
        )
    return callbacks


class TrainingLoop:
    """Progress, schedules and callbacks of one training, called in this order after each epoch.

    Parameters
    ----------
    model : Sequential, MLPClassifier or MLPRegressor
    progress : Progress
    schedules : Schedules, optional
    callbacks, step_callbacks : sequence of callables
        The training stops when one of them returns False (or another false value, not None) or calls
        ``event.stop()``; the others are called all the same.
    time_limit : float, optional
        Seconds, for a training whose minimiser does not know of a limit.
    """

    def __init__(
        self,
        model: Any,
        progress: Progress,
        schedules: Schedules | None = None,
        callbacks: Sequence[Callback] = (),
        step_callbacks: Sequence[Callback] = (),
        history: History | None = None,
        time_limit: float | None = None,
    ) -> None:
        self.model: Any = model
        self.progress: Progress = progress
        self.schedules: Schedules | None = schedules
        self.callbacks: Sequence[Callback] = callbacks
        self.step_callbacks: Sequence[Callback] = step_callbacks
        self.history = history
        self.time_limit = time_limit
        self.started: float = time.perf_counter()

    @property
    def observed(self) -> bool:
        """Whether there is anything to call after an epoch."""
        plateaus = self.schedules is not None and bool(self.schedules.plateaus)
        return self.progress.shown or plateaus or bool(self.callbacks)

    def epoch_end(self, values: Mapping[str, Any]) -> bool:
        """Show and pass on the values of an epoch; return False when the training is to stop."""
        event = TrainingEvent(values, self.model, self.history)
        self.progress.epoch_end(event)
        if self.schedules is not None:
            self.schedules.epoch_end(event)
        return self._call(self.callbacks, event) and not self.out_of_time()

    def step_end(self, values: Mapping[str, Any]) -> bool:
        """Pass on the values of a step; return False when the training is to stop."""
        return self._call(self.step_callbacks, TrainingEvent(values, self.model, self.history))

    def out_of_time(self) -> bool:
        """Whether the time limit is over."""
        return self.time_limit is not None and self.seconds > self.time_limit

    @property
    def seconds(self) -> float:
        """Time since the training started."""
        return time.perf_counter() - self.started

    def close(self, epochs: int, steps: int) -> None:
        """Leave the progress as it is, and every scheduler where the training ended."""
        self.progress.close()
        if self.schedules is not None:
            self.schedules.finish(epochs, steps)

    @staticmethod
    def _call(callbacks: Sequence[Callback], event: TrainingEvent) -> bool:
        returned = [callback(event) for callback in callbacks]
        return not event.stopped and all(value is None or bool(value) for value in returned)
