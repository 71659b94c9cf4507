"""Every row of every list has an oracle, and the oracle's derivatives are those of its values."""

from __future__ import annotations

import numpy as np
import pytest

import reference
from cmlp import _core
from perceptron_oracle import ORACLES
from reference_schedules import SCHEDULES

LISTS = {
    "activations": reference.ACTIVATIONS,
    "losses": reference.LOSSES,
    "initializers": reference.INITIALIZERS,
    "optimizers": reference.OPTIMIZERS,
    "metrics": reference.METRICS,
    "schedules": SCHEDULES,
    "perceptron_rules": ORACLES,
}


@pytest.mark.parametrize("kind", LISTS)
def test_every_row_has_its_oracle_and_every_oracle_its_row(kind):
    assert sorted(row["name"] for row in getattr(_core, kind)()) == sorted(LISTS[kind])


@pytest.mark.parametrize("kind", LISTS)
def test_every_row_says_what_it_is(kind):
    rows = getattr(_core, kind)()
    assert all(row["definition"] for row in rows)
    if kind != "schedules":  # theirs is the order of numbers, without defaults
        assert all(np.isfinite(value) for row in rows for value in row["parameters"].values())
    assert len({row["name"] for row in rows}) == len(rows)


@pytest.mark.parametrize("name", reference.ACTIVATIONS)
def test_derivatives_of_the_oracle(name):
    f, prime = reference.ACTIVATIONS[name]
    z = np.linspace(-6.5, 6.5, 48)  # passes no kink
    np.testing.assert_allclose((f(z + 1e-6) - f(z - 1e-6)) / 2e-6, prime(z), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none", "batchmean"])
@pytest.mark.parametrize("name", reference.LOSSES)
def test_slopes_of_the_oracle(name, reduction, rng):
    y = rng.uniform(0.1, 0.9, (3, 4))
    t = rng.dirichlet(np.ones(4), 3)
    t = t[:, :2] if name == "gaussian_nll" else t
    gradient = reference.loss(name, y, t, [1, 2, 0.5], reduction)[1]
    for at in np.ndindex(y.shape):
        up, down = y.copy(), y.copy()
        up[at], down[at] = y[at] + 1e-6, y[at] - 1e-6
        numeric = sum(
            sign * reference.loss(name, moved, t, [1, 2, 0.5], reduction)[0].sum()
            for sign, moved in ((1, up), (-1, down))
        )
        np.testing.assert_allclose(numeric / 2e-6, gradient[at], rtol=1e-6, atol=1e-8)
