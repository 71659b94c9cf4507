"""Activations against PyTorch: arguments, values and gradients, extreme inputs and kinks included."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from cmlp import _core, nn

torch = pytest.importorskip("torch")

TYPES = sorted({row["type"] for row in _core.activations() if hasattr(torch.nn, row["type"])})
NOT_HERE = {"MultiheadAttention", "Softmax2d", "Softmin"}  # of PyTorch's activations
REQUIRED = {"Threshold": {"threshold": 0.0, "value": 0.0}}  # arguments without a default in PyTorch
CASES = [(name, REQUIRED.get(name, {})) for name in TYPES]
CASES += [
    ("LeakyReLU", {"negative_slope": 0.25}),
    ("ELU", {"alpha": 0.25}),
    ("ELU", {"alpha": -2.0}),
    ("CELU", {"alpha": 0.25}),
    ("CELU", {"alpha": 4.0}),
    ("GELU", {"approximate": "tanh"}),
    ("Softplus", {"beta": 0.25}),
    ("Softplus", {"beta": 2.0, "threshold": 5.0}),
    ("Hardtanh", {"min_val": -0.5, "max_val": 3.0}),
    ("Hardtanh", {"min_val": 0.0, "max_val": np.inf}),
    ("Softshrink", {"lambd": 0.0}),
    ("Softshrink", {"lambd": 2.0}),
    ("Hardshrink", {"lambd": 2.0}),
    ("Hardshrink", {"lambd": -1.0}),
    ("Threshold", {"threshold": 0.5, "value": -2.0}),
]
# Relative to 1 + |value|. In PyTorch the derivative of Hardsigmoid is float32's 1/6 in float64 as well.
LIMIT = {"float32": 2e-6, "float64": 1e-10}
SLOPE_LIMIT = {"Hardsigmoid": {"float32": 2e-6, "float64": 5e-9}}
# From here on PyTorch computes inf * 0 or inf / inf, NaN, where the limit exists: docs/pytorch.md.
LIMITS_KEPT = {"SiLU", "Mish", "GELU", "Softsign", "Hardswish"}


def both(name, settings, z):
    """Return (y, dz) of cmlp and of PyTorch for a gradient of ones."""
    ours = nn.Sequential(getattr(nn, name)(**settings), dtype=z.dtype)
    y = ours(z)
    leaf = torch.tensor(z, requires_grad=True)
    theirs = getattr(torch.nn, name)(**settings)(leaf)
    theirs.backward(torch.ones_like(theirs))
    return (y, ours.backward(np.ones_like(z))), (theirs.detach().numpy(), leaf.grad.numpy())


def worst(actual, expected):
    """Return the largest difference over 1 + |expected|; infinities must be the same."""
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(actual[~finite], expected[~finite])
    a, e = actual[finite].astype(float), expected[finite].astype(float)
    return np.max(abs(a - e) / (1 + abs(e)), initial=0)


def test_every_activation_of_pytorch_is_here():
    theirs = set(torch.nn.modules.activation.__all__) - NOT_HERE
    assert sorted(theirs - set(nn.__all__)) == []


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_values_and_gradients(name, settings, dtype, rng):
    z = np.concatenate([rng.normal(0, scale, 2000) for scale in (0.01, 1, 10)]).astype(dtype)[None]
    (y, dz), (y_theirs, dz_theirs) = both(name, settings, z)
    assert worst(y, y_theirs) < LIMIT[dtype]
    assert worst(dz, dz_theirs) < SLOPE_LIMIT.get(name, LIMIT)[dtype]


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_kinks_and_extreme_inputs(name, settings, dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    sizes = [0, tiny, 100 * tiny, 0.25, 0.5, 1, 2, 3, 6, 20, 40, 88, 104, 700, 1e4, 1e30, np.inf]
    z = np.array([[sign * size for size in sizes for sign in (1, -1)]], dtype)
    (y, dz), (y_theirs, dz_theirs) = both(name, settings, z)
    kept = np.isnan(y_theirs) | np.isnan(dz_theirs)
    assert not kept.any() or (name in LIMITS_KEPT and (abs(z[kept]) > 1e13).all())
    assert worst(y[~kept], y_theirs[~kept]) < LIMIT[dtype]
    assert worst(dz[~kept], dz_theirs[~kept]) < SLOPE_LIMIT.get(name, LIMIT)[dtype]
    assert not np.isnan([y, dz]).any()


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_nan_passes_as_it_does_there(name, settings, dtype):
    (y, _), (y_theirs, _) = both(name, settings, np.array([[np.nan, 1.0]], dtype))
    assert np.isnan(y).tolist() == np.isnan(y_theirs).tolist() == [[True, False]]


@pytest.mark.parametrize("name", TYPES)
def test_arguments_have_the_same_names_order_and_defaults(name):
    theirs = dict(inspect.signature(getattr(torch.nn, name)).parameters)
    if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in theirs.values()):
        theirs = {}  # without arguments of its own
    for old in ("min_value", "max_value"):  # deprecated there
        theirs.pop(old, None)
    ours = inspect.signature(getattr(nn, name)).parameters
    assert list(ours) == list(theirs)
    for key, parameter in theirs.items():
        expected = REQUIRED.get(name, {}).get(key, parameter.default)
        assert ours[key].default == expected
