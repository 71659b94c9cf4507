"""Fixtures for all tests: precision, instruction set, threads (restored after each test), random numbers."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

import hypothesis
import numpy as np
import pytest

import cmlp
from quick import QUICK

hypothesis.settings.register_profile(
    "cmlp", deadline=None, max_examples=40, derandomize=True, database=None, print_blob=False
)
hypothesis.settings.load_profile("cmlp")

NO_VECTORS = pytest.param("scalar", marks=pytest.mark.skip(reason="no vector instruction set runs here"))
VECTOR_ISAS = [isa for isa in cmlp.runtime.isas() if isa != "scalar"] or [NO_VECTORS]


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> str:
    """Each precision."""
    return str(request.param)


@pytest.fixture(params=cmlp.runtime.isas())
def isa(request: pytest.FixtureRequest):
    """Each instruction set of this machine, active during one test."""
    yield from active(str(request.param))


@pytest.fixture(params=VECTOR_ISAS)
def vector_isa(request: pytest.FixtureRequest):
    """Each instruction set except the scalar one: for tests that compare it with the scalar one."""
    yield from active(str(request.param))


def active(name: str):
    """Activate an instruction set and restore the one before."""
    before = cmlp.runtime.isa()
    cmlp.runtime.set_isa(name)
    yield name
    cmlp.runtime.set_isa(before)


@pytest.fixture
def threads():
    """Return set_num_threads; its last setting is undone after the test."""
    before = cmlp.get_num_threads()
    yield cmlp.set_num_threads
    cmlp.set_num_threads(before)


@pytest.fixture
def memory_folder():
    """Return a folder in memory, where the system has one, for tests that write thousands of files."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def ctrl_c():
    """Have SIGINT raise KeyboardInterrupt, also where the process started with it ignored (shell jobs do)."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator whose numbers follow from the test's name."""
    return np.random.default_rng(list(request.node.name.encode()))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder with the command line's people.csv in it."""
    from command_line import people

    monkeypatch.chdir(tmp_path)
    people().to_csv("people.csv", index=False)
    return tmp_path


@pytest.fixture(scope="session")
def shop():
    """Return a table of customers."""
    import pandas as pd

    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {"spent": [f"${v:,.0f}" for v in rng.lognormal(7, 1, 400)], "age": rng.integers(18, 80, 400)}
    )
    frame["city"] = rng.choice(["Oslo", "Rome", "Bonn"], 400)
    frame["buys"] = np.where((frame["age"] > 45) ^ (frame["city"] == "Oslo"), "yes", "no")
    return frame


@pytest.fixture(scope="session")
def classifier(shop):
    """Return a tabular model of who buys."""
    return cmlp.TabularClassifier(**QUICK).fit(shop.drop(columns="buys"), shop["buys"])
