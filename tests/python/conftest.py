"""Fixtures every test may ask for: precision, instruction set and threads, each put back afterwards."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest

import cmlp

hypothesis.settings.register_profile(
    "cmlp", deadline=None, max_examples=40, derandomize=True, database=None, print_blob=False
)
hypothesis.settings.load_profile("cmlp")


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> str:
    """Each precision."""
    return str(request.param)


@pytest.fixture(params=cmlp.runtime.isas())
def isa(request: pytest.FixtureRequest):
    """Each instruction set of this machine, in use for one test."""
    before = cmlp.runtime.isa()
    cmlp.runtime.set_isa(request.param)
    yield str(request.param)
    cmlp.runtime.set_isa(before)


@pytest.fixture
def threads():
    """Return set_num_threads, whose last setting ends with the test."""
    before = cmlp.get_num_threads()
    yield cmlp.set_num_threads
    cmlp.set_num_threads(before)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator whose numbers follow from the test's name."""
    return np.random.default_rng(list(request.node.name.encode()))
