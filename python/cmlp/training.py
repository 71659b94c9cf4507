"""The practical face of a network: fit, evaluate, predict, summary, and what surrounds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cmlp import _core
from cmlp._fitting import MetricLike, Metrics, Schedules, weighted_by_class
from cmlp.history import EarlyStopping, History
from cmlp.progress import ProgressBar

if TYPE_CHECKING:
    from cmlp._fitting import Rows, Scheduler
    from cmlp.nn.losses import Loss
    from cmlp.nn.module import Core
    from cmlp.optim import Optimizer

Callback = Callable[[dict[str, Any]], bool | None]


_NO_STOPPING: dict[str, Any] = {"monitor": "", "patience": 0, "min_delta": 0.0, "restore_best": False}


class Trainable:
    """The training methods of :class:`cmlp.nn.Sequential`."""

    history: History | None = None

    if TYPE_CHECKING:
        _core: Core
        _owner: Any
        _first: int
        _last: Any
        _standalone: Callable[[], Any]

        parameters: Callable[[], list[Any]]

    def train_step(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        criterion: Loss,
        optimizer: Optimizer,
        *,
        sample_weight: npt.ArrayLike | None = None,
        clip_grad_norm: float = 0.0,
        clip_grad_value: float = 0.0,
    ) -> float:
        """Do forward, loss, backward and update in one native call.

        The gradients are set, not added to; the result is the same as the explicit steps after
        ``zero_grad()``.

        Parameters
        ----------
        x : array (batch, in)
        y : array (batch, out) or (batch,)
        criterion : Loss
        optimizer : Optimizer
        sample_weight : array (batch,), optional
        clip_grad_norm : float, default 0
            Scale the gradients to this norm when theirs is larger; 0: off.
        clip_grad_value : float, default 0
            Bring each element of the gradients into [-clip_grad_value, clip_grad_value]; 0: off.

        Returns
        -------
        float
            The loss before the step.

        Raises
        ------
        NonFiniteError
            When the loss or a gradient is not finite; the weights are as before.
        """
        net = self._whole_core("train_step")  # the precisions have a function each, chosen by the arguments
        rule = _rule_for(optimizer, net)
        clips = (clip_grad_norm, clip_grad_value)
        value: float = _core.train_step(net, x, y, sample_weight, criterion._core, rule, *clips)
        return value

    def fit(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        loss: Loss | str,
        optimizer: Optimizer | str = "adam",
        epochs: int = 1,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: npt.ArrayLike | None = None,
        validation_data: tuple[npt.ArrayLike, ...] | None = None,
        validation_split: float = 0.0,
        early_stopping: EarlyStopping | None = None,
        metrics: Sequence[MetricLike] = (),
        callbacks: Sequence[Callback] = (),
        step_callbacks: Sequence[Callback] = (),
        every_steps: int = 0,
        clip_grad_norm: float = 0.0,
        clip_grad_value: float = 0.0,
        class_weight: str | Mapping[Any, float] | npt.ArrayLike | None = None,
        scheduler: Scheduler | Sequence[Scheduler] | None = None,
        scheduler_interval: str = "epoch",
        time_limit: float = 0.0,
        initial_epoch: int = 0,
        verbose: bool | str = "auto",
        seed: int = 0,
    ) -> History:
        """Train for whole epochs, natively and with the GIL released.

        Parameters
        ----------
        x : array (rows, in)
            Finite numbers; borrowed when of the network's dtype, converted once otherwise.
        y : array (rows, out), or (rows,)
            Class indices for losses that take them.
        loss : Loss or str
            A loss, or the name of one with its defaults.
        optimizer : Optimizer or str, default "adam"
            An optimizer over ``net.parameters()``, or the name of one with its defaults.
        epochs : int, default 1
        batch_size : int, default 32
            The last batch of an epoch may be smaller.
        shuffle : bool, default True
            A new order of the rows in each epoch, from ``seed`` and the epoch's number.
        sample_weight : array (rows,), optional
            Weight 2 is the row twice, 0 the row absent, in loss and metrics.
        validation_data : (x, y) or (x, y, sample_weight), optional
        validation_split : float, default 0
            Share of the rows held out at random (from ``seed``) when there are no ``validation_data``.
        early_stopping : EarlyStopping, optional
        metrics : sequence of str or callable
            Names of :func:`cmlp.metrics`; training values are over the epoch's batches as they were met. Or
            functions of (y, prediction) and, with sample weights, of these as a third argument; they go by
            their ``__name__`` and see all rows after the epoch, in evaluation mode.
        callbacks : sequence of callables
            Each is called after every epoch with a dict of its values; returning False stops.
        step_callbacks : sequence of callables
            Called after every ``every_steps`` steps with epoch, step, steps (an epoch) and loss; False stops.
        every_steps : int, default 0
            0: never.
        clip_grad_norm : float, default 0
            Scale the gradients of a step to this norm when theirs is larger; 0: off.
        clip_grad_value : float, default 0
            Then bring each element of the gradients into [-clip_grad_value, clip_grad_value]; 0: off.
        class_weight : "balanced", dict or array, optional
            Weight of each class, times that of the row; "balanced": rows / (classes * rows of the class). Of
            the training rows alone.
        scheduler : scheduler of :mod:`cmlp.optim.lr_scheduler`, or several, optional
            Over the same optimizer; they go on from where they are.
        scheduler_interval : "epoch" or "step", default "epoch"
            What a step of the schedulers is; ``ReduceLROnPlateau`` always waits for the end of an epoch.
        time_limit : float, default 0
            Seconds after which it stops between two steps; 0: none.
        initial_epoch : int, default 0
            Number of the first epoch; a continued fit shuffles as an uninterrupted one would.
        verbose : bool or "auto"
            A progress bar; "auto": in a terminal or a notebook.
        seed : int, default 0
            Of the shuffles and of the validation split.

        Returns
        -------
        History

        Raises
        ------
        ValueError
            For data or options that do not fit, naming the value and the rule.
        NonFiniteError
            When the loss or a gradient turns non-finite; the weights are the last finite ones.
        KeyboardInterrupt
            Ctrl-C ends it between two steps; the network and ``net.history`` are as after the last whole
            step.

        Examples
        --------
        >>> import numpy as np
        >>> from cmlp import nn, optim
        >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> y = np.array([0, 1, 1, 0])
        >>> net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2), seed=1)
        >>> adam = optim.Adam(net.parameters(), lr=0.05)
        >>> history = net.fit(x, y, loss="cross_entropy", optimizer=adam, epochs=100)
        >>> net.predict(x).argmax(axis=1).tolist()
        [0, 1, 1, 0]
        """
        net = self._whole_core("fit")
        criterion = _as_loss(loss)
        rule = _as_optimizer(optimizer, self)
        if validation_data is None and validation_split:
            x, y, sample_weight, validation_data = _split(x, y, sample_weight, validation_split, seed)
        validation = None if validation_data is None else (*validation_data, None)[:3]
        sample_weight = weighted_by_class(y, sample_weight, class_weight)
        schedules = Schedules(scheduler, scheduler_interval, rule)
        measures = Metrics(metrics)
        stopping = vars(early_stopping) if early_stopping else _NO_STOPPING
        if step_callbacks and every_steps == 0:
            raise ValueError("fit: step_callbacks are called every_steps steps, and every_steps is 0")
        history = self.history = History()
        history.monitor = stopping["monitor"] or ("loss" if validation is None else "val_loss")
        options = {
            "epochs": epochs,
            "first_epoch": initial_epoch,
            "batch_size": batch_size,
            "shuffle": shuffle,
            "seed": seed,
            "clip_grad_norm": clip_grad_norm,
            "clip_grad_value": clip_grad_value,
            "courses": schedules.courses(max(epochs - initial_epoch, 0), -(-len(x) // max(batch_size, 1)))  # type: ignore[arg-type]
            if schedules.all
            else [],
            "time_limit": time_limit,
            "every_steps": every_steps,
            "metrics": measures.native,
            **stopping,
        }
        bar = ProgressBar(epochs - initial_epoch, verbose)
        named = _Named(measures, self.predict, (x, y, sample_weight), validation)
        watchers = [bar.epoch_end, *callbacks, *([schedules.epoch_end] if schedules.plateaus else [])]
        heard = bar.shown or len(watchers) > 1 or measures.functions
        epoch_end = _joined(watchers, named) if heard else None
        step_end = _joined(list(step_callbacks), dict) if step_callbacks else None
        report: dict[str, Any] = {}
        history.stop = "interrupted"  # until it ends
        update = _rule_for(rule, net)
        try:
            _core.fit(
                net, x, y, sample_weight, criterion._core, update, options, validation,
                epoch_end, step_end, bar.poll if bar.shown else None, report,
            )  # fmt: skip
        finally:
            bar.close()
            _fill(history, report, named)
            schedules.finish(len(history.epoch), history.steps)
        history.stop = report["stop"]
        return history

    def evaluate(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        loss: Loss | str,
        metrics: Sequence[MetricLike] = (),
        sample_weight: npt.ArrayLike | None = None,
    ) -> dict[str, float]:
        """Return the loss and the metrics over all rows, in evaluation mode.

        Parameters
        ----------
        x, y, loss, metrics, sample_weight
            As in :meth:`fit`.

        Returns
        -------
        dict of str to float
            ``loss``, then each metric.

        Examples
        --------
        >>> from cmlp import nn
        >>> net = nn.Sequential(nn.Linear(1, 1, init="constant", init_settings={"value": 2.0}))
        >>> net.evaluate([[1.0], [2.0]], [2.0, 5.0], loss="mse", metrics=["mae"])
        {'loss': 0.5, 'mae': 0.5}
        """
        measures, criterion = Metrics(metrics), _as_loss(loss)._core
        core = self._standalone()._core
        values = _core.evaluate(core, x, y, sample_weight, criterion, measures.native)
        own = measures.measure(self.predict, (x, y, sample_weight))
        return {"loss": values[0], **measures.join(values[1:], own)}

    def predict(self, x: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the output for finite ``x`` (rows, in) in evaluation mode; many threads may ask at once.

        A row's result does not depend on the rows beside it, not by a bit.

        Raises
        ------
        ValueError
            For no rows, a wrong number of columns, or the first NaN or infinity in ``x``.
        """
        _core.check_finite(self._core, x, "predict")
        return self._core.predict(x, self._first, self._last)

    def summary(self) -> str:
        """Return a table of the layers with their output widths and parameters.

        Examples
        --------
        >>> from cmlp import nn
        >>> print(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).summary())
        layer      output  parameters
        -----------------------------
        0: Linear       3           9
        1: ReLU         3           0
        2: Linear       1           4
        -----------------------------
        13 parameters, float32
        """
        from cmlp.summary import summary_text

        return summary_text(self._standalone())

    def _whole_core(self, function: str) -> Any:
        """Return the core; raise ValueError for an inner network, which is only a part of it."""
        if self._owner is not None:
            raise ValueError(f"{function}: this network belongs to a larger one; call it on the whole")
        return self._core


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


def _as_loss(loss: Loss | str) -> Loss:
    from cmlp.nn.losses import Loss

    return Loss(loss) if isinstance(loss, str) else loss


def _as_optimizer(optimizer: Optimizer | str, net: Trainable) -> Optimizer:
    from cmlp.optim import Optimizer

    return Optimizer(net.parameters(), optimizer) if isinstance(optimizer, str) else optimizer


def _rule_for(optimizer: Optimizer, net: Core) -> Any:
    """Return the core's optimizer; raise ValueError when it is over parameters of the other precision."""
    single = isinstance(net, _core.Network32)
    if isinstance(optimizer._core, _core.Optimizer32) != single:
        own, other = ("float32", "float64") if single else ("float64", "float32")
        raise ValueError(f"{type(optimizer).__name__}: it is over {other} parameters, the network is {own}")
    return optimizer._core


def _split(
    x: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None, share: float, seed: int
) -> tuple[Any, Any, Any, tuple[Any, ...]]:
    """Return training x, y, weight and the validation data: a random part of the rows."""
    if not 0 < share < 1:
        raise ValueError(f"fit: validation_split is {share}, it must be in (0, 1)")
    x, y = np.asarray(x), np.asarray(y)
    weight = None if sample_weight is None else np.asarray(sample_weight)
    rows = len(x)
    held = max(1, round(rows * share))
    if held >= rows or len(y) != rows or (weight is not None and len(weight) != rows):
        raise ValueError(
            f"fit: validation_split {share} of {rows} rows leaves no row to train on, or y has others"
        )
    order = _core.permutation(rows, seed)
    train, test = np.sort(order[held:]), np.sort(order[:held])
    parts = [None if array is None else (array[train], array[test]) for array in (x, y, weight)]
    (x1, x2), (y1, y2) = parts[0], parts[1]  # type: ignore[misc]
    w1, w2 = parts[2] or (None, None)
    return x1, y1, w1, (x2, y2, w2)
