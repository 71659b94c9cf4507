"""The options of a training: frozen groups, handed to the core as one dict whose keys it checks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

ScheduledValues = tuple[str, int, list[float], bool]  # setting, group, values, whether each is for a step


@dataclass(frozen=True)
class Length:
    """How long a training lasts."""

    epochs: int = 1
    initial_epoch: int = 0
    time_limit: float | None = None
    every_steps: int | None = None  # steps from one call of the step callbacks to the next

    def __post_init__(self) -> None:
        for name in ("epochs", "initial_epoch"):
            value = getattr(self, name)
            if type(value) is not int and not isinstance(value, Integral):
                raise ValueError(f"fit: {name} is {value!r}, it must be an integer")


@dataclass(frozen=True)
class Batching:
    """How rows become batches."""

    batch_size: int = 32
    shuffle: bool = True
    drop_last: bool = False
    accumulate_steps: int | None = None
    mixup: float | None = None
    input_noise: float | None = None
    seed: int = 0


@dataclass(frozen=True)
class StepOptions:
    """What a step does beside following the gradient of the loss."""

    clip_grad_norm: float | None = None
    clip_grad_value: float | None = None
    l1: float | None = None
    l2: float | None = None
    max_norm: float | None = None
    penalty_per_row: bool = False


@dataclass(frozen=True)
class Stopping:
    """When a training ends early, and with which weights."""

    monitor: str = ""
    patience: int | None = None
    min_delta: float = 0.0
    restore_best: bool = False


@dataclass(frozen=True)
class Start:
    """Where an earlier fit ended that this one continues."""

    steps: int = 0
    best_epoch: int = -1  # of the monitored value, in the core's direction; -1: none
    best_value: float = math.nan
    best_weights: npt.NDArray[Any] = field(default_factory=lambda: np.empty(0))  # flat, as the core has them

    def to_core(self) -> tuple[int, int, float, list[float]]:
        """Return it as the core reads it."""
        return self.steps, self.best_epoch, self.best_value, self.best_weights.tolist()


@dataclass(frozen=True)
class FitOptions:
    """All options of a training that the core follows."""

    length: Length = field(default_factory=Length)
    batching: Batching = field(default_factory=Batching)
    step: StepOptions = field(default_factory=StepOptions)
    stopping: Stopping = field(default_factory=Stopping)
    start: Start = field(default_factory=Start)
    metrics: tuple[str, ...] = ()
    schedules: tuple[ScheduledValues, ...] = ()

    def to_core(self) -> dict[str, Any]:
        """Return them as the core reads them; None is "off"."""
        groups = (self.length, self.batching, self.step, self.stopping)
        values = {name: value for group in groups for name, value in vars(group).items()}
        values["start"] = self.start.to_core()
        return {**values, "metrics": list(self.metrics), "schedules": list(self.schedules)}
