"""When a fit stops early."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from numbers import Integral
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from cmlp import _core
from cmlp._foreign_names import refuse_arguments
from cmlp.training.monitor import Mode, check_mode, default_monitor, larger_is_better
from cmlp.training.options import Stopping

if TYPE_CHECKING:
    from cmlp.training.loop import Callback


class EarlyStopping:
    """Stops a fit when a value no longer improves; pass it as ``early_stopping=`` or among ``callbacks=``.

    Parameters
    ----------
    monitor : str, optional
        ``"loss"``, ``"val_loss"``, a metric or ``"val_"`` and a metric; by default ``"val_loss"`` where
        there are validation data, else ``"loss"``.
    patience : int, default 10
        Epochs without improvement before it stops.
    min_delta : float, default 0
        What counts as an improvement.
    restore_best : bool, default True
        End with the weights of the best epoch.
    mode : {"auto", "min", "max"}, default "auto"
        Whether smaller or larger values are better. "auto" knows it for the loss and for the metrics of
        :func:`cmlp.metrics`; a metric that is a function needs "min" or "max".

    Raises
    ------
    ValueError
        For a ``patience`` below 1, or another ``mode``.

    Examples
    --------
    >>> from cmlp import EarlyStopping
    >>> EarlyStopping(patience=5)
    EarlyStopping(monitor='', patience=5, min_delta=0.0, restore_best=True, mode='auto')
    """

    def __init__(
        self,
        monitor: str = "",
        patience: int = 10,
        min_delta: float = 0.0,
        restore_best: bool = True,
        mode: Mode = "auto",
        **unknown: Never,
    ) -> None:
        if unknown:
            refuse_arguments("EarlyStopping", unknown)
        if not patience >= 1:
            raise ValueError(f"EarlyStopping: patience is {patience}, it must be at least 1")
        check_mode(mode, "EarlyStopping")
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.restore_best = restore_best
        self.mode = mode

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"EarlyStopping({values})"


def as_early_stopping(given: EarlyStopping | bool | int | None) -> EarlyStopping | None:
    """Return the early stopping: True is one with its defaults, a number its patience, False and None none.

    Raises
    ------
    ValueError
        For anything else.
    """
    if given is None or isinstance(given, EarlyStopping):
        return given
    value: Any = given
    if isinstance(value, bool | np.bool_):
        return EarlyStopping() if value else None
    if isinstance(value, Integral):
        return EarlyStopping(patience=int(value))
    raise ValueError(f"fit: early_stopping is {given!r}, it must be an EarlyStopping, True or the patience")


def monitored_in_python(
    stopping: EarlyStopping | None, functions: Collection[str], validated: bool
) -> tuple[str, float] | None:
    """Return a value that Python compares in place of the core: its name and its factor; else None.

    Times the factor, it improves in the direction of the value that :func:`stopping_options` names to the
    core, which compares the metrics of :func:`cmlp.metrics` by itself where ``mode`` has their direction.

    Parameters
    ----------
    functions : collection of str
        Names of the metrics that are functions.
    validated : bool
        Whether there are validation data.

    Raises
    ------
    ValueError
        For a name of no value, and for a function whose direction ``mode`` does not say.
    """
    if stopping is None:
        return None
    name, mode = stopping.monitor or default_monitor(validated), stopping.mode
    measure = name.removeprefix("val_")
    if measure in functions:
        if measure != name and not validated:
            raise ValueError(f"fit: monitor is '{name}', but there are no validation data")
        return name, -1.0 if larger_is_better(name, mode, "EarlyStopping") else 1.0
    larger = measure != "loss" and _core.larger_is_better(measure)
    return None if mode == "auto" or larger == (mode == "max") else (name, -1.0)


def stopping_options(stopping: EarlyStopping | None, functions: Collection[str]) -> Stopping:
    """Return it as the core's options; the core knows no metrics that are functions."""
    if stopping is None:
        return Stopping()
    name = stopping.monitor or ""
    name = "" if name.removeprefix("val_") in functions else name
    return Stopping(name, stopping.patience, stopping.min_delta, stopping.restore_best)


def take_early_stopping(
    callbacks: Any, early_stopping: EarlyStopping | bool | int | None
) -> tuple[Any, EarlyStopping | None]:
    """Return the callbacks without the EarlyStopping among them, and the one there is.

    Raises
    ------
    ValueError
        Where there are two.
    """
    given = [callbacks] if isinstance(callbacks, EarlyStopping) else callbacks
    stopping = as_early_stopping(early_stopping)
    if callable(given) or not isinstance(given, Iterable):
        return given, stopping
    others: list[Callback] = []
    for callback in given:
        if not isinstance(callback, EarlyStopping):
            others.append(callback)
        elif stopping is None:
            stopping = callback
        else:
            raise ValueError("fit: there are two EarlyStopping, in early_stopping= and in callbacks=")
    return others, stopping
