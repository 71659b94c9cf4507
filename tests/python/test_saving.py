"""A save that fails or is killed at any moment leaves the complete old file or the complete new one."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import signal
import time

import numpy as np
import pytest

import cmlp
import fresh
from cmlp import nn
from tolerance import assert_same_bits

SETUP = """
    import ctypes, json, os
    import cmlp
    from cmlp import nn

    calls = ctypes.CDLL({library!r})
    calls.calls_begin.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_size_t]
    calls.calls_end.restype = ctypes.c_char_p
    path = os.path.join({folder!r}, "model.safetensors")
    old, new = (nn.Sequential(nn.Linear(20, 30), nn.Linear(30, 2), seed=seed) for seed in (0, 1))
    cmlp.save(new, path)
    new_bytes = open(path, "rb").read()
    cmlp.save(old, path)
    old_bytes = open(path, "rb").read()

    def save(failing, code, longest=1 << 30):
        calls.calls_begin(failing, code, longest)
        try:
            cmlp.save(new, path)
            error = ""
        except ValueError as raised:
            error = str(raised)
        names = calls.calls_end().decode().split()
        left = {{"old": open(path, "rb").read() == old_bytes, "new": open(path, "rb").read() == new_bytes}}
        left.update(files=os.listdir({folder!r}), error=error, names=names)
        return left
"""


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Return a function that runs code in a process whose system calls are recorded and can fail."""
    library = fresh.compiled("system_calls.c", tmp_path_factory.mktemp("calls"))

    def run(code, folder):
        setup = SETUP.format(library=library, folder=str(folder))
        return fresh.result(setup + code, LD_PRELOAD=library)

    return run


def test_the_order_of_system_calls(calls, tmp_path, record_property):
    """The new content is on the disk before it has the name, and the name before save returns."""
    names = calls(
        """
    print(json.dumps(save(0, 0)["names"]))
    """,
        tmp_path,
    )
    assert re.fullmatch(r"create (write )+fchmod fsync rename open_folder fsync_folder", " ".join(names))
    record_property("order of system calls", " ".join(dict.fromkeys(names)))


@pytest.mark.parametrize("code", ["ENOSPC", "EIO", "EDQUOT"])
def test_a_failure_of_any_call_leaves_one_complete_file(code, calls, tmp_path, record_property):
    """Up to the rename the old file with an error, after it the new one."""
    number = getattr(errno, code)
    results = calls(
        f"""
    results = [save(1, {number})]
    while len(results[-1]["names"]) == len(results):
        cmlp.save(old, path)
        results.append(save(len(results) + 1, {number}))
    print(json.dumps(results))
    """,
        tmp_path,
    )
    *failed, complete = results
    assert complete["error"] == ""
    assert len(failed) == len(complete["names"]) >= 8
    for left in failed:
        assert left["files"] == ["model.safetensors"]
        if left["names"][-1] in ("open_folder", "fsync_folder"):
            assert (left["new"], left["error"]) == (True, "")
        else:
            assert left["old"], left
            assert left["error"].startswith("save: cannot ")
            assert os.strerror(number) in left["error"]
    record_property("system calls of a save made to fail", len(failed))


def test_partial_and_interrupted_writes_are_continued(calls, tmp_path):
    results = calls(
        f"""
    results = [save(0, 0, longest=100)]
    cmlp.save(old, path)
    results.append(save(2, {errno.EINTR}))
    print(json.dumps(results))
    """,
        tmp_path,
    )
    assert len(results[0]["names"]) > 20
    assert [left["new"] for left in results] == [True, True]


def test_a_save_removes_what_killed_saves_left_and_nothing_else(tmp_path):
    net, path = nn.Sequential(nn.Linear(2, 1), seed=0), tmp_path / "model.safetensors"
    left, running = tmp_path / ".cmlp-12-345-0", tmp_path / ".cmlp-12-345-1"
    others = [tmp_path / name for name in (".cmlp-notes", ".cmlp-1-2", ".cmlp-1-2-3.txt", "cmlp-1-2-3")]
    for file in (left, running, *others):
        file.write_bytes(b"part of a model")
    (tmp_path / ".cmlp-1-2-3").mkdir()
    (tmp_path / ".cmlp-1-2-4").symlink_to("cmlp-1-2-3")
    with running.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as the save of another process has it
        cmlp.save(net, path)
        assert not left.exists()
        assert running.exists()
    cmlp.save(net, path)
    names = {file.name for file in (path, *others)} | {".cmlp-1-2-3", ".cmlp-1-2-4"}
    assert set(os.listdir(tmp_path)) == names


def killed_saves(folder, count):
    """Kill processes that save two models in turn; return the numbers of the models found after each."""
    path, rng = folder / "model.safetensors", np.random.default_rng(count)
    nets = [nn.Sequential(nn.Linear(300, 300), seed=seed) for seed in (0, 1)]
    cmlp.save(nets[0], path)
    found = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                while True:
                    for net in nets:
                        cmlp.save(net, path)
            os._exit(1)
        time.sleep(rng.uniform(0, 0.04))
        os.kill(child, signal.SIGKILL)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        weight = cmlp.load(path)[0].weight.data
        found.append(next(i for i, net in enumerate(nets) if np.array_equal(net[0].weight.data, weight)))
    cmlp.save(nets[1], path)
    assert os.listdir(folder) == [path.name]
    assert_same_bits(cmlp.load(path)[0].weight.data, nets[1][0].weight.data)
    return found


KILLED = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@KILLED
def test_twenty_killed_saves_lose_no_file(tmp_path, record_property):
    killed_saves(tmp_path, 20)
    record_property("saves killed at random instants", 20)


@KILLED
@pytest.mark.slow
def test_two_hundred_killed_saves_lose_no_file(tmp_path, record_property):
    assert set(killed_saves(tmp_path, 200)) == {0, 1}
    record_property("saves killed at random instants", 200)
