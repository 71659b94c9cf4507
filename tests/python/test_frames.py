"""Tables and objects as numbers: one conversion for every entry, NaN only where a value is missing."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import cmlp
from cmlp import nn
from cmlp._arrays import as_numbers

pd = pytest.importorskip("pandas")

Y = np.array([0, 1, 1, 0] * 5)
BASE = pd.DataFrame({"age": [20.0, 30, 40, 50] * 5, "n": [1, 2, 3, 4] * 5})
FRAMES = {
    "floats": BASE.astype(float),
    "ints and floats": BASE,
    "get_dummies": pd.get_dummies(BASE.assign(city=["a", "b", "c", "a"] * 5)),
    "int and bool": BASE.assign(b=BASE.n > 2),
    "convert_dtypes": BASE.convert_dtypes(),
    "Float64": BASE.astype("Float64"),
    "Int64": BASE.astype("Int64"),
    "boolean": (BASE > 2).astype("boolean"),
    "objects": BASE.astype(object),
    "pyarrow": pytest.importorskip("pyarrow") and BASE.convert_dtypes(dtype_backend="pyarrow"),
    "float32 and int8": BASE.astype({"age": "float32", "n": "int8"}),
    "names twice": pd.concat([BASE, BASE > 2], axis=1),
}


def network(columns):
    return nn.Sequential(nn.Linear(columns, 2), seed=0)


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_every_entry_takes_frames(frame):
    array = np.column_stack([np.array(frame.iloc[:, i].tolist(), float) for i in range(frame.shape[1])])
    nets = network(frame.shape[1]), network(frame.shape[1])
    for net, x in zip(nets, (frame, array), strict=True):
        net.fit(x, Y, loss="cross_entropy", optimizer="sgd", validation_split=0.2, epochs=2)
    results = [
        (
            net.predict(x),
            net(x),
            net.evaluate(x, Y, loss="cross_entropy"),
            net.train_step(x, Y, nn.CrossEntropyLoss(), cmlp.optim.SGD(net.parameters())),
        )
        for net, x in zip(nets, (frame, array), strict=True)
    ]
    for got, want in zip(*results, strict=True):
        np.testing.assert_equal(got, want)


SERIES = {
    "Int64": pd.Series(Y, dtype="Int64"),
    "boolean": pd.Series(Y, dtype="boolean"),
    "int64[pyarrow]": pd.Series(Y, dtype="int64[pyarrow]"),
    "objects": pd.Series(Y.tolist(), dtype=object),
    "a list of objects": np.array(Y.tolist(), object),
    "Int64 column": pd.DataFrame({"y": pd.Series(Y, dtype="Int64")}),
}


@pytest.mark.parametrize("y", SERIES.values(), ids=SERIES)
def test_labels_and_weights_of_other_kinds(y):
    weight = pd.Series(np.linspace(0.5, 2, 20), dtype="Float64")
    losses = [
        network(2).fit(BASE, labels, loss="cross_entropy", sample_weight=w, class_weight={1: 2.0}, epochs=2)[
            "loss"
        ]
        for labels, w in ((y, weight), (Y, weight.to_numpy(float)))
    ]
    assert losses[0] == losses[1]


MISSING = {
    "Int64": pd.Series([1, None, 3], dtype="Int64"),
    "Float64": pd.Series([1.0, None, 3.0], dtype="Float64"),
    "int64[pyarrow]": pd.Series([1, None, 3], dtype="int64[pyarrow]"),
    "objects": pd.Series([1, None, 3], dtype=object),
    "pd.NA": np.array([1, pd.NA, 3], object),
    "nan among objects": np.array([1, float("nan"), 3], object),
}


@pytest.mark.parametrize("given", MISSING.values(), ids=MISSING)
def test_nan_only_where_a_value_is_missing(given):
    np.testing.assert_array_equal(as_numbers(given, "x"), [1.0, np.nan, 3.0])
    frame = pd.DataFrame({"a": given, "b": [True, False, True]})
    np.testing.assert_array_equal(as_numbers(frame, "x"), [[1, 1], [np.nan, 0], [3, 1]])


NUMBERS = {
    "decimals": ([Decimal("1.5"), Decimal(2)], [1.5, 2.0], "float64"),
    "fractions": ([Fraction(1, 2), 2], [0.5, 2.0], "float64"),
    "ints": ([1, 2**60], [1, 2**60], "int64"),
    "bools and floats": ([True, 0.5], [1.0, 0.5], "float64"),
}


@pytest.mark.parametrize(("given", "want", "dtype"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_among_objects(given, want, dtype):
    got = as_numbers(np.array(given, object), "x")
    assert (got.tolist(), got.dtype) == (want, dtype)


REFUSED = {
    "text": (BASE.assign(city="a"), "fit: x: column 'city' has dtype object, .*: 'a' is at row 0"),
    "text of pyarrow": (
        BASE.assign(city=pd.Series(["a"] * 20, dtype="string[pyarrow]")),
        "column 'city'.*'a'",
    ),
    "dates": (
        BASE.assign(t=pd.Timestamp("2020-01-01")),
        r"column 't' has dtype datetime64\[.*\], it must hold",
    ),
    "category": (
        BASE.assign(c=pd.Categorical(["u", "v"] * 10)),
        "column 'c' has dtype object, .*'u' is at row 0",
    ),
    "complex": (np.ones((20, 2), complex), "fit: x has dtype complex128, it must hold real numbers"),
    "words": ([["a", "b"]] * 20, "fit: x has dtype <U1, it must hold real numbers"),
    "missing": (BASE.assign(n=pd.Series([None, 2] * 10, dtype="Int64")), "fit: x .*(NaN|nan|missing)"),
    "large": (pd.DataFrame({"a": [2**60 + 1] * 20, "b": [0.5, None] * 10}).convert_dtypes(), "exact up to 2"),
}


@pytest.mark.parametrize(("x", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(x, message):
    with pytest.raises(ValueError, match=message):
        network(np.shape(x)[1]).fit(x, Y, loss="cross_entropy")


# ---- numbers that the network's precision cannot hold

ENTRIES = {
    "predict": lambda net, x: net.predict(x),
    "forward": lambda net, x: net(x),
    "fit": lambda net, x: net.fit(x, np.zeros(3, int), loss="cross_entropy"),
    "evaluate": lambda net, x: net.evaluate(x, np.zeros(3, int), loss="cross_entropy"),
    "train_step": lambda net, x: net.train_step(
        x, np.zeros(3, int), nn.CrossEntropyLoss(), cmlp.optim.SGD(net.parameters())
    ),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_number_that_is_too_large_for_float32(entry):
    x = np.zeros((3, 2))
    x[1, 1] = -1e39
    message = f"{entry}: x has -1e\\+39 at row 1, column 1, which is too large for float32"
    with np.errstate(over="ignore"), pytest.raises(ValueError, match=message):
        ENTRIES[entry](network(2), x)
    assert np.isfinite(nn.Sequential(nn.Linear(2, 2), dtype="float64").predict(x)).all()
    x[1, 1] = np.inf
    with pytest.raises(ValueError, match="inf"):
        ENTRIES["predict"](network(2), x)


def test_targets_and_weights_that_are_too_large():
    net, x = nn.Sequential(nn.Linear(2, 1)), np.zeros((3, 2))
    with (
        np.errstate(over="ignore"),
        pytest.raises(ValueError, match=r"y has 1e.39 at row 2, which is too large"),
    ):
        net.fit(x, [0, 1, 1e39], loss="mse")
    with np.errstate(over="ignore"), pytest.raises(ValueError, match=r"sample_weight has 1e.39 at row 2"):
        net.fit(x, [0, 1, 2], loss="mse", sample_weight=[0, 1, 1e39])
