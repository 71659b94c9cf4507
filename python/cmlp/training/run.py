"""One call of ``net.fit``: the core trains, the loop is called, the history is filled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy.typing as npt

from cmlp import _core
from cmlp._sparse import row_count
from cmlp.training.history import History

if TYPE_CHECKING:
    from cmlp.nn.losses import Loss
    from cmlp.nn.module import Core
    from cmlp.optim import Optimizer
    from cmlp.optim.full_batch import FullBatch
    from cmlp.training.data import FitRows
    from cmlp.training.loop import TrainingLoop
    from cmlp.training.metrics import Metrics
    from cmlp.training.options import FitOptions

    Rule: TypeAlias = Optimizer | FullBatch

Order = Callable[[int], npt.ArrayLike]  # the rows of an epoch, in the order to train on them


def as_loss(loss: Loss | str) -> Loss:
    """Return the loss, or the one of that name with its defaults."""
    from cmlp.nn.losses import Loss

    return Loss(loss) if isinstance(loss, str) else loss


def as_optimizer(optimizer: Rule | str, net: Any) -> Rule:
    """Return the optimizer, or one of that name over all parameters."""
    from cmlp.optim import Optimizer, full_batch

    if not isinstance(optimizer, str):
        return optimizer
    parameters = net.parameters()
    return full_batch.named(optimizer, parameters) or Optimizer(parameters, optimizer)


def rule_for(optimizer: Rule, net: Core, full_batch: bool = True) -> Any:
    """Return the core's optimizer; ``full_batch``: it may be one that takes all rows at once.

    Raises ValueError when it may not, or when it is over parameters of the other precision.
    """
    name, core = type(optimizer).__name__, optimizer._core
    if not full_batch and isinstance(core, _core.FullBatch32 | _core.FullBatch64):
        raise ValueError(f"train_step: {name} sees all rows at once and has no step of one batch; use fit")
    single = isinstance(net, _core.Network32)
    if isinstance(core, _core.Optimizer32 | _core.FullBatch32) != single:
        own, other = ("float32", "float64") if single else ("float64", "float32")
        raise ValueError(f"{name}: it is over {other} parameters, the network is {own}")
    return core


def batch_rows(batch_size: int | None, optimizer: Rule, x: Any) -> int:
    """Return the rows of a batch: 32 by default, or all for an optimizer that takes all at once."""
    from cmlp.optim.full_batch import FullBatch

    if batch_size is not None:
        return batch_size
    return max(row_count(x), 1) if isinstance(optimizer, FullBatch) else 32


class TrainingRun:
    """One call of ``net.fit``.

    Parameters
    ----------
    loop : TrainingLoop
        Called after each epoch.
    rows, held_out : FitRows, FitRows or None
    metrics : Metrics
    monitored : (str, float), optional
        A value that early stopping compares in Python (a function among the metrics, say), and 1 where
        smaller ones are better, -1 where larger ones are.
    """

    def __init__(
        self,
        loop: TrainingLoop,
        rows: FitRows,
        held_out: FitRows | None,
        metrics: Metrics,
        monitored: tuple[str, float] | None = None,
    ) -> None:
        self.loop: TrainingLoop = loop
        self.rows: FitRows = rows
        self.held_out: FitRows | None = held_out
        self.metrics: Metrics = metrics
        self.monitored = monitored
        self.sign: float = (
            1.0 if monitored is None else monitored[1]
        )  # of the best value in the core's records
        self.history: History = History() if loop.history is None else loop.history

    def __call__(self, loss: Loss, rule: Any, options: FitOptions, order: Order | None) -> None:
        """Train; the history is filled however it ends."""
        loop, report, fit = self.loop, {}, _core.fit  # type: tuple[TrainingLoop, dict[str, Any], Any]
        self.history.stop = "running"
        try:
            fit(
                self.rows.net, self.rows.native, loss._core, rule, options.to_core(),
                None if self.held_out is None else self.held_out.native,
                self._epoch_end if loop.observed or self.metrics.functions else None,
                loop.step_end if loop.step_callbacks else None,
                loop.progress.poll if loop.progress.shown else None,
                order, None if self.monitored is None else self._monitored, report,
            )  # fmt: skip
            self.history.stop = report["stop"]
        finally:
            self._finish(report)

    def _monitored(self, record: Mapping[str, Any]) -> float:
        """Return the monitored value of an epoch, smaller is better."""
        name = self.monitored[0] if self.monitored else ""
        return self.sign * float(self._add(record)[name])

    def _epoch_end(self, record: Mapping[str, Any]) -> bool:
        self._set_progress(record, record["steps_done"])
        return self.loop.epoch_end(self._add(record))

    def _finish(self, report: dict[str, Any]) -> None:
        """Take what was not delivered epoch by epoch."""
        history = self.history
        for record in report.get("epochs", ()):
            self._add(record)
        self._set_progress(report, report.get("steps", 0))
        history.stop = "interrupted" if history.stop == "running" else history.stop
        history.total_seconds = self.loop.seconds
        self.loop.close(len(history.epoch), history.steps)

    def _set_progress(self, record: Mapping[str, Any], steps: int) -> None:
        self.history._set_best(record, self.sign)
        self.history.steps = steps
        self.history.total_seconds = self.loop.seconds

    def _add(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Add an epoch to the history, unless it is there, and return its values by name."""
        if self.history.epoch[-1:] == [record["epoch"]]:
            return {"epoch": record["epoch"], **{name: column[-1] for name, column in self.history.items()}}
        values = {"loss": record["loss"], **self._measured(record["metrics"], self.rows)}
        if self.held_out is not None:
            own = self._measured(record["val_metrics"], self.held_out)
            values |= {
                "val_loss": record["val_loss"],
                **{f"val_{name}": value for name, value in own.items()},
            }
        values |= {"lr": record["lr"], "seconds": record["seconds"]}
        self.history._add(record["epoch"], values)
        return {"epoch": record["epoch"], **values}

    def _measured(self, native: Sequence[float], rows: FitRows) -> dict[str, float]:
        return self.metrics.join(native, self.metrics.measure(rows))
