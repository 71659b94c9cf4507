"""One call of ``net.fit``: the core trains, the loop is called, the history is filled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy.typing as npt

from cmlp import _core
from cmlp._sparse import row_count
from cmlp.training.early_stopping import monitored_in_python, stopping_options
from cmlp.training.history import History
from cmlp.training.loop import TrainingLoop
from cmlp.training.monitor import default_monitor

if TYPE_CHECKING:
    from cmlp.nn.losses import Loss
    from cmlp.nn.module import Core
    from cmlp.optim import Optimizer
    from cmlp.optim.full_batch import FullBatch
    from cmlp.training.data import FitRows
    from cmlp.training.early_stopping import EarlyStopping
    from cmlp.training.loop import Callback
    from cmlp.training.metrics import Metrics
    from cmlp.training.options import FitOptions
    from cmlp.training.progress import Progress
    from cmlp.training.resume import FitCheckpoint
    from cmlp.training.schedules import Schedules

    Rule: TypeAlias = Optimizer | FullBatch

Order = Callable[[int], npt.ArrayLike]  # the rows of an epoch, in the order to train on them


def as_loss(loss: Loss | str) -> Loss:
    """Return the loss, or the one of that name with its defaults."""
    from cmlp.nn.losses import Loss

    return loss if isinstance(loss, Loss) else Loss(loss)


def as_optimizer(optimizer: Rule | str, net: Any) -> Rule:
    """Return the optimizer, or one of that name over all parameters."""
    from cmlp.optim.names import by_name

    return by_name(optimizer, net.parameters()) if isinstance(optimizer, str) else optimizer


_FULL_BATCH = (_core.FullBatch32, _core.FullBatch64)
_SINGLE = (_core.Optimizer32, _core.FullBatch32)


def rule_for(optimizer: Rule, net: Core, full_batch: bool = True) -> Any:
    """Return the core's optimizer; ``full_batch``: it may be one that takes all rows at once.

    Raises ValueError when it may not, or when it is over parameters of the other precision.
    """
    name, core = type(optimizer).__name__, optimizer._core
    if not full_batch and isinstance(core, _FULL_BATCH):
        rule = f"{name} sees all rows at once and has no step of one batch"
        raise ValueError(f"train_step: {rule}; use fit, or an optimizer that steps by batches")
    single = isinstance(net, _core.Network32)
    if isinstance(core, _SINGLE) != single:
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
    model : Sequential
    rows : (FitRows, FitRows or None)
        To train on, and held out.
    metrics : Metrics
    options : FitOptions
        Without what the other arguments add to them.
    stopping : EarlyStopping or None
    schedules : Schedules
    checkpoint : FitCheckpoint, optional
    """

    loop: TrainingLoop

    def __init__(
        self,
        model: Any,
        rows: tuple[FitRows, FitRows | None],
        metrics: Metrics,
        options: FitOptions,
        stopping: EarlyStopping | None,
        schedules: Schedules,
        checkpoint: FitCheckpoint | None = None,
    ) -> None:
        self.model: Any = model
        self.metrics: Metrics = metrics
        self.schedules: Schedules = schedules
        self.rows: FitRows = rows[0]
        self.held_out: FitRows | None = rows[1]
        validated = self.held_out is not None
        metrics.check_weights(*(part.weight for part in rows if part is not None))
        functions = metrics.functions
        self.monitored: tuple[str, float] | None = monitored_in_python(stopping, functions, validated)
        self.sign: float = 1.0 if self.monitored is None else self.monitored[1]  # of the core's best value
        stop = stopping_options(stopping, functions)
        options = replace(options, stopping=stop, metrics=tuple(metrics.native))
        self.options: FitOptions = schedules.added_to(options, self.rows)
        self.checkpoint: FitCheckpoint | None = checkpoint
        self.history: History = History() if checkpoint is None else checkpoint.history
        self.before: tuple[int, int] = len(self.history.epoch), options.start.steps  # of fits it continues
        self.seconds_before: float = self.history.total_seconds
        monitor = "" if stopping is None else stopping.monitor
        self.history.monitor = monitor or default_monitor(validated)

    def observe(
        self, progress: Progress, callbacks: Sequence[Callback], step_callbacks: Sequence[Callback]
    ) -> None:
        """Take what is called during the training; to be called once, before it."""
        self.loop = TrainingLoop(
            self.model, progress, self.schedules, callbacks, step_callbacks, self.history
        )

    def __call__(self, loss: Loss, rule: Any, order: Order | None) -> None:
        """Train; the history is filled however it ends, and the network's unless it is refused."""
        self.history.stop = "running"
        previous, self.model.history = self.model.history, self.history
        try:
            self._fit(loss, rule, order)
        except (TypeError, ValueError):
            if not self.history.steps:
                self.model.history = previous
            raise

    def _fit(self, loss: Loss, rule: Any, order: Order | None) -> None:
        loop, report, fit = self.loop, {}, _core.fit  # type: tuple[TrainingLoop, dict[str, Any], Any]
        try:
            fit(
                self.rows.net, self.rows.native, loss._core, rule, self.options.to_core(),
                None if self.held_out is None else self.held_out.native,
                self._epoch_end if self._is_observed() else None,
                loop.step_end if loop.step_callbacks else None,
                loop.progress.poll if loop.progress.shown else None,
                order, None if self.monitored is None else self._monitored, report,
            )  # fmt: skip
            self.history.stop = report["stop"]
        finally:
            self._finish(report)

    def _monitored(self, record: Mapping[str, Any]) -> float:
        """Return the monitored value of an epoch, in the core's direction."""
        name = self.monitored[0] if self.monitored else ""
        return self.sign * float(self._add(record)[name])

    def _epoch_end(self, record: Mapping[str, Any]) -> bool:
        self._set_progress(record, record["steps_done"])
        continues = self.loop.epoch_end(self._add(record))
        if self.checkpoint is not None:
            called = None if continues or record["ends"] in ("callback", "time_limit") else "callback"
            self.checkpoint.epoch_end(record, self.history, called or record["ends"], self.before)
        return continues

    def _is_observed(self) -> bool:
        """Whether Python has something to do after each epoch."""
        python = self.loop.observed or self.checkpoint is not None
        return python or bool(self.metrics.functions) or self.monitored is not None

    def _finish(self, report: dict[str, Any]) -> None:
        """Take what was not delivered epoch by epoch, without an epoch whose functions have raised."""
        history = self.history
        for record in () if self.metrics.functions else report.get("epochs", ()):
            self._add(record)
        self._set_progress(report, max(report.get("steps", 0), self.before[1]))
        history.stop = "interrupted" if history.stop == "running" else history.stop
        self.loop.close(len(history.epoch) - self.before[0], history.steps - self.before[1])

    def _set_progress(self, record: Mapping[str, Any], steps: int) -> None:
        self.history._set_best(record, self.sign)
        self.history.steps = steps
        self.history.total_seconds = self.seconds_before + self.loop.seconds

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
