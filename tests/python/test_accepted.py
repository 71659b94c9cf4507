"""Every form of the same numbers is taken, gives the same bits, and is left as it was."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import nn, optim
from tolerance import assert_close, assert_same_bits


def mapped(x, folder):
    path = folder / f"{x.shape[1]}.npy"
    np.save(path, x)
    return np.load(path, mmap_mode="r")


def unaligned(x):
    memory = np.zeros(x.nbytes + 1, np.uint8)
    view = memory[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


class Array:
    """An object that can only be converted to an array."""

    def __init__(self, x):
        self.x = x

    def __array__(self, dtype=None, copy=None):
        return self.x


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


FORMS = {
    "as_is": lambda x, _: x,
    "list": lambda x, _: x.tolist(),
    "fortran": lambda x, _: np.asfortranarray(x),
    "row_slice": lambda x, _: np.concatenate([x, x])[: len(x)],
    "row_stride": lambda x, _: np.repeat(x, 3, axis=0)[::3],
    "column_slice": lambda x, _: np.hstack([x, x, x])[:, x.shape[1] : 2 * x.shape[1]],
    "column_stride": lambda x, _: np.repeat(x, 2, axis=1)[:, ::2],
    "reversed_rows": lambda x, _: x[::-1].copy()[::-1],
    "reversed_columns": lambda x, _: x[:, ::-1].copy()[:, ::-1],
    "read_only": lambda x, _: read_only(x),
    "memory_mapped": mapped,
    "big_endian": lambda x, _: x.astype(x.dtype.newbyteorder(">")),
    "unaligned": lambda x, _: unaligned(x),
    "double": lambda x, _: x.astype("float64"),
    "long_double": lambda x, _: x.astype(np.longdouble),
    "subclass": lambda x, _: x.view(np.recarray),
    "array_protocol": lambda x, _: Array(x),
}


def network(dtype):
    return nn.Sequential(nn.Linear(5, 20), nn.Tanh(), nn.Linear(20, 3), dtype=dtype, seed=1)


def everything(x, t, weight, dtype):
    """All inputs and outputs: forward, loss, backward, step, fit, predict, evaluate."""
    net = network(dtype)
    criterion = nn.MSELoss()
    out = net(x)
    value = criterion(out, t, weight)
    dx = net.backward(criterion.backward())
    step = net.train_step(x, t, criterion, optim.SGD(net.parameters()), sample_weight=weight)
    net.fit(x, t, loss="mse", epochs=2, batch_size=7, sample_weight=weight, validation_data=(x, t, weight))
    scores = net.evaluate(x, t, loss="mse", metrics=["mae"], sample_weight=weight)
    return [out, dx, np.array([value, step, *scores.values()]), net.predict(x), *net.state_dict().values()]


@pytest.mark.parametrize("form", FORMS)
def test_every_form(form, dtype, tmp_path, rng):
    x, t = rng.normal(size=(23, 5)).astype(dtype), rng.normal(size=(23, 3)).astype(dtype)
    weight = rng.uniform(1, 2, 23).astype(dtype)
    shaped = FORMS[form](x, tmp_path)
    kept = np.array(shaped.x if isinstance(shaped, Array) else shaped)
    assert_same_bits(
        everything(shaped, FORMS[form](t, tmp_path), weight, dtype), everything(x, t, weight, dtype)
    )
    if not isinstance(shaped, Array):
        assert_same_bits(np.array(shaped), kept)  # the caller's numbers are untouched


@pytest.mark.parametrize("kind", ["bool", "int8", "uint8", "int32", "int64", "uint64", "float16"])
def test_other_numbers_are_converted_once(kind, dtype, rng):
    x = rng.integers(0, 2 if kind == "bool" else 100, (9, 5)).astype(kind)
    assert_same_bits(network(dtype)(x), network(dtype)(x.astype(dtype)))


def test_double_into_single_is_rounded(rng):
    x = rng.normal(size=(9, 5))
    assert_same_bits(network("float32").predict(x), network("float32").predict(x.astype("float32")))
    assert network("float32").predict(x).dtype == "float32"
    assert_close(network("float32").predict(x), network("float64").predict(x), "forward", "float32", scale=1)


@pytest.mark.parametrize("stride", [0, 1])
def test_broadcast_arrays(stride, dtype, rng):
    """A stride of 0 along one axis: the same memory is used several times."""
    x = rng.normal(size=(1, 5) if stride == 0 else (7, 1)).astype(dtype)
    wide = np.broadcast_to(x, (7, 5))
    assert_same_bits(network(dtype)(wide), network(dtype)(wide.copy()))


def test_one_row_and_one_column(dtype):
    net = nn.Sequential(nn.Linear(1, 1), dtype=dtype)
    assert net.predict([[2]]).shape == (1, 1)
    assert_same_bits(net.predict(np.ones((1, 5))[:, 2:3]), net.predict([[1]]))


@pytest.mark.parametrize(
    "weight", [[1, 2, 3, 4], np.array([1, 2, 3, 4], "i1"), np.arange(8.0)[1::2], (True, True, False, True)]
)
def test_weights_of_every_form(weight, dtype, rng):
    y = rng.normal(size=(4, 2)).astype(dtype)
    expected = nn.MSELoss()(y, np.zeros((4, 2)), np.asarray(weight, dtype))
    assert nn.MSELoss()(y, np.zeros((4, 2)), weight) == expected


def test_what_comes_out_belongs_to_the_caller(dtype, rng):
    """Results are new arrays: the next call does not write into them, nor a caller into the network."""
    net, x = network(dtype), rng.normal(size=(4, 5)).astype(dtype)
    y = net(x)
    kept = y.copy()
    net(2 * x)
    assert_same_bits(y, kept)
    assert y.flags.writeable
    assert y.flags.c_contiguous
    y[...] = 0
    assert net.trace(x)[-1][1].any()


def test_the_input_may_change_or_go_before_backward(dtype, rng):
    one, two = network(dtype), network(dtype)
    x, dy = rng.normal(size=(4, 5)).astype(dtype), rng.normal(size=(4, 3)).astype(dtype)
    one(x.copy())
    two(x)
    x[...] = 0
    assert_same_bits(one.backward(dy), two.backward(dy))
    assert_same_bits([p.grad for p in one.parameters()], [p.grad for p in two.parameters()])


@pytest.mark.parametrize("label", [np.int64(1), True, 1])
def test_options_may_be_numpys_numbers(label):
    net = nn.Sequential(nn.Linear(np.int64(5), np.int32(3)), nn.Dropout(np.float32(0.5)), seed=np.int64(3))
    history = net.fit(
        np.ones((4, 5)), [int(label)] * 4, loss="cross_entropy", epochs=np.int64(2), batch_size=np.int32(2),
        seed=np.uint8(7), clip_grad_norm=np.float32(1),
    )  # fmt: skip
    assert history.steps == 4


@pytest.mark.parametrize(
    "dtype", [np.float32, "f4", "single", "<f4", np.dtype("float32"), float, "double", ">f8"]
)
def test_dtypes_by_any_of_their_names(dtype):
    assert nn.Sequential(nn.Linear(1, 1), dtype=dtype).dtype.itemsize == np.dtype(dtype).itemsize
