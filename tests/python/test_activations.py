"""Activations against the oracle: values and derivatives, at every tail and at the ends of the line."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import _core, nn
from reference import ACTIVATIONS
from tolerance import assert_close, assert_same_bits

ROWS = {row["name"]: row for row in _core.activations()}
# Other settings than the defaults, for the activations that have any.
SETTINGS = {
    "leaky_relu": [{"negative_slope": 0.2}, {"negative_slope": 0.0}, {"negative_slope": -0.5}],
    "elu": [{"alpha": 0.25}, {"alpha": 0.0}, {"alpha": -1.5}],
    "celu": [{"alpha": 0.25}, {"alpha": 3.0}],
    "softplus": [{"beta": 0.25}, {"beta": 4.0, "threshold": 6.0}, {"threshold": -1.0}],
    "hardtanh": [{"min_val": -0.5, "max_val": 3.0}, {"max_val": np.inf}, {"min_val": -np.inf}],
    "softshrink": [{"lambd": 0.0}, {"lambd": 2.5}],
    "hardshrink": [{"lambd": 0.0}, {"lambd": 2.5}, {"lambd": -1.0}],
    "threshold": [{"threshold": 0.5, "value": -2.0}, {"threshold": -1.0, "value": 4.0}],
}
CASES = [(name, {}) for name in ROWS] + [(name, s) for name, every in SETTINGS.items() for s in every]


def extremes(dtype):
    """Numbers where formulas break: zeros, saturation, subnormals, infinities, NaN."""
    info = np.finfo(dtype)
    numbers = [0.0, 40.0, 88.7, 103.0, 700.0, 745.0, 1e4, 1e30]
    numbers += [
        float(info.smallest_subnormal),
        float(info.tiny),
        float(info.tiny) / 3,
        float(info.eps),
        np.inf,
    ]
    return np.array([sign * number for number in numbers for sign in (1, -1)] + [np.nan], dtype)


def layer(name, dtype, **settings):
    return nn.Sequential(nn.Activation(name, **settings), dtype=dtype)


def oracle(name, z, settings):
    defaults = {key: settings.get(key, value) for key, value in ROWS[name]["parameters"].items()}
    f, prime = ACTIVATIONS[name]
    with np.errstate(invalid="ignore", over="ignore"):  # infinities, in branches that np.where leaves out
        return f(z.astype(float), **defaults), prime(z.astype(float), **defaults)


def test_settings_of_every_activation_that_has_some_are_tried():
    assert {name for name, row in ROWS.items() if row["parameters"]} == set(SETTINGS)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_values_and_derivatives(name, settings, dtype, isa, rng):
    z = np.concatenate([rng.normal(0, scale, 500) for scale in (0.01, 1, 10)]).astype(dtype)[None]
    dy = rng.normal(size=z.shape).astype(dtype)
    net = layer(name, dtype, **settings)
    value, slope = oracle(name, z, settings)
    y, tail = net(z), abs(z) > 4
    assert_close(y[~tail], value[~tail], "activation", dtype)
    assert_close(y[tail], value[tail], "tail", dtype)
    assert_close(net.backward(dy), slope * dy, "derivative", dtype, scale=abs(dy).max())


@pytest.mark.parametrize("name", ROWS)
def test_extreme_inputs(name, dtype, isa):
    z = extremes(dtype)[None]
    net = layer(name, dtype)
    value, slope = oracle(name, z, {})
    y = net(z)
    assert y.dtype == dtype
    assert_close(y, value, "tail", dtype)
    dz = net.backward(np.ones_like(z))
    assert_close(
        dz[:, :-1], slope[:, :-1], "derivative", dtype, scale=1
    )  # the slope at NaN is anyone's guess


@pytest.mark.parametrize("name", [name for name in ROWS if name != "step"])
def test_a_nan_in_the_gradient_comes_through_where_the_slope_is_not_zero(name, dtype, isa):
    net = layer(name, dtype)
    net(np.full((1, 3), 0.75, dtype))
    dz = net.backward(np.array([[1.0, np.nan, 1.0]], dtype))
    assert np.isnan(dz).tolist() == [[False, True, False]]


@pytest.mark.parametrize("name", ROWS)
def test_every_column_count_has_the_same_bits(name, dtype, isa, rng):
    z = rng.normal(0, 3, (1, 67)).astype(dtype)
    dy = rng.normal(size=z.shape).astype(dtype)
    net = layer(name, dtype)
    y, dz = net(z), net.backward(dy)
    for columns in range(1, z.shape[1]):
        assert_same_bits(net(z[:, :columns]), y[:, :columns])
        assert_same_bits(net.backward(dy[:, :columns]), dz[:, :columns])


@pytest.mark.parametrize("name", ROWS)
def test_every_instruction_set_gives_the_same_bits(name, dtype, rng, vector_isa):
    z = np.concatenate([rng.normal(0, 20, 999).astype(dtype), extremes(dtype)])[None]
    net = layer(name, dtype)
    ours = net(z), net.backward(np.ones_like(z))
    cmlp.runtime.set_isa("scalar")
    assert_same_bits((net(z), net.backward(np.ones_like(z))), ours)


@pytest.mark.parametrize("name", ROWS)
def test_the_class_of_the_row_is_the_activation(name):
    z = np.linspace(-2, 2, 9, dtype="float32")[None]
    by_class = nn.GELU("tanh") if name == "gelu_tanh" else getattr(nn, ROWS[name]["type"])()
    assert_same_bits(by_class(z), nn.Activation(name)(z))
    assert type(by_class).__name__ in nn.__all__


ODD_AT_ZERO = ["tanh", "identity", "leaky_relu", "gelu", "gelu_tanh", "elu", "selu", "celu", "silu", "mish"]
ODD_AT_ZERO += ["softsign", "hardtanh", "tanhshrink"]


@pytest.mark.parametrize("name", ODD_AT_ZERO)
def test_the_sign_of_zero_stays(name, dtype, isa):
    assert np.signbit(layer(name, dtype)(np.array([[-0.0, 0.0]], dtype))).tolist() == [[True, False]]


@pytest.mark.parametrize("name", sorted(nn.activations.INPLACE))
def test_inplace_is_refused_rather_than_ignored(name):
    assert getattr(nn, name)(inplace=False).settings == getattr(nn, name)().settings
    with pytest.raises(ValueError, match=f"{name}: inplace is True, it must be False: x is never changed"):
        getattr(nn, name)(inplace=True)


def test_ends_that_depend_on_each_other():
    with pytest.raises(ValueError, match=r"Hardtanh: max_val is 1, it must be in \(min_val,inf\]"):
        nn.Hardtanh(min_val=1.0)([[0.0]])


@pytest.mark.parametrize("function", [row["name"] for row in _core.functions()])
def test_vector_functions_of_nan(function, dtype, isa):
    assert np.isnan(_core.function(function, np.full(3, np.nan, dtype))).all()


@pytest.mark.parametrize("function", [row["name"] for row in _core.functions()])
def test_vector_functions_have_the_same_bits_in_every_instruction_set(function, dtype, vector_isa):
    z = np.concatenate([extremes(dtype), np.linspace(-90, 90, 333, dtype=dtype)])
    ours = _core.function(function, z)
    cmlp.runtime.set_isa("scalar")
    assert_same_bits(_core.function(function, z), ours)


@pytest.mark.parametrize("name", ROWS)
def test_a_learned_share_of_every_activation(name, dtype, isa, rng):
    rows, columns = 300, 37
    net = nn.Sequential(nn.ParametricActivation(nn.Activation(name), columns), dtype=dtype)
    share = rng.uniform(-0.5, 1.5, columns).astype(dtype)
    net.parameters()[0].data = share
    z, dy = rng.normal(size=(2, rows, columns)).astype(dtype)
    plain = layer(name, dtype)
    f, df = plain(z), plain.backward(dy)
    assert_same_bits(net(z), z + share * (f - z))
    assert_same_bits(net.backward(dy), dy + share * (df - dy))
    sums = (dy.astype(float) * (f - z)).sum(axis=0)
    assert_close(net.parameters()[0].grad, sums, "backward", dtype, scale=rows)
