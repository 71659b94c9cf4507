"""What the comparisons share; run by `nox -s comparisons`, which installs PyTorch."""

import numpy as np
import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> str:
    """Each precision."""
    return str(request.param)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator whose numbers follow from the test's name."""
    return np.random.default_rng(list(request.node.name.encode()))
