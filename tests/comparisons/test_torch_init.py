"""Initialisers against PyTorch: arguments, gains, and the distributions of many draws."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from cmlp import nn

torch = pytest.importorskip("torch")
stats = pytest.importorskip("scipy.stats")

GAINS = [("linear", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("leaky_relu", None)]
GAINS += [("leaky_relu", 0.3), ("selu", None)]
FILLS = [
    ("ones_", {}),
    ("eye_", {}),
    ("constant_", {"val": 0.3}),
    ("normal_", {"mean": 1.0, "std": 0.2}),
    ("uniform_", {"a": -1.0, "b": 2.0}),
    ("trunc_normal_", {}),
    ("trunc_normal_", {"mean": 0.5, "std": 0.5, "a": 0.0, "b": 3.0}),
    ("xavier_uniform_", {"gain": 2.0}),
    ("xavier_normal_", {"gain": 2.0}),
    ("kaiming_uniform_", {}),
    ("kaiming_uniform_", {"a": 0.3, "mode": "fan_out"}),
    ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "tanh"}),
    ("sparse_", {"sparsity": 0.3, "std": 0.5}),
    ("orthogonal_", {"gain": 0.5}),
]


@pytest.mark.parametrize(("name", "parameter"), GAINS)
def test_gains(name, parameter):
    assert nn.init.calculate_gain(name, parameter) == torch.nn.init.calculate_gain(name, parameter)


@pytest.mark.parametrize("name", sorted({name for name, _ in FILLS}))
def test_arguments(name):
    """The same names in the same order with the same defaults, but for the tensor and the generator."""

    def of(function):
        parameters = list(inspect.signature(function).parameters.values())[1:]
        return [(p.name, p.default) for p in parameters if p.name not in ("generator", "seed")]

    assert of(getattr(nn.init, name)) == of(getattr(torch.nn.init, name))


@pytest.mark.parametrize(("name", "settings"), FILLS)
def test_distributions(name, settings):
    torch.manual_seed(0)
    mine = getattr(nn.init, name)(nn.Linear(300, 200, dtype="float64").weight, **settings).data
    reference = getattr(torch.nn.init, name)(torch.empty(200, 300, dtype=torch.float64), **settings).numpy()
    assert mine.shape == reference.shape
    if name in ("ones_", "eye_", "constant_"):
        assert (mine == reference).all()
    elif name == "sparse_":
        assert ((mine == 0).sum(axis=0) == (reference == 0).sum(axis=0)).all()
    else:
        assert stats.ks_2samp(mine.ravel(), reference.ravel()).pvalue > 1e-3
    assert abs(np.mean(mine) - np.mean(reference)) < 0.02
