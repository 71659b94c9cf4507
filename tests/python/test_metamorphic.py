"""Inputs that change in a known way: equal bits where no sum changes its order, else bounded errors."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import cmlp
import test_properties
from cmlp import nn, optim
from networks import as_targets
from test_properties import DTYPES, KINDS, SEEDS, SIZES, matrix, networks
from tolerance import assert_close, assert_same_bits

POWERS = st.integers(-20, 20)
MANY = 150  # examples of each property in the slow test
CHUNK = 256  # rows of one chain of a weight gradient
# f(2^k z) = 2^k f(z)
HOMOGENEOUS = [nn.ReLU, nn.Identity, lambda: nn.LeakyReLU(0.3)]
# f(-z) = -f(z)
ODD = ["identity", "tanh", "softsign", "tanhshrink", "softshrink", "hardshrink", "hardtanh"]


def assert_within(actual, expected, terms, magnitude, roundings=2):
    """Hold two sums of so many terms in different orders against the bound of their rounding errors.

    A sum of n terms in any order is within n u / (1 - n u) times the sum of their magnitudes.
    """
    u = np.finfo(np.asarray(actual).dtype).eps / 2
    bound = roundings * terms * u / (1 - terms * u) * np.asarray(magnitude, float) + 1e-300
    difference = abs(np.asarray(actual, float) - np.asarray(expected, float))
    assert (difference <= bound).all(), f"{np.max(difference / bound):.3g} times the bound"


def assert_same_normal(actual, expected, terms, factor=1.0):
    """Hold sums against each other bit for bit, but for the roundings of terms in the subnormal range."""
    if isinstance(actual, list):
        for a, e in zip(actual, expected, strict=True):
            assert_same_normal(a, e, terms, factor)
        return
    unit = float(np.finfo(actual.dtype).smallest_subnormal) * max(factor, 1 / factor)
    difference = abs(actual.astype(float) - expected.astype(float))
    assert (difference <= 4 * terms * unit).all(), f"differs by {difference.max():.3g}"


def set_values(net, values):
    for parameter, value in zip(net.parameters(), values, strict=True):
        parameter.data[...] = value


def values(net):
    return [parameter.data.copy() for parameter in net.parameters()]


def gradients(net):
    return [parameter.grad.copy() for parameter in net.parameters()]


@st.composite
def hidden_layer(draw):
    """A network of one hidden layer with an elementwise activation, twice, and its sizes."""
    n, m, k = draw(SIZES), draw(SIZES), draw(SIZES)
    name, seed, dtype = draw(st.sampled_from(cmlp.activations())), draw(SEEDS), draw(DTYPES)

    def make():
        return nn.Sequential(
            nn.Linear(n, m), nn.Activation(name), nn.Linear(m, k), seed=seed, dtype=dtype
        ).eval()

    net, other = make(), make()
    bias = np.random.default_rng(draw(st.integers(0, 99))).normal(size=m)
    set_values(net, [values(net)[0], bias, *values(net)[2:]])
    return net, other, (n, m, k)


@given(st.data())
def test_permuted_hidden_units(data):
    """Equal bits in all that is one unit's; the sums over the units are in another order."""
    net, other, (n, m, k) = data.draw(hidden_layer())
    order = np.random.default_rng(data.draw(st.integers(0, 2**32))).permutation(m)
    w1, b1, w2, b2 = values(net)
    set_values(other, [w1[order], b1[order], w2[:, order], b2])
    rows = data.draw(SIZES)
    x, dy = matrix(data.draw, rows, n, net.dtype), matrix(data.draw, rows, k, net.dtype)
    out, permuted = net(x), other(x)
    hidden = np.asarray(net._core.outputs()[2])
    assert_same_bits(np.asarray(other._core.outputs()[2]), hidden[:, order])
    assert_within(permuted, out, m + 1, abs(hidden).astype(float) @ abs(w2.T).astype(float) + abs(b2))
    dx, dx_permuted = net.backward(dy), other.backward(dy)
    (g1, c1, g2, c2), expected = gradients(other), gradients(net)
    assert_same_bits(
        [g1, c1, g2, c2], [expected[0][order], expected[1][order], expected[2][:, order], expected[3]]
    )
    slope = abs(expected[1]).max() + rows * abs(dy).max() * abs(w2).max() * k * 2
    assert_within(dx_permuted, dx, m, np.full(dx.shape, m * slope * abs(w1).max()))


@given(st.data())
def test_permuted_output_units(data):
    net, other, (n, _, k) = data.draw(hidden_layer())
    order = np.random.default_rng(data.draw(st.integers(0, 2**32))).permutation(k)
    w1, b1, w2, b2 = values(net)
    set_values(other, [w1, b1, w2[order], b2[order]])
    x = matrix(data.draw, data.draw(SIZES), n, net.dtype)
    assert_same_bits(other(x), net(x)[:, order])


@given(st.data())
def test_permuted_rows(data):
    """Without shuffle the order of the rows changes no prediction and no row's loss, only sums over rows."""
    net, n, m = data.draw(networks())
    x = matrix(data.draw, data.draw(SIZES), n, net.dtype)
    t = matrix(data.draw, len(x), m, net.dtype)
    order = np.random.default_rng(data.draw(st.integers(0, 2**32))).permutation(len(x))
    assert_same_bits(net.predict(x[order]), net.predict(x)[order])
    criterion = nn.MSELoss(reduction="none")
    y = net.predict(x)
    assert_same_bits(criterion(y[order], t[order]), criterion(y, t)[order])
    grads = []
    for rows in (slice(None), order):
        net.zero_grad(), net.train()(x[rows]), net.backward(t[rows])
        grads.append(np.asarray(net.parameters()[0].grad, float))
    largest = max(abs(np.asarray(v, float)).max() for v in net._core.outputs())
    assert_close(grads[1], grads[0], "backward", net.dtype, scale=abs(grads[0]).max() + largest)


@given(st.data())
def test_split_batches(data):
    """Gradients of parts add up; where the parts are the chunks of a gradient's chain, with equal bits."""
    n, m, dtype = data.draw(SIZES), data.draw(SIZES), data.draw(DTYPES)
    net = nn.Linear(n, m, dtype=dtype, seed=data.draw(SEEDS))
    rows = data.draw(st.integers(2, 2 * CHUNK + 40))
    x, dy = matrix(data.draw, rows, n, dtype), matrix(data.draw, rows, m, dtype)
    magnitude = abs(dy.T.astype(float)) @ abs(x.astype(float))
    net(x), net.backward(dy)
    complete = net.weight.grad.copy()
    for cuts in ([data.draw(st.integers(1, rows - 1))], range(CHUNK, rows, CHUNK)):
        net.zero_grad()
        for part in np.split(np.arange(rows), cuts):
            net(x[part]), net.backward(dy[part])
        if len(cuts) == 1 and cuts[0] % CHUNK:
            assert_within(net.weight.grad, complete, rows + 3, magnitude)
        else:
            assert_same_bits(net.weight.grad, complete)


@given(st.data())
def test_inputs_scaled_by_a_power_of_two(data):
    """Rounding depends on no exponent but the least: with the weights scaled back, every bit stays."""
    net, other, (n, _, _) = data.draw(hidden_layer())
    factor = 2.0 ** data.draw(POWERS)
    w1, b1, w2, b2 = values(net)
    set_values(other, [w1 / w1.dtype.type(factor), b1, w2, b2])
    x = matrix(data.draw, data.draw(SIZES), n, net.dtype)
    assert_same_bits(other(x * x.dtype.type(factor)), net(x))
    dy = matrix(data.draw, len(x), w2.shape[0], net.dtype)
    dx, dx_scaled = net.backward(dy), other.backward(dy)
    assert_same_normal(dx_scaled, dx / dx.dtype.type(factor), len(w1), factor)
    assert_same_normal(gradients(other)[0], gradients(net)[0] * w1.dtype.type(factor), len(x), factor)


@given(st.data())
def test_hidden_units_scaled_by_a_power_of_two(data):
    n, m, k, dtype, seed = (data.draw(s) for s in (SIZES, SIZES, SIZES, DTYPES, SEEDS))
    activation = data.draw(st.sampled_from(HOMOGENEOUS))
    net, other = (
        nn.Sequential(nn.Linear(n, m), activation(), nn.Linear(m, k), seed=seed, dtype=dtype) for _ in "ab"
    )
    factor = np.dtype(dtype).type(2.0 ** data.draw(POWERS))
    w1, b1, w2, b2 = values(net)
    set_values(other, [w1 * factor, b1 * factor, w2 / factor, b2])
    x = matrix(data.draw, data.draw(SIZES), n, dtype)
    assert_same_bits(other.predict(x), net.predict(x))


@given(st.data())
def test_a_loss_scaled_by_a_power_of_two(data):
    """Scaled slopes with a learning rate scaled back are the same step of SGD."""
    net, n, m = data.draw(networks())
    factor = np.dtype(net.dtype).type(2.0 ** data.draw(st.integers(-8, 8)))
    x = matrix(data.draw, data.draw(SIZES), n, net.dtype)
    dy = matrix(data.draw, len(x), m, net.dtype)
    ends = []
    for scale in (factor, factor / factor):
        twin = net.copy()
        optimizer = optim.SGD(twin.parameters(), lr=float(0.125 / scale), momentum=0.5)
        for _ in range(2):
            twin.zero_grad(), twin(x), twin.backward(dy * scale), optimizer.step()
        ends.append(values(twin))
    assert all(np.isfinite(value).all() for value in ends[1])
    assert_same_normal(ends[0], ends[1], len(x), 256.0)


@given(st.data())
def test_a_column_of_zeros(data):
    """A term of zero leaves a chain as it is, but for the sign of a zero; without an entry, every bit."""
    n, m, dtype, seed = (data.draw(s) for s in (SIZES, SIZES, DTYPES, SEEDS))
    net, wide = (nn.Sequential(nn.Linear(k, m), seed=seed, dtype=dtype) for k in (n, n + 1))
    place = data.draw(st.integers(0, n))
    set_values(wide, [np.insert(values(net)[0], place, 1.5, axis=1), values(net)[1]])
    x = matrix(data.draw, data.draw(SIZES), n, dtype)
    x = np.where(abs(x) < data.draw(st.integers(0, 10)), 0, x).astype(dtype)
    padded = np.insert(x, place, 0, axis=1)
    np.testing.assert_array_equal(wide(padded), net(x))
    dy = matrix(data.draw, len(x), m, dtype)
    net(x), net.backward(dy), wide(padded), wide.backward(dy)
    gradient = gradients(wide)[0]
    assert not gradient[:, place].any()
    np.testing.assert_array_equal(np.delete(gradient, place, axis=1), gradients(net)[0])
    assert_same_bits(wide.predict(sp.csr_array(padded)), net.predict(sp.csr_array(x)))


@given(st.data())
def test_weight_two_is_the_row_twice(data):
    """The slope of a row of weight 2 is twice that of the row; sums over rows have other roundings."""
    name, dtype = data.draw(st.sampled_from(sorted(KINDS))), data.draw(DTYPES)
    rows, columns = data.draw(SIZES), data.draw(SIZES)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    y, t = (rng.uniform(0.05, 0.95, (rows, columns)).astype(dtype) for _ in "yt")
    t = np.arange(rows) % columns if KINDS[name] == "class_logits" else as_targets(name, t)
    weight = 2.0 ** rng.integers(-1, 3, rows)  # 0.5, 1, 2, 4: exact factors
    once, criterion = nn.Loss(name, reduction="sum"), nn.Loss(name, reduction="sum")
    once(y, t), criterion(y, t, weight)
    expected = once.backward() * weight[:, None].astype(dtype)
    assert_same_bits(criterion.backward(), expected)
    counts = rng.integers(0, 3, rows)
    counts[0] = 1
    for reduction in ("sum", "mean"):
        weighted, repeated = nn.Loss(name, reduction=reduction), nn.Loss(name, reduction=reduction)
        total = weighted(y, t, counts.astype(float))
        scale = abs(nn.Loss(name, reduction="none")(y, t)).astype(float).sum()
        assert_close(repeated(y.repeat(counts, 0), t.repeat(counts, 0)), total, "loss", dtype, scale=scale)


@given(st.data())
def test_halves_of_an_ensemble(data):
    """0.5 y + 0.5 y = y, and 2 y - y = y."""
    n, m, dtype, seed = (data.draw(s) for s in (SIZES, SIZES, DTYPES, SEEDS))
    weights = data.draw(st.sampled_from([(0.5, 0.5), (2.0, -1.0), (0.25, 0.75)]))
    member = nn.Linear(n, m, seed=seed, dtype=dtype)
    twin = nn.Linear(n, m, seed=seed, dtype=dtype)
    x = matrix(data.draw, data.draw(SIZES), n, dtype)
    alone = nn.Sequential(nn.Linear(n, m), seed=0, dtype=dtype)
    set_values(alone, values(member))
    both = nn.Sequential(nn.Ensemble(member, twin, weights=list(weights)), seed=0, dtype=dtype)
    set_values(both, values(alone) * 2)
    got = both.predict(x)
    if weights == (0.25, 0.75):
        assert_within(got, alone.predict(x), 2, abs(alone.predict(x)).astype(float))
    else:
        assert_same_bits(got, alone.predict(x))


@given(st.data())
def test_odd_activations(data):
    layer = nn.Activation(data.draw(st.sampled_from(ODD)))
    x = matrix(data.draw, data.draw(SIZES), data.draw(SIZES), data.draw(DTYPES))
    net = nn.Sequential(layer, dtype=str(x.dtype))
    np.testing.assert_array_equal(net.predict(-x), -net.predict(x))


@given(st.data())
def test_softmax_of_shifted_numbers(data):
    """Shifts that round nothing change no bit."""
    net = nn.Sequential(data.draw(st.sampled_from([nn.Softmax, nn.LogSoftmax]))(), dtype=data.draw(DTYPES))
    x = np.rint(matrix(data.draw, data.draw(SIZES), data.draw(SIZES), net.dtype))
    assert_same_bits(net.predict(x + data.draw(st.integers(-1000, 1000))), net.predict(x))


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "every second row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "every third column": lambda x: np.repeat(x, 3, axis=1)[:, ::3],
    "backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "lists": lambda x: x.tolist(),
    "float64": lambda x: x.astype(np.float64),
    "other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "unaligned": lambda x: np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape),
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
}


@given(st.data())
def test_layouts_of_the_data(data):
    net, n, m = data.draw(networks())
    x = np.ascontiguousarray(matrix(data.draw, data.draw(SIZES), n, net.dtype))
    t = np.ascontiguousarray(matrix(data.draw, len(x), m, net.dtype))
    layout = LAYOUTS[data.draw(st.sampled_from(sorted(LAYOUTS)))]
    batch_size, seed = data.draw(SIZES), data.draw(SEEDS)
    ends = []
    for rows, targets in ((x, t), (layout(x), layout(t))):
        twin = net.copy()
        options = {"loss": "mse", "batch_size": batch_size, "seed": seed, "verbose": False}
        twin.fit(
            rows, targets, optimizer=optim.SGD(twin.parameters(), lr=1e-6), clip_grad_norm=1.0, **options
        )
        ends.append([*values(twin), twin.predict(rows)])
    assert_same_bits(ends[0], ends[1])


@given(st.data())
def test_a_fit_is_its_steps(data):
    """Without shuffle and dropout fit does what train_step does with the batches in order."""
    net, n, m = data.draw(networks())
    x = matrix(data.draw, data.draw(SIZES), n, net.dtype)
    t = matrix(data.draw, len(x), m, net.dtype)
    rule, size = data.draw(st.sampled_from(cmlp.optimizers())), data.draw(SIZES)
    fitted, stepped = net.copy(), net.copy()
    first, second = (optim.Optimizer(twin.parameters(), rule, lr=1e-4) for twin in (fitted, stepped))
    fitted.fit(
        x, t, loss="mse", optimizer=first, batch_size=size, shuffle=False, clip_grad_norm=1.0, verbose=False
    )
    for at in range(0, len(x), size):
        batch = slice(at, at + size)
        stepped.train_step(x[batch], t[batch], nn.MSELoss(), second, clip_grad_norm=1.0)
    assert_same_bits(values(fitted), values(stepped))


PROPERTIES = {
    name: function
    for home in (vars(test_properties), globals())
    for name, function in list(home.items())
    if name.startswith("test_") and hasattr(function, "hypothesis")
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROPERTIES)
def test_many_examples(name, record_property):
    inner = PROPERTIES[name].hypothesis.inner_test
    strategies = {
        "test_permutations": (st.integers(0, 300), SEEDS),
        "test_bytes_of_anything_are_refused": (st.binary(max_size=300),),
    }.get(name, (st.data(),))
    settings(max_examples=MANY)(given(*strategies)(inner))()
    record_property("examples", MANY)
    record_property("properties", 1)
