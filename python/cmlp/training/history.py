"""What a fit did, and when it should stop early."""

from __future__ import annotations

import math
from typing import Any


class History:
    """What a fit did, epoch by epoch.

    Attributes
    ----------
    history : dict of str to list of float
        ``loss``, each metric, ``val_`` forms of both where there were validation data, ``lr`` and
        ``seconds``.
    epoch : list of int
    best_epoch : int or None
        Of the monitored value; None before the first.
    stop : str
        Why it ended: completed, early_stopping, time_limit, callback, converged or interrupted.
    steps : int
        Steps taken.
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}
        self.best_epoch: int | None = None
        self.best_value = math.nan
        self.monitor = "loss"
        self.stop = "completed"
        self.steps = 0

    def _add(self, epoch: int, values: dict[str, float]) -> None:
        self.epoch.append(epoch)
        for key, value in values.items():
            self.history.setdefault(key, []).append(value)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, lists and strings."""
        best = None if math.isnan(self.best_value) else self.best_value
        return {**self.__dict__, "best_value": best}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> History:
        """Return the history that :meth:`to_dict` wrote."""
        history = cls()
        try:
            series = {str(key): [float(x) for x in column] for key, column in values["history"].items()}
            history.epoch, history.history = [int(epoch) for epoch in values["epoch"]], series
            history.best_epoch, best = values["best_epoch"], values["best_value"]
            history.best_value = math.nan if best is None else float(best)
            history.monitor, history.stop = str(values["monitor"]), str(values["stop"])
            history.steps = int(values["steps"])
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"History.from_dict: this is not what to_dict wrote: {error!r}") from None
        return history

    def __repr__(self) -> str:
        last = ", ".join(f"{key}={values[-1]:.4g}" for key, values in self.history.items())
        return f"History({len(self.epoch)} epochs, {self.stop}; {last})"


class EarlyStopping:
    """Stops a fit when a value no longer improves; pass it as ``early_stopping=``.

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

    Examples
    --------
    >>> from cmlp import EarlyStopping
    >>> EarlyStopping(patience=5)
    EarlyStopping(monitor='', patience=5, min_delta=0.0, restore_best=True)
    """

    def __init__(
        self, monitor: str = "", patience: int = 10, min_delta: float = 0.0, restore_best: bool = True
    ) -> None:
        if patience < 1:
            raise ValueError(f"EarlyStopping: patience is {patience}, it must be at least 1")
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.restore_best = restore_best

    def __repr__(self) -> str:
        return (
            f"EarlyStopping(monitor={self.monitor!r}, patience={self.patience}, min_delta={self.min_delta}, "
            f"restore_best={self.restore_best})"
        )
