"""The networks of a tabular model: trained side by side, each with other rows held out, and combined."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import cmlp
from cmlp import nn
from cmlp.tabular.fitting import Metric, NoModelError, Observer, Outcome, Plan, Rows, fit_network
from cmlp.tabular.network import Inputs, build_network, initialize, make_optimizer, make_schedulers
from cmlp.tabular.recipe import Recipe

# Rows that the first weights are drawn from.
INITIAL_ROWS = 4096
# Seconds after which Ctrl-C is looked for.
POLL = 0.05
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
    """

    x: Any
    y: NDArray[Any]
    weight: NDArray[np.float64] | None
    inputs: Inputs
    outputs: int

    def rows(self, chosen: NDArray[np.int64]) -> Rows:
        """Some of the rows."""
        return Rows(self.x[chosen], self.y[chosen], None if self.weight is None else self.weight[chosen])


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
    loss : str
        ``cross_entropy`` or ``mse``.
    metric : callable or None
        Chooses the epoch, see `fit_network`.
    class_weight : "balanced", dict by code or None
        As in ``net.fit``.
    n_threads : int or None
        For all members; None: the library's.
    """

    loss: str
    metric: Metric | None = None
    class_weight: Any = None
    n_threads: int | None = None


class Limit(NamedTuple):
    """Seconds of one network: its share of the time, and what it may take where that is no epoch."""

    share: float
    most: float


class Stop:
    """Whether Ctrl-C has been pressed; threads look after each epoch."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """End all trainings after their present epoch."""
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()


def train_members(
    data: Data,
    trainings: Sequence[Training],
    settings: Settings,
    observer: Observer,
    deadline: float | None = None,
    latest: float | None = None,
) -> list[Member]:
    """Train networks in threads, with the bits of one after the other.

    Parameters
    ----------
    data : Data
        The rows.
    trainings : sequence of Training
        The networks.
    settings : Settings
        What they share.
    observer : callable
        Called with the number of epochs that all members have trained, and the values of the last.
    deadline : float, optional
        Of `time.monotonic`: the trainings share the time until then.
    latest : float, optional
        When the time is over for good: a network whose share is too short for one epoch has until then.

    Returns
    -------
    list of Member
        Those that have an epoch, in the order of the trainings: all, unless Ctrl-C or the limit ended one.

    Raises
    ------
    NoModelError
        If none of them has.
    """
    threads = settings.n_threads or cmlp.get_num_threads()
    workers = min(len(trainings), threads)
    counting, stop = _Counter(observer), Stop()
    waves = -(-len(trainings) // workers)

    def run(place: int) -> Member | NoModelError:
        limit = None
        if deadline is not None:
            now = time.monotonic()
            share = (deadline - now) / (waves - place // workers)
            limit = Limit(max(share, LEAST), max((latest or deadline) - now, LEAST))
            if place and share <= 0 and limit.most == LEAST:
                return NoModelError("the time limit is over before the first epoch was over")
        try:
            return _train(data, trainings[place], settings, counting, stop, limit, max(1, threads // workers))
        except NoModelError as error:
            return error

    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(run, place) for place in range(len(trainings))]
        try:
            while wait(futures, POLL).not_done:
                pass
        except KeyboardInterrupt:
            stop.set()
        found = [future.result() for future in futures]
    members = [one for one in found if isinstance(one, Member)]
    if not members:
        raise next(one for one in found if isinstance(one, NoModelError))
    return interrupted(members) if stop else members


def interrupted(members: Sequence[Member]) -> list[Member]:
    """The members of a training that Ctrl-C ended: it may have ended before the others had an epoch."""
    *others, last = members
    return [*others, replace(last, outcome=replace(last.outcome, end="Ctrl-C"))]


class _Counter:
    """Epochs of all members, for the observer."""

    def __init__(self, observer: Observer) -> None:
        self._observer, self._lock, self._epochs = observer, threading.Lock(), 0

    def __call__(self, epoch: int, values: dict[str, float]) -> None:
        with self._lock:
            self._epochs += 1
            self._observer(self._epochs, values)


def _train(
    data: Data,
    training: Training,
    settings: Settings,
    counting: _Counter,
    stop: Stop,
    limit: Limit | None,
    n_threads: int,
) -> Member:
    if stop:
        raise NoModelError("stopped before the first epoch was over", interrupted=True)
    started = time.perf_counter()
    train, held = data.rows(training.train), data.rows(training.held)
    recipe = training.recipe.sized(len(training.train))
    time_limit = None
    if limit is not None:
        epochs = _epochs_within(recipe, data, train, settings, limit.share)
        seconds = limit.share if epochs else limit.most
        recipe = replace(recipe, epochs=max(1, min(recipe.epochs, epochs)))
        time_limit = max(seconds - (time.perf_counter() - started), LEAST)
    net, plan = prepare(data, train, settings, recipe)

    def observe(epoch: int, values: dict[str, float]) -> bool:
        counting(epoch, values)
        return not stop

    outcome = fit_network(
        net,
        train,
        held if len(training.held) else None,
        plan,
        observer=observe,
        metric=settings.metric,
        class_weight=settings.class_weight,
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
    loss: Any = settings.loss
    if loss == "cross_entropy":
        loss = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
    optimizer = make_optimizer(net, data.inputs, recipe)
    steps = len(train.y) // recipe.batch_size * recipe.epochs
    schedulers = make_schedulers(optimizer, steps, data.inputs, recipe)
    return net, Plan(
        loss, optimizer, schedulers, recipe.epochs, recipe.batch_size, recipe.patience, recipe.seed
    )


def _epochs_within(recipe: Recipe, data: Data, train: Rows, settings: Settings, seconds: float) -> int:
    """How many epochs a time allows; with so many the schedules come to their end."""
    rows = slice(0, TIMED_STEPS * recipe.batch_size)
    some = Rows(train.x[rows], train.y[rows], None if train.weight is None else train.weight[rows])
    net, plan = prepare(data, some, settings, replace(recipe, epochs=1))
    taken = []
    for _ in range(2):  # the first has what happens once
        started = time.perf_counter()
        fit_network(net, some, None, plan, class_weight=None, n_threads=1)
        taken.append(time.perf_counter() - started)
    per_epoch = min(taken) * len(train.y) / len(some.y)
    return int(0.9 * seconds / per_epoch)


def combine(members: Sequence[Member], weights: Sequence[float]) -> nn.Sequential:
    """One network whose outputs are the weighted sum of the members'; those of weight 0 are left out."""
    used = [(member.net, weight) for member, weight in zip(members, weights, strict=True) if weight]
    if len(used) == 1 and used[0][1] == 1.0:
        return used[0][0]
    history = used[0][0].history
    net = nn.Sequential(nn.Ensemble(*(net for net, _ in used), weights=[weight for _, weight in used]))
    net.history = history
    return net
