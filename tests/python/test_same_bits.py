"""The same bits with any team, on any instruction set, on a busy machine, and for a row in any batch."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager

import numpy as np
import pytest
import scipy.sparse as sp

import cmlp
from cmlp import _core, nn
from cmlp.catalogue import catalogue
from random_trainings import BLOCKS, CODES, HEADS, PRECISIONS, RULES, RandomTraining
from test_fork import forked, needs_fork
from tolerance import assert_same_bits

THREADS = (1, 2, 3, 4, 8, 16)
ISAS = cmlp.runtime.isas()
VECTOR_ISAS = [isa for isa in ISAS if isa != "scalar"] or ISAS
MANY = 200
FEW_ROWS, MANY_ROWS = 250, 20_000  # of each network


@pytest.fixture(autouse=True)
def _restore_isa():
    before = cmlp.runtime.isa()
    yield
    cmlp.runtime.set_isa(before)


@contextmanager
def busy_machine():
    """Keep the processors busy, and predict in two other threads, whose predictions must stay the same."""
    stop, wrong = threading.Event(), []
    net = nn.Sequential(nn.Linear(70, 90), nn.GELU(), nn.Linear(90, 9), seed=4)
    x = np.random.default_rng(0).normal(size=(400, 70)).astype("float32")
    expected = net.predict(x).tobytes()

    def predict():
        while not stop.wait(0.002):
            wrong.extend([1] * (net.predict(x).tobytes() != expected))

    others = [threading.Thread(target=predict) for _ in range(2)]
    spin = [sys.executable, "-c", "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"]
    processes = [subprocess.Popen(spin) for _ in range(os.cpu_count() or 1)]
    try:
        for other in others:
            other.start()
        yield
    finally:
        stop.set()
        for process in processes:
            process.kill()
            process.wait()
        for other in others:
            other.join()
    assert not wrong


@pytest.fixture(scope="module")
def busy():
    with busy_machine():
        yield


def differences(training, runs):
    """Train once for each (instruction set, threads, std::thread?); hold all against the first."""
    expected = None
    for isa, count, std_threads in runs:
        cmlp.runtime.set_isa(isa)
        got = _core.in_team(count, training.trained, std_threads)
        expected = got if expected is None else expected
        try:
            assert_same_bits(got, expected)
        except AssertionError as error:
            team = f"{isa}, {count} threads, std::thread: {std_threads}"
            raise AssertionError(f"{training!r}: {team}: {error}") from error
    return len(runs)


def every_run(number):
    """The vector instruction sets in turn, with every number of threads, of one kind of team or the other."""
    turns = [VECTOR_ISAS[(number + j) % len(VECTOR_ISAS)] for j in range(len(THREADS))]
    runs = [
        (isa, count, (number // 2 + j) % 2 == 1)
        for j, (isa, count) in enumerate(zip(turns, THREADS, strict=True))
    ]
    return [*runs, *((isa, 3, not std_threads) for isa, count, std_threads in runs if count == 3)]


def test_random_trainings_small(record_property):
    """The first of them in small: one instruction set after the other, 3 and 16 threads."""
    runs = 0
    for number in range(24):
        training = RandomTraining(number, largest=60)
        later = [(isa, (3, 16)[k % 2], bool((number + k) % 2)) for k, isa in enumerate(ISAS)]
        runs += differences(training, [(VECTOR_ISAS[0], 1, False), *later])
    record_property("small trainings", runs)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(MANY))
def test_random_trainings(number, busy, record_property):
    training = RandomTraining(number)
    runs = every_run(number)
    if training.largest <= 150 and number % 4 == 1:
        runs += [("scalar", 1, False), ("scalar", 3, True)]
    record_property("trainings", differences(training, runs))
    record_property("random configurations", 1)


def test_the_random_trainings_have_everything():
    every = [RandomTraining(number) for number in range(MANY)]
    kinds = {kind for training in every for _, kind, _ in training.network()._core.layers()}
    assert {t.rule for t in every} == set(RULES)
    assert {t.loss for t in every} == set(cmlp.losses())
    assert {(t.rule, t.precision) for t in every} >= {
        (r, p) for r in cmlp.optimizers() for _, p in PRECISIONS
    }
    assert {t.head for t in every} == set(HEADS)
    assert {name for t in every for name in t.names} == set(BLOCKS)
    listed = {row["type"] for row in catalogue("layer")} - {"GLU", "SwiGLU", "GEGLU", "Residual", "Ensemble"}
    assert listed <= kinds
    assert max(max(t.widths) for t in every) > 850
    assert max(t.batch_size for t in every) > 290
    assert min(t.batch_size for t in every) < 5


@needs_fork
def test_the_reference_trainings_in_a_forked_child():
    """There the team of a call is made of std::thread."""
    hashes = {name: published for name, published, _ in _core.reference_trainings()}

    def all_the_same(threads):
        return all(
            _core.in_team(threads, lambda name=name: _core.training_hash(name)) == hashes[name]
            for name in ("relu_adam", "gelu_adamw", "sparse", "gated_bf16")
        )

    assert all_the_same(2)
    assert forked(lambda: all_the_same(3)) == 0


def repeated(count, rng):
    """Train once more and again on random processors, with random teams; return the distinct results."""
    allowed, found = sorted(os.sched_getaffinity(0)), set()
    try:
        for k in range(count):
            chosen = rng.choice(allowed, rng.integers(1, len(allowed) + 1), replace=False)
            os.sched_setaffinity(0, {int(processor) for processor in chosen})
            threads = int(rng.integers(1, 9))
            with cmlp.runtime.Execution(threads):
                run = lambda: _core.training_hash("relu_adam")  # noqa: E731
                found.add(run() if k % 2 else _core.in_team(threads, run, bool(k % 4)))
    finally:
        os.sched_setaffinity(0, allowed)
    return found


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no CPU affinity")
@pytest.mark.parametrize("count", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_one_training_again_and_again(count, rng, record_property):
    with busy_machine():
        found = repeated(count, rng)
    record_property("repeated runs", count)
    assert found == {_core.reference_trainings()[0][1]}


def table_layers():
    return [
        nn.PiecewiseLinearEmbedding([[-1.0, 0.0, 0.5, 2.0]], 5, columns=[3]),
        nn.PeriodicEmbedding(12, 5, 4, columns=[1, 2]),
        nn.Embedding(CODES, 6, columns=[0]),
        nn.Linear(6 + 8 + 5 + 4, 30),
    ]


NETWORKS = {
    "wide": lambda: nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10), seed=0),
    "double": lambda: nn.Sequential(
        nn.Linear(37, 65), nn.GELU(), nn.Linear(65, 129), nn.Tanh(), nn.Linear(129, 3), nn.Softmax(),
        seed=1, dtype="float64",
    ),
    "bf16": lambda: nn.Sequential(
        nn.Linear(99, 120), nn.LayerNorm(120), nn.SiLU(), nn.Linear(120, 7), seed=2, precision="bf16"
    ),
    "blocks": lambda: nn.Sequential(
        nn.BatchNorm1d(20), nn.Linear(20, 48), nn.Residual(nn.RMSNorm(48), nn.Linear(48, 48), nn.Mish()),
        nn.SwiGLU(), nn.Ensemble(nn.Linear(24, 24), nn.PReLU(24)), nn.BatchEnsemble(24, 5, 3, True),
        nn.Dropout(0.3), nn.LogSoftmax(), seed=3,
    ),
    "table": lambda: nn.Sequential(*table_layers(), nn.Mish(), nn.Linear(30, 2), seed=4),
    "sparse": lambda: nn.Sequential(nn.Linear(300, 50), nn.ELU(), nn.Linear(50, 4), seed=5),
}  # fmt: skip
COLUMNS = {"wide": 784, "double": 37, "bf16": 99, "blocks": 20, "table": 8, "sparse": 300}


def rows_of(name, count, rng, dtype):
    x = rng.normal(size=(count, COLUMNS[name])).astype(dtype)
    if name == "table":
        x[:, 0] = rng.integers(0, CODES, count)
    return sp.csr_array(x * (rng.random(x.shape) < 0.05)) if name == "sparse" else x


@pytest.mark.parametrize("count", [FEW_ROWS, pytest.param(MANY_ROWS, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_row_alone_is_that_row_in_any_batch(name, count, rng, record_property):
    net = NETWORKS[name]()
    x = rows_of(name, count, rng, net.dtype)
    complete = net.predict(x)
    alone = np.concatenate([net.predict(x[row : row + 1]) for row in range(count)])
    assert_same_bits(alone, complete)
    first = batches = 0
    while first < count:
        size, threads = int(rng.integers(1, 1001)), int(rng.choice(THREADS))
        cmlp.runtime.set_isa(str(rng.choice(VECTOR_ISAS)))
        part = x[first : first + size]
        got = _core.in_team(threads, lambda part=part: net.predict(part), bool(batches % 2))
        assert_same_bits(got, complete[first : first + size])
        first, batches = first + size, batches + 1
    record_property("rows", count)
    record_property("batches of 1 to 1000 rows", batches)
