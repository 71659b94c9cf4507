"""What fit does around the core's loop: callbacks joined, epochs named, the history filled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy.typing as npt

from cmlp import _core
from cmlp._sparse import row_count
from cmlp.training.history import EarlyStopping, History
from cmlp.training.metrics import Metrics
from cmlp.training.progress import ProgressBar
from cmlp.training.schedules import Course, Schedules

if TYPE_CHECKING:
    from cmlp.nn.losses import Loss
    from cmlp.nn.module import Core
    from cmlp.optim import Optimizer
    from cmlp.optim.full_batch import FullBatch
    from cmlp.training.data import FitData, Rows

    Rule: TypeAlias = Optimizer | FullBatch

Callback = Callable[[dict[str, Any]], bool | None]
Order = Callable[[int], npt.ArrayLike]  # the rows of an epoch, in the order to meet them
_NO_STOPPING: dict[str, Any] = {"monitor": "", "patience": 0, "min_delta": 0.0, "restore_best": False}


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


def rule_for(optimizer: Rule, net: Core, whole: bool = True) -> Any:
    """Return the core's optimizer; ``whole``: it may be one that sees all rows at once.

    Raises ValueError when it may not, or when it is over parameters of the other precision.
    """
    name, core = type(optimizer).__name__, optimizer._core
    if not whole and isinstance(core, _core.FullBatch32 | _core.FullBatch64):
        raise ValueError(f"train_step: {name} sees all rows at once and has no step of one batch; use fit")
    single = isinstance(net, _core.Network32)
    if isinstance(core, _core.Optimizer32 | _core.FullBatch32) != single:
        own, other = ("float32", "float64") if single else ("float64", "float32")
        raise ValueError(f"{name}: it is over {other} parameters, the network is {own}")
    return core


def batch_rows(batch_size: int | None, optimizer: Rule, x: Any) -> int:
    """Return the rows of a batch where none were asked for: 32, or all for a rule that sees all at once."""
    from cmlp.optim.full_batch import FullBatch

    if batch_size is not None:
        return batch_size
    return max(row_count(x), 1) if isinstance(optimizer, FullBatch) else 32


class Run:
    """One fit: what it is given, who watches it, and what becomes of both."""

    def __init__(
        self, predict: Any, data: FitData, options: dict[str, Any], schedules: Schedules, metrics: Metrics,
        stopping: EarlyStopping | None,
    ) -> None:  # fmt: skip
        self.data = data
        self.schedules = schedules
        self.metrics = metrics
        self.history = History()
        stop = vars(stopping) if stopping else _NO_STOPPING
        self.history.monitor = stop["monitor"] or ("loss" if data.validation is None else "val_loss")
        self.named = _Named(metrics, predict, (data.x, data.y, data.weight), data.validation)
        self.options = {**options, **stop, "metrics": metrics.native, "courses": self._courses(options)}

    def _courses(self, options: dict[str, Any]) -> list[Course]:
        if not self.schedules.all:
            return []
        rows = max(options["batch_size"], 1) * max(options["accumulate_steps"], 1)  # a step
        epochs = max(options["epochs"] - options["first_epoch"], 0)
        return self.schedules.courses(epochs, -(-row_count(self.data.x) // rows))

    def __call__(
        self, net: Core, criterion: Loss, rule: Any, bar: ProgressBar,
        callbacks: Sequence[Callback], step_callbacks: Sequence[Callback], order: Order | None,
    ) -> None:  # fmt: skip
        """Train; the history is filled however it ends."""
        plateaus = [self.schedules.epoch_end] if self.schedules.plateaus else []
        watchers = [bar.epoch_end, *callbacks, *plateaus]
        heard = bar.shown or len(watchers) > 1 or self.metrics.functions
        epoch_end = _joined(watchers, self.named) if heard else None
        step_end = _joined(list(step_callbacks), dict) if step_callbacks else None
        report: dict[str, Any] = {}
        self.history.stop = "interrupted"  # until it ends
        data = self.data
        try:
            _core.fit(
                net, data.x, data.y, data.weight, criterion._core, rule, self.options, data.validation,
                epoch_end, step_end, bar.poll if bar.shown else None, order, report,
            )  # fmt: skip
        finally:
            bar.close()
            _fill(self.history, report, self.named)
            self.schedules.finish(len(self.history.epoch), self.history.steps)
        self.history.stop = report["stop"]


class _Named:
    """Turns the core's record of an epoch into values by name; measures what the core does not."""

    def __init__(self, metrics: Metrics, predict: Any, train: Rows, validation: Any) -> None:
        self.metrics = metrics
        self.predict = predict
        self.train = train
        self.validation = validation
        self.seen: dict[int, dict[str, Any]] = {}

    def __call__(self, record: dict[str, Any]) -> dict[str, Any]:
        epoch = record["epoch"]
        if epoch not in self.seen:
            self.seen[epoch] = self._values(record)
        return dict(self.seen[epoch])

    def _values(self, record: dict[str, Any]) -> dict[str, Any]:
        values = {"epoch": record["epoch"], "loss": record["loss"]}
        values.update(self._joined(record["metrics"], self.train))
        if self.validation is not None:
            values["val_loss"] = record["val_loss"]
            own = self._joined(record["val_metrics"], self.validation)
            values.update({f"val_{name}": value for name, value in own.items()})
        return {**values, "lr": record["lr"], "seconds": record["seconds"]}

    def _joined(self, native: Sequence[float], rows: Rows) -> dict[str, float]:
        return self.metrics.join(native, self.metrics.measure(self.predict, rows))


def _joined(functions: list[Callback], named: Callable[[dict[str, Any]], dict[str, Any]]) -> Callback:
    """Return one callback that calls all and is False when one of them is."""

    def call(record: dict[str, Any]) -> bool:
        values = named(record)
        answers = [function(values) for function in functions]
        return not any(answer is False for answer in answers)

    return call


def _fill(history: History, report: dict[str, Any], named: _Named) -> None:
    for record in report.get("epochs", []):
        values = named(record)
        history._add(values.pop("epoch"), values)
    if report.get("best_epoch", -1) >= 0:
        history.best_epoch, history.best_value = report["best_epoch"], report["best_value"]
    history.steps = report.get("steps", 0)
