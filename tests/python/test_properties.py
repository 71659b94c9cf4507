"""Any shape, any stride, any numbers: the core against the oracle on examples that hypothesis looks for."""

from __future__ import annotations

import itertools

import hypothesis.extra.numpy as arrays
import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

import cmlp
from cmlp import _core, nn
from networks import as_targets
from reference import MLP
from reference import loss as oracle
from tolerance import assert_close, assert_same_bits

SIZES = st.integers(1, 40)
DTYPES = st.sampled_from(["float32", "float64"])
SEEDS = st.integers(0, 2**63 - 1)
KINDS = {name: _core.output_kind(name) for name in cmlp.losses()}
KINDS.pop("gaussian_nll")  # two columns of predictions for one of targets: test_loss_settings.py


@st.composite
def networks(draw, end=()):
    """A network of one to three Linears with activations and maybe a Softmax between them."""
    widths = draw(st.lists(SIZES, min_size=2, max_size=4))
    layers = []
    for n, m in itertools.pairwise(widths):
        layers.append(nn.Linear(n, m, bias=draw(st.booleans())))
        layers.append(nn.Activation(draw(st.sampled_from(cmlp.activations()))))
        layers += [nn.Softmax()] if draw(st.integers(0, 4)) == 0 else []
    net = nn.Sequential(*layers, *[kind() for kind in end], seed=draw(SEEDS), dtype=draw(DTYPES))
    return net, widths[0], widths[-1]


def matrix(draw, rows, columns, dtype):
    """Numbers between -10 and 10, most of them no round ones, at strides of their own."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    row_step, column_step = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    complete = rng.uniform(-10, 10, (rows * row_step, columns * column_step)).astype(dtype)
    return complete[::row_step, ::column_step]


def clear_of_kinks(net):
    """Whether the core and the oracle see the same side of every kink."""
    layers = [kind for _, kind, _ in net._core.layers()]
    values = zip(net._core.outputs(), layers, strict=False)
    return all(abs(z).min() > 1e-5 * (1 + abs(z).max()) for z, kind in values if kind == "Activation")


@given(st.data())
def test_forward_and_backward(data):
    net, n, m = data.draw(networks())
    rows, mlp = data.draw(SIZES), MLP(net)
    x, dy = (matrix(data.draw, rows, columns, net.dtype) for columns in (n, m))
    expected = mlp.forward(x)
    assert_close(net(x), expected, "forward", net.dtype, scale=_largest(net))
    assume(clear_of_kinks(net))
    dx, grads = mlp.backward(dy)
    scale = max(_largest(net), *(abs(g).max() for g in (dx, *grads.values())))
    assert_close(net.backward(dy), dx, "backward", net.dtype, scale=scale)
    for name, parameter in net.named_parameters():
        assert_close(parameter.grad, grads[name], "backward", net.dtype, scale=scale)


def _largest(net):
    """The largest intermediate value, to which rounding errors are relative."""
    return max(float(abs(value).max()) for value in net._core.outputs())


@given(st.data())
def test_losses(data):
    name, dtype = data.draw(st.sampled_from(sorted(KINDS))), data.draw(DTYPES)
    rows, columns = data.draw(SIZES), data.draw(SIZES)
    y, t = (matrix(data.draw, rows, columns, dtype) for _ in range(2))
    if KINDS[name] == "probability":
        y = abs(y) / 10.001
    t = abs(t) / 10 + (0.01 if KINDS[name] == "log_mean" else 0)
    t = as_targets(name, np.minimum(t, 1) if _core.target_range(name) == "unit" else t)
    y = -abs(y) if name == "nll" else y
    if KINDS[name] == "class_logits":
        t = np.arange(rows) % columns
    weight = data.draw(st.none() | arrays.arrays(np.float64, rows, elements=st.integers(0, 5).map(float)))
    reduction = data.draw(st.sampled_from(["mean", "sum", "none"]))
    criterion = nn.Loss(name, reduction=reduction)
    value, gradient = oracle(name, y, t, weight, reduction)
    scale = abs(oracle(name, y, t, weight, "none")[0]).sum()
    assert_close(criterion(y, t, weight), value, "loss", dtype, scale=scale + 1e-6)
    assert_close(criterion.backward(), gradient, "loss", dtype, scale=abs(gradient).max() + 1e-6)


@given(st.data())
def test_a_batch_is_its_rows(data):
    net, n, _ = data.draw(networks())
    x = matrix(data.draw, data.draw(SIZES), n, net.dtype)
    complete = net.predict(x)
    cut = data.draw(st.integers(0, len(x)))
    parts = [net.predict(part) for part in (x[:cut], x[cut:]) if len(part)]
    assert_same_bits(np.concatenate(parts), complete)
    assert_same_bits(net.eval()(x), complete)


@given(st.data())
def test_files_and_copies_are_the_same_network(data):
    net, n, _ = data.draw(networks())
    x = matrix(data.draw, 3, n, net.dtype)
    again = nn.Sequential._of_core(_core.from_bytes(net._core.to_bytes()))
    assert_same_bits((again.predict(x), net.copy().predict(x)), (net.predict(x), net.predict(x)))


@given(st.integers(0, 300), SEEDS)
def test_permutations(n, seed):
    order = _core.permutation(n, seed)
    assert sorted(order) == list(range(n))
    assert_same_bits(_core.permutation(n, seed), order)


@given(st.binary(max_size=300))
def test_bytes_of_anything_are_refused(raw):
    try:
        _core.from_bytes(raw)
    except ValueError as error:
        assert str(error).startswith("load: the byte string is not a cmlp model: ")  # noqa: PT017
    else:
        raise AssertionError("taken")
