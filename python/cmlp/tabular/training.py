"""One network of a tabular model: its rows, and its training within a time limit or until Ctrl-C."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cmlp import nn
from cmlp.tabular.fitting import Metric, NoModelError, Outcome, Plan, Rows, fit_network
from cmlp.tabular.network import Inputs, build_network, initialize, make_optimizer, make_schedulers
from cmlp.tabular.recipe import Recipe

# Rows that the first weights are drawn from.
INITIAL_ROWS = 4096
# Updates that are timed to see how many epochs a time limit allows.
TIMED_STEPS = 4
# The shortest time limit of a network, in seconds.
LEAST = 0.01


@dataclass(frozen=True)
class Data:
    """The encoded rows that all members share.

    Parameters
    ----------
    x : array or CSR matrix
        (rows, features).
    y : numpy.ndarray
        (rows,) or (rows, 1).
    weight : numpy.ndarray or None
        (rows,).
    inputs : Inputs
        What x is.
    outputs : int
        Of the network.
    loss_weight : numpy.ndarray or None
        What each row counts in the loss, (rows,): its weight times that of its class.
    """

    x: Any
    y: NDArray[Any]
    weight: NDArray[np.float64] | None
    inputs: Inputs
    outputs: int
    loss_weight: NDArray[np.float64] | None = None

    def rows(self, chosen: NDArray[np.int64]) -> Rows:
        """Some of the rows."""
        return Rows(self.x[chosen], self.y[chosen], _taken(self.weight, chosen))

    def training_rows(self, chosen: NDArray[np.int64]) -> Rows:
        """Some of the rows, with what they count in the loss."""
        return Rows(self.x[chosen], self.y[chosen], _taken(self.loss_weight, chosen))


def _taken(values: NDArray[np.float64] | None, chosen: NDArray[np.int64]) -> NDArray[np.float64] | None:
    return None if values is None else values[chosen]


@dataclass(frozen=True, eq=False)
class Training:
    """One network to train.

    Parameters
    ----------
    recipe : Recipe
        How, with the seed.
    train, held : numpy.ndarray
        Row numbers.
    """

    recipe: Recipe
    train: NDArray[np.int64]
    held: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Member:
    """A trained network, and its outputs on the rows that were held out."""

    training: Training
    net: nn.Sequential
    outcome: Outcome
    outputs: NDArray[Any]


@dataclass(frozen=True)
class Settings:
    """What the trainings of all members share.

    Parameters
    ----------
    classes : bool
        Whether the target are classes.
    metric : callable or None
        Chooses the epoch, see `fit_network`.
    n_threads : int or None
        For all members; None: the library's.
    """

    classes: bool
    metric: Metric | None = None
    n_threads: int | None = None


class Limit(NamedTuple):
    """Seconds of one network: its share of the time, and what it may take where that is no epoch."""

    share: float
    most: float


def train_network(
    data: Data,
    training: Training,
    settings: Settings,
    observer: Callable[[int, dict[str, float]], None],
    stop: threading.Event,
    limit: Limit | None,
    n_threads: int,
) -> Member:
    """Train one network; `stop` ends it after the present epoch, `n_threads` are its own."""
    if stop.is_set():
        raise NoModelError("stopped before the first epoch was over", interrupted=True)
    started = time.perf_counter()
    train, held = data.training_rows(training.train), data.rows(training.held)
    recipe = training.recipe.sized(len(training.train))
    time_limit = None
    if limit is not None:
        epochs = _epochs_within(recipe, data, train, settings, limit.share, n_threads)
        seconds = limit.share if epochs else limit.most
        recipe = replace(recipe, epochs=max(1, min(recipe.epochs, epochs)))
        time_limit = max(seconds - (time.perf_counter() - started), LEAST)
    net, plan = prepare(data, train, settings, recipe)

    def observe(epoch: int, values: dict[str, float]) -> bool:
        observer(epoch, values)
        return not stop.is_set()

    outcome = fit_network(
        net,
        train,
        held if len(training.held) else None,
        plan,
        observer=observe,
        metric=settings.metric,
        time_limit=time_limit,
        n_threads=n_threads,
    )
    return Member(
        training, net, outcome, net.predict(held.x) if len(training.held) else np.empty((0, data.outputs))
    )


def prepare(data: Data, train: Rows, settings: Settings, recipe: Recipe) -> tuple[nn.Sequential, Plan]:
    """The network of a sized recipe with its first weights, and how it is to be trained."""
    net = build_network(data.inputs, data.outputs, recipe)
    rows = np.random.default_rng(recipe.seed).permutation(len(train.y))[:INITIAL_ROWS]
    initialize(net, train.x[np.sort(rows)], data.inputs, recipe)
    loss: Any = nn.MSELoss()
    if settings.classes:
        loss = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    optimizer = make_optimizer(net, data.inputs, recipe)
    steps = len(train.y) // recipe.batch_size * recipe.epochs
    schedulers = make_schedulers(optimizer, steps, data.inputs, recipe)
    return net, Plan(
        loss, optimizer, schedulers, recipe.epochs, recipe.batch_size, recipe.patience, recipe.seed
    )


def _epochs_within(
    recipe: Recipe, data: Data, train: Rows, settings: Settings, seconds: float, n_threads: int
) -> int:
    """How many epochs a time allows; with so many the schedules come to their end."""
    rows = slice(0, TIMED_STEPS * recipe.batch_size)
    some = Rows(train.x[rows], train.y[rows], None if train.weight is None else train.weight[rows])
    net, plan = prepare(data, some, settings, replace(recipe, epochs=1))
    taken = []
    for _ in range(2):  # the first has what happens once
        started = time.perf_counter()
        fit_network(net, some, None, plan, n_threads=n_threads)
        taken.append(time.perf_counter() - started)
    per_epoch = min(taken) * len(train.y) / len(some.y)
    return int(0.9 * seconds / per_epoch)
