"""Training of one network for a table: the best epoch is kept, also when Ctrl-C or a time limit ends it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cmlp import nn

Metric = Callable[[NDArray[Any], NDArray[Any], NDArray[np.float64] | None], float]
Observer = Callable[[int, dict[str, float]], bool | None]


class Rows(NamedTuple):
    """Inputs, targets, and weights or None."""

    x: Any
    y: NDArray[Any]
    weight: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Outcome:
    """How a training went.

    Parameters
    ----------
    history : dict of list
        One value an epoch, by name.
    best_epoch : int
        The epoch whose weights the network has, counted from 1.
    best_value : float
        Its monitored value: the lower the better.
    seconds : float
        Time in training.
    end : str
        Why it ended: ``epochs``, ``patience``, ``time`` or ``Ctrl-C``.
    """

    history: dict[str, list[float]]
    best_epoch: int
    best_value: float
    seconds: float
    end: str

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C stopped it."""
        return self.end == "Ctrl-C"


class BestEpoch:
    """Keeps the weights of the best epoch, the later of equal ones, and reports each epoch to an observer.

    Parameters
    ----------
    net : cmlp.nn.Sequential
        The network in training.
    observer : callable
        Called with the epoch (from 1) and its values by name; False ends the training.
    patience : int
        Epochs without improvement before training stops; 0: never.
    validated : bool
        Whether there are validation rows; otherwise the last epoch is the best.
    value : callable, optional
        The monitored value, the lower the better; by default the validation loss.
    """

    def __init__(
        self,
        net: nn.Sequential,
        observer: Observer,
        patience: int,
        validated: bool,
        value: Callable[[], float] | None = None,
    ) -> None:
        self._net, self._observer, self._patience = net, observer, patience
        self._validated, self._value = validated, value
        self.epoch, self.value, self.end = 0, float("inf"), "patience"
        self._weights: dict[str, NDArray[Any]] = {}

    def epoch_end(self, values: dict[str, Any]) -> bool:
        """Compare an epoch with the best one; False stops the training."""
        epoch = values["epoch"] + 1
        value = self._value() if self._value else values.get("val_loss", values["loss"])
        if not self._validated or value <= self.value:
            self.epoch, self.value = epoch, value
            self._weights = self._net.state_dict()
        shown = {name: values[name] for name in values if name.endswith(("loss", "accuracy"))}
        if self._observer(epoch, shown) is False:
            self.end = "Ctrl-C"
            return False
        return not (self._validated and self._patience) or epoch - self.epoch < self._patience

    def restore(self) -> None:
        """Set the network to the weights of the best epoch."""
        self._net.load_state_dict(self._weights)


class NoModelError(RuntimeError):
    """Training ended in its first epoch, before there was a model.

    Parameters
    ----------
    message : str
        Why.
    interrupted : bool
        Whether Ctrl-C ended it.
    """

    def __init__(self, message: str, interrupted: bool = False) -> None:
        super().__init__(message)
        self.interrupted = interrupted


@dataclass(frozen=True)
class Plan:
    """How a network is trained.

    Parameters
    ----------
    loss : cmlp.nn.losses.Loss
        The loss.
    optimizer : Optimizer
        Over the network's parameters.
    schedulers : sequence
        Of the optimizer, a step an update.
    epochs, batch_size : int
        At most so many passes over the rows; rows a step.
    patience : int
        Epochs without improvement before it stops; 0: never.
    seed : int
        Of the shuffles and the dropout.
    """

    loss: Any
    optimizer: Any
    schedulers: Sequence[Any]
    epochs: int
    batch_size: int
    patience: int = 0
    seed: int = 0


def fit_network(
    net: nn.Sequential,
    train: Rows,
    validation: Rows | None,
    plan: Plan,
    *,
    observer: Observer = lambda epoch, values: None,
    metric: Metric | None = None,
    time_limit: float | None = None,
    n_threads: int | None = None,
) -> Outcome:
    """Train a network; it ends with the weights of its best epoch.

    Parameters
    ----------
    net : cmlp.nn.Sequential
        The network.
    train, validation : Rows
        The rows; without validation rows the last epoch is the best.
    plan : Plan
        How to train.
    observer : callable
        Called after each epoch with its number (from 1) and its values; False ends the training.
    metric : callable, optional
        Of (targets, outputs, weights) of the validation rows, the lower the better: chooses the epoch instead
        of the loss.
    time_limit : float
        Seconds.
    n_threads : int, optional
        As in ``net.fit``.

    Returns
    -------
    Outcome
        How it went.

    Raises
    ------
    NoModelError
        If it was stopped before the first epoch was complete.
    cmlp.NonFiniteError
        If the loss is no longer finite.
    """
    start, end = time.perf_counter(), "epochs"
    value = None
    if metric is not None and validation is not None:
        value = lambda: metric(validation.y, net.predict(validation.x), validation.weight)  # noqa: E731
    best = BestEpoch(net, observer, plan.patience, validation is not None, value)
    try:
        history = net.fit(
            train.x,
            train.y,
            loss=plan.loss,
            optimizer=plan.optimizer,
            scheduler=list(plan.schedulers) or None,
            scheduler_interval="step",
            epochs=plan.epochs,
            batch_size=plan.batch_size,
            drop_last=bool(plan.schedulers),
            sample_weight=train.weight,
            validation_data=None if validation is None else tuple(v for v in validation if v is not None),
            callbacks=[best.epoch_end],
            verbose=False,
            seed=plan.seed,
            time_limit=time_limit,
            n_threads=n_threads,
            metrics=["accuracy"] if isinstance(plan.loss, nn.CrossEntropyLoss) else None,
        )
        end = {"time_limit": "time", "callback": best.end}.get(history.stop, "epochs")
    except KeyboardInterrupt:
        end = "Ctrl-C"
    if not best.epoch or net.history is None:
        why = "the time limit is over" if end == "time" else "stopped"
        raise NoModelError(f"{why} before the first epoch was over", interrupted=end == "Ctrl-C")
    best.restore()
    return Outcome(net.history.history, best.epoch, best.value, time.perf_counter() - start, end)


def describe_end(outcome: Outcome, patience: int) -> str:
    """Say in a line how long a training took and why it ended."""
    why = {
        "epochs": "all epochs done",
        "patience": f"no improvement for {patience} epochs",
        "time": "the time limit is reached",
        "Ctrl-C": "stopped by Ctrl-C",
    }[outcome.end]
    epochs = len(outcome.history["loss"])
    return f"trained {epochs} epochs in {outcome.seconds:.1f} s ({why}); kept epoch {outcome.best_epoch}"


def training_record(outcome: Outcome) -> dict[str, Any]:
    """What a model file keeps of a training, as JSON types."""
    history = outcome.history
    losses = history.get("val_loss", history["loss"])
    return {
        "epochs": len(losses),
        "best_epoch": outcome.best_epoch,
        "best_loss": losses[outcome.best_epoch - 1],
        "loss_on": "validation" if "val_loss" in history else "training",
        "seconds": round(outcome.seconds, 3),
        "interrupted": outcome.interrupted,
    }
