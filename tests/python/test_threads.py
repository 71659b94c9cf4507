"""The limit of threads: of a call, of the process, of OpenMP; and what is left when calls overlap."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import cmlp
import fresh
from cmlp import nn

X = np.random.default_rng(0).normal(size=(512, 64)).astype(np.float32)
Y = X[:, :3] ** 2


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 3), seed=1)


def fitted(**options: object) -> bytes:
    net = network()
    net.fit(X, Y, loss="mse", epochs=2, batch_size=128, verbose=False, **options)
    net.evaluate(X, Y, loss="mse", **options)
    return b"".join(np.ascontiguousarray(value).tobytes() for value in net.state_dict().values())


def test_the_limit_is_set_and_taken_back(threads):
    threads(3)
    assert cmlp.get_num_threads() == 3
    threads(None)
    assert cmlp.get_num_threads() >= 1


def test_a_block_bounds_its_own_thread_alone(threads):
    threads(2)
    recorded: list[int] = []
    with cmlp.runtime.Execution(1):
        assert cmlp.get_num_threads() == 1
        other = threading.Thread(target=lambda: recorded.append(cmlp.get_num_threads()))
        other.start()
        other.join()
        with cmlp.runtime.Execution(5), cmlp.runtime.Execution():
            assert cmlp.get_num_threads() == 5
        assert cmlp.get_num_threads() == 1
    assert recorded == [2]
    assert cmlp.get_num_threads() == 2


@pytest.mark.parametrize("count", [0, -1])
def test_a_block_needs_a_thread(count):
    with pytest.raises(ValueError, match=f"Execution: threads is {count}, it must be at least 1, or None"):
        cmlp.runtime.Execution(count)


def test_a_block_that_was_not_entered_is_not_left():
    with pytest.raises(ValueError, match="Execution: __exit__ without __enter__"):
        cmlp.runtime.Execution(1).__exit__(None, None, None)


def test_the_argument_of_a_call_changes_no_bit_and_no_setting(threads):
    threads(2)
    expected = fitted()
    assert fitted(n_threads=1) == expected
    assert fitted(n_threads=7) == expected
    assert cmlp.get_num_threads() == 2


def test_overlapping_fits_leave_the_limit_alone(threads):
    threads(2)
    runs = [threading.Thread(target=fitted, kwargs={"n_threads": count}) for count in (1, 2, 3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert cmlp.get_num_threads() == 2


@pytest.mark.skipif(cmlp.runtime.team_kind() != "OpenMP", reason="the build's teams are not OpenMP's")
def test_threadpoolctl_bounds_every_call(threads):
    threads(None)
    if cmlp.get_num_threads() == 1:
        pytest.skip("there is one processor")
    with threadpool_limits(1):
        assert cmlp.get_num_threads() == 1
        with cmlp.runtime.Execution(2):
            assert cmlp.get_num_threads() == 1
    assert cmlp.get_num_threads() > 1


def test_no_more_threads_are_started_than_there_are_processors():
    code = """
        import json, os
        import numpy as np
        import cmlp
        from cmlp import nn
        cmlp.set_num_threads(10000)
        before = len(os.listdir("/proc/self/task"))
        nn.Linear(512, 512)(np.ones((1024, 512), np.float32))
        started = len(os.listdir("/proc/self/task")) - before
        cmlp.runtime.shutdown()
        print(json.dumps(started < len(os.sched_getaffinity(0))))
    """
    assert fresh.result(code) is True
