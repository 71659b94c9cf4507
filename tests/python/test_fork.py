"""Children of a process that trained, forked at any moment."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cmlp import nn

FOREVER = 10**9
PATIENCE = 30.0  # seconds for what should take milliseconds, on a busy machine


def needs_fork(test):
    """Mark a test that forks while other threads exist, which is what it is about."""
    test = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")(test)
    return pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")(test)


def data(rows=4000, columns=50):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, columns)).astype("float32"), rng.integers(0, 10, rows)


def network(seed):
    return nn.Sequential(nn.Linear(50, 64), nn.ReLU(), nn.Linear(64, 10), seed=seed)


def _ended(child, seconds):
    """Return the exit code of a child, or None when it had to be killed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def forked(work):
    """Return the exit code of a child that does the work: 0 when it returns true, None when it hangs."""
    child = os.fork()
    if child == 0:  # pragma: no cover
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return _ended(child, PATIENCE)


def trained(net, x, y):
    twin = net.copy()
    twin.fit(x, y, loss="cross_entropy", epochs=2, batch_size=500)
    return twin.predict(x).tobytes()


@needs_fork
def test_a_forked_child_trains_to_the_same_bits(threads):
    threads(2)
    net, (x, y) = network(seed=1), data()
    expected = trained(net, x, y)  # starts the threads
    assert forked(lambda: trained(net, x, y) == expected) == 0
    assert forked(lambda: forked(lambda: trained(net, x, y) == expected) == 0) == 0
    assert trained(net, x, y) == expected  # the parent continues


@needs_fork
@pytest.mark.parametrize("forks", [5, pytest.param(200, marks=pytest.mark.slow)])
def test_forking_in_the_middle_of_another_threads_fit(forks, threads, record_property):
    """The child gets the threads' locks in any state: it must train, and predict, nevertheless."""
    threads(2)
    busy, net, (x, y), stop = network(seed=2), network(seed=1), data(), threading.Event()
    expected = trained(net, x, y)
    event = threading.Event()
    going = {"every_steps": 1, "step_callbacks": [lambda _: event.set(), lambda _: not stop.is_set()]}
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(busy.fit, x, y, loss="cross_entropy", epochs=FOREVER, batch_size=2000, **going)
        assert event.wait(PATIENCE)
        codes = [forked(lambda: trained(net, x, y) == expected) for _ in range(forks)]
        stop.set()
        assert running.result(PATIENCE).stop == "callback"
    record_property("children forked in mid-fit that trained", codes.count(0))
    assert codes == [0] * forks
