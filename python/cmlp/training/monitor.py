"""A value that is compared from epoch to epoch, and which direction is better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from cmlp import _core

Mode: TypeAlias = Literal["auto", "min", "max"]


def check_mode(mode: str, what: str) -> None:
    """Raise ValueError unless it is a direction."""
    if mode not in ("auto", "min", "max"):
        raise ValueError(f"{what}: mode is {mode!r}; choose from auto, min, max")


def larger_is_better(monitor: str, mode: Mode, what: str) -> bool:
    """Return whether larger values of ``monitor`` are better.

    Raises
    ------
    ValueError
        For "auto" and a value that is neither a loss nor a metric of :func:`cmlp.metrics`.
    """
    if mode != "auto":
        return mode == "max"
    name = monitor.removeprefix("val_")
    if name == "loss":
        return False
    if name not in [row["name"] for row in _core.metrics()]:
        raise ValueError(
            f"{what}: monitor is '{monitor}', a function or another value without a direction: say with"
            " mode='min' or mode='max' what is better"
        )
    return _core.larger_is_better(name)


def default_monitor(validated: bool) -> str:
    """Return the default of the monitored value, with validation data or without."""
    return "val_loss" if validated else "loss"


class BestValue:
    """Keeps the best of a monitored value.

    Parameters
    ----------
    monitor : str
        A name among the values of an epoch; "": "val_loss" where there is one, else "loss".
    mode : {"auto", "min", "max"}
    what : str
        What begins the messages.
    """

    def __init__(self, monitor: str, mode: Mode, what: str) -> None:
        check_mode(mode, what)
        self.monitor: str = monitor
        self.mode: Mode = mode
        self.what: str = what
        self.value: float = math.nan

    def improves(self, values: Mapping[str, Any]) -> bool:
        """Take the values of an epoch; return whether the monitored one is the best so far."""
        name = self.monitor or default_monitor("val_loss" in values)
        if name not in values:
            raise ValueError(f"{self.what}: monitor is '{name}', the values are {', '.join(values)}")
        value = float(values[name])
        larger = larger_is_better(name, self.mode, self.what)
        if not math.isnan(self.value) and not (value > self.value if larger else value < self.value):
            return False
        self.value = value
        return not math.isnan(value)
