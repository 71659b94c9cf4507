"""What a fit did."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_FIELDS = ("epoch", "best_epoch", "best_value", "monitor", "stop", "steps", "total_seconds")


class History(dict[str, list[float]]):
    """What a fit did, epoch by epoch: a dict of columns, one value an epoch.

    ``history["loss"]`` is a column and ``pandas.DataFrame(history)`` a table. The columns are ``loss``, each
    metric, ``val_`` forms of both where there were validation data, ``lr`` and ``seconds`` (of that epoch).

    Attributes
    ----------
    history : dict of str to list of float
        The columns, one value for each epoch that came to its end. ``loss`` and the training metrics are over
        the batches, each with the weights before its step; a loss that is a sum is one over all rows.
    epoch : list of int
        The numbers of the epochs.
    best_epoch : int or None
        Of the monitored value; None before the first.
    best_value : float
        The monitored value of that epoch; nan before the first. With early stopping it is that of the
        network's weights after the epoch: a training loss or metric is measured again, as ``evaluate`` does.
    monitor : str
        The name of the monitored value.
    stop : str
        Why it ended: completed, early_stopping, time_limit, callback, converged or interrupted; "running"
        until then.
    steps : int
        Steps taken, also those of an epoch that a stop cut short.
    total_seconds : float
        Time of the fit, validation and callbacks included.

    Examples
    --------
    >>> from cmlp import nn
    >>> net = nn.Sequential(nn.Linear(1, 1), seed=0)
    >>> history = net.fit([[0.0], [1.0]], [1.0, 3.0], loss="mse", epochs=3)
    >>> len(history["loss"]), history.stop
    (3, 'completed')
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.best_epoch: int | None = None
        self.best_value: float = math.nan
        self.monitor = "loss"
        self.stop = "completed"
        self.steps = 0
        self.total_seconds: float = 0.0

    @property
    def history(self) -> dict[str, list[float]]:
        """The columns."""
        return self

    def _add(self, epoch: int, values: dict[str, float]) -> None:
        self.epoch.append(epoch)
        for key, value in values.items():
            self.setdefault(key, []).append(value)

    def _set_best(self, record: Mapping[str, Any], sign: float = 1.0) -> None:
        """Take the best epoch from a record of the core; -1: there is none."""
        if record.get("best_epoch", -1) >= 0:
            self.best_epoch = record["best_epoch"]
            self.best_value = sign * record["best_value"]

    def plot(self, *, ax: Any = None, log: bool = True) -> Any:
        """Draw the losses over the epochs: :func:`cmlp.plot.loss_curve`.

        Returns
        -------
        matplotlib Axes
        """
        from cmlp.plot import loss_curve

        return loss_curve(self, ax=ax, log=log)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, lists and strings."""
        fields = {name: getattr(self, name) for name in _FIELDS}
        best = None if math.isnan(self.best_value) else self.best_value
        return {**fields, "history": dict(self), "best_value": best}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> History:
        """Return the history that :meth:`to_dict` wrote."""
        history = cls()
        try:
            history.update(
                {str(key): [float(x) for x in column] for key, column in values["history"].items()}
            )
            history.epoch = [int(epoch) for epoch in values["epoch"]]
            history.best_epoch, best = values["best_epoch"], values["best_value"]
            history.best_value = math.nan if best is None else float(best)
            history.monitor, history.stop = str(values["monitor"]), str(values["stop"])
            history.steps = int(values["steps"])
            history.total_seconds = float(values.get("total_seconds", sum(history.get("seconds", ()))))
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"History.from_dict: this is not what to_dict wrote: {error!r}") from None
        return history

    def __repr__(self) -> str:
        last = ", ".join(f"{key}={self[key][-1]:.4g}" for key in self if key not in ("lr", "seconds"))
        return f"History({len(self.epoch)} epochs in {self.total_seconds:.3g} s, {self.stop}; {last})"
