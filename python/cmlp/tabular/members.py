"""The networks of a tabular model: trained side by side, each with other rows held out, and combined."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import cmlp
from cmlp import nn
from cmlp.tabular.fitting import NoModelError, Observer
from cmlp.tabular.training import LEAST, Data, Limit, Member, Settings, Training, train_network

# Seconds after which Ctrl-C is looked for.
POLL = 0.05


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
    counting, stop = _Counter(observer), threading.Event()
    waves, share_of_threads = -(-len(trainings) // workers), max(1, threads // workers)

    def run(place: int) -> Member | NoModelError:
        limit = None
        if deadline is not None:
            now = time.monotonic()
            share = (deadline - now) / (waves - place // workers)
            limit = Limit(max(share, LEAST), max((latest or deadline) - now, LEAST))
            if place and share <= 0 and limit.most == LEAST:
                return NoModelError("the time limit is over before the first epoch was over")
        try:
            return train_network(data, trainings[place], settings, counting, stop, limit, share_of_threads)
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
    return interrupted(members) if stop.is_set() else members


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


def combine(members: Sequence[Member], weights: Sequence[float]) -> nn.Sequential:
    """One network whose outputs are the weighted sum of the members'; those of weight 0 are left out."""
    used = [(member.net, weight) for member, weight in zip(members, weights, strict=True) if weight]
    if len(used) == 1 and used[0][1] == 1.0:
        return used[0][0]
    history = used[0][0].history
    net = nn.Sequential(nn.Ensemble(*(net for net, _ in used), weights=[weight for _, weight in used]))
    net.history = history
    return net
