"""When a fit stops early."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Never

from cmlp._foreign_names import refuse_arguments
from cmlp.training.monitor import Mode, check_mode, larger_is_better
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
    if isinstance(given, bool):
        return EarlyStopping() if given else None
    if isinstance(given, int):
        return EarlyStopping(patience=given)
    raise ValueError(f"fit: early_stopping is {given!r}, it must be an EarlyStopping, True or the patience")


def monitored_in_python(
    stopping: EarlyStopping | None, functions: Collection[str]
) -> tuple[str, float] | None:
    """Return the name and the sign of a value that the core does not compare by itself, else None.

    Parameters
    ----------
    functions : collection of str
        Names of the metrics that are functions.
    """
    if stopping is None or not stopping.monitor:
        return None
    name, mode = stopping.monitor, stopping.mode
    own = name.removeprefix("val_") in functions
    if not own and (mode == "auto" or larger_is_better(name, "auto", "EarlyStopping") == (mode == "max")):
        return None
    return name, -1.0 if larger_is_better(name, mode, "EarlyStopping") else 1.0


def stopping_options(stopping: EarlyStopping | None, monitored: tuple[str, float] | None) -> Stopping:
    """Return it as the core's options."""
    if stopping is None:
        return Stopping()
    name = "" if monitored else stopping.monitor
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
