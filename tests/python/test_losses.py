"""Losses against the oracle: values, gradients, reductions, weights of rows and classes, extreme inputs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import cmlp
from cmlp import _core, nn
from networks import as_targets
from reference import loss as oracle
from tolerance import assert_close, assert_same_bits

KINDS = {name: _core.output_kind(name) for name in cmlp.losses()}
CLASSES = [name for name, kind in KINDS.items() if kind == "class_logits"]
ELEMENTWISE = [name for name in KINDS if name not in CLASSES]
REDUCTIONS = ["mean", "sum", "none", "batchmean"]
SMOOTH = "label_smoothing"


def data(name, dtype, rng, rows=23, columns=7, labels=False):
    """Return predictions as the loss needs them, and targets."""
    y = rng.normal(0, 3, (rows, columns)).astype(dtype)
    if name == "nll":
        y = -abs(y)  # log-probabilities
    if KINDS[name] == "moments":
        y = np.hstack([y, rng.uniform(0.1, 3, y.shape).astype(dtype)])
    if KINDS[name] == "probability":
        y = rng.uniform(0.01, 0.99, (rows, columns)).astype(dtype)
    if labels:
        return y, rng.integers(0, columns, rows)
    t = rng.dirichlet(np.ones(columns), rows) if name in CLASSES else rng.uniform(size=(rows, columns))
    return y, as_targets(name, t.astype(dtype))


def check(name, dtype, y, t, weight=None, reduction="mean", class_weight=None, **settings):
    extra = {} if class_weight is None else {"weight": class_weight}
    criterion = nn.Loss(name, reduction=reduction, **extra, **settings)
    value = criterion(y, t, weight)
    if class_weight is not None:
        settings["column"] = np.asarray(class_weight, float)
    expected, gradient = oracle(name, y, t, weight, reduction, **settings)
    assert isinstance(value, float) == (reduction != "none")
    assert_close(value, expected, "loss", dtype, scale=abs(np.asarray(expected)).max())
    assert criterion.backward().dtype == dtype
    assert_close(criterion.backward(), gradient, "loss", dtype, scale=abs(gradient).max())


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_value_and_gradient(name, reduction, weighted, dtype, isa, rng):
    y, t = data(name, dtype, rng)
    weight = rng.integers(0, 4, len(y)).astype(dtype) if weighted else None
    check(name, dtype, y, t, weight, reduction)


@pytest.mark.parametrize("columns", [1, 2, 3, 15, 16, 17, 31, 33, 40, 130])
@pytest.mark.parametrize("name", KINDS)
def test_every_width(name, columns, dtype, isa, rng):
    check(name, dtype, *data(name, dtype, rng, 3, columns))


def smoothings(name):
    """Settings of a loss for classes: with and without label smoothing, where it has that."""
    return [{SMOOTH: value} for value in (0.0, 0.1, 1.0)] if SMOOTH in nn.Loss(name)._core.settings else [{}]


@pytest.mark.parametrize("class_weighted", [False, True])
@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize(
    ("name", "settings"), [(name, each) for name in CLASSES for each in smoothings(name)], ids=str
)
def test_labels_smoothing_and_class_weights(name, settings, labels, class_weighted, dtype, isa, rng):
    y, t = data(name, dtype, rng, labels=labels)
    class_weight = rng.uniform(0.2, 3, y.shape[1]).astype(dtype) if class_weighted else None
    for weight, reduction in itertools.product([None, rng.uniform(0, 2, len(y)).astype(dtype)], REDUCTIONS):
        check(name, dtype, y, t, weight, reduction, class_weight, **settings)


@pytest.mark.parametrize("form", [np.int8, np.uint8, np.int32, np.int64, np.uint64, bool, list])
@pytest.mark.parametrize("name", CLASSES)
def test_labels_of_every_kind_of_integers(name, form, dtype, rng):
    y, t = data(name, dtype, rng, columns=2, labels=True)
    expected = nn.Loss(name)(y, t)
    assert nn.Loss(name)(y, t.tolist() if form is list else t.astype(form)) == expected
    assert nn.Loss(name)(y, t[:, None]) == expected


@pytest.mark.parametrize("name", CLASSES)
def test_labels_are_one_hot_rows(name, dtype, isa, rng):
    y, t = data(name, dtype, rng, labels=True)
    a, b = nn.Loss(name, reduction="none"), nn.Loss(name, reduction="none")
    assert_close(a(y, t), b(y, np.eye(y.shape[1])[t]), "loss", dtype)
    assert_close(a.backward(), b.backward(), "loss", dtype, scale=1)


@pytest.mark.parametrize(
    ("name", "magnitude"),
    [
        (name, magnitude)
        for name, kind in KINDS.items()
        for magnitude in (40.0, 700.0, 1e4, 1e30)
        # The value of squared_hinge at 1e30 is too large for a float32.
        if "logit" in kind and (name, magnitude) != ("squared_hinge", 1e30)
    ],
)
def test_logits_of_any_magnitude(name, magnitude, dtype, isa):
    y = np.array(
        [[magnitude, -magnitude, 0], [-magnitude, -0.0, 1], [magnitude, magnitude, -magnitude]], dtype
    )
    t = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype)
    check(name, dtype, y, as_targets(name, t))
    check(name, dtype, y, as_targets(name, 1 - t) if name not in CLASSES else t[::-1])


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind == "probability"])
def test_probabilities_at_both_ends(name, dtype, isa):
    tiny = np.finfo(dtype).tiny
    y = np.array([[0.0, 1.0, tiny, 1 - np.finfo(dtype).epsneg], [1.0, 0.0, 1e-10, 0.5]], dtype)
    for t in (np.zeros((2, 4), dtype), np.ones((2, 4), dtype)):
        criterion = nn.Loss(name, reduction="none")
        value, gradient = oracle(name, y, t, reduction="none")
        assert_close(criterion(y, t), value, "loss", dtype, scale=1)
        assert_close(criterion.backward(), gradient, "loss", dtype, scale=1)
        assert (criterion(y, t) <= 100.001).all()


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_flat_targets_are_one_column(name, dtype, rng):
    y, t = data(name, dtype, rng, columns=1)
    assert nn.Loss(name)(y, t[:, 0]) == nn.Loss(name)(y, t)
    values = nn.Loss(name, reduction="none")(y, t[:, 0])
    assert values.shape == (len(y), 1)


@pytest.mark.parametrize("name", CLASSES)
def test_values_of_rows_are_flat(name, dtype, rng):
    y, t = data(name, dtype, rng, labels=True)
    assert nn.Loss(name, reduction="none")(y, t).shape == (len(y),)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    ("name", "labels"), [(name, False) for name in KINDS] + [(name, True) for name in CLASSES]
)
def test_weight_two_is_the_row_twice_and_zero_the_row_absent(name, labels, reduction, dtype, isa, rng):
    y, t = data(name, dtype, rng, labels=labels)
    weight = rng.permutation(np.arange(len(y)) % 3)
    a, b = nn.Loss(name, reduction=reduction), nn.Loss(name, reduction=reduction)
    one, two = a(y, t, weight), b(np.repeat(y, weight, axis=0), np.repeat(t, weight, axis=0))
    assert_close(np.sum(one), np.sum(two), "loss", dtype)
    rows = np.repeat(np.arange(len(y)), weight)
    folded = np.zeros(y.shape)
    np.add.at(folded, rows, b.backward())
    assert_close(a.backward(), folded, "loss", dtype, scale=abs(folded).max())


@pytest.mark.parametrize("name", KINDS)
def test_all_weights_zero_is_no_loss_at_all(name, dtype, rng):
    y, t = data(name, dtype, rng)
    criterion = nn.Loss(name)
    assert criterion(y, t, np.zeros(len(y))) == 0
    assert not criterion.backward().any()


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", KINDS)
def test_every_instruction_set_and_thread_count_gives_the_same_bits(
    name, reduction, dtype, rng, vector_isa, threads
):
    y, t = data(name, dtype, rng, 700, 45)
    weight = rng.uniform(size=len(y))
    criterion = nn.Loss(name, reduction=reduction)
    threads(1)
    ours = np.asarray(criterion(y, t, weight)), criterion.backward()
    for count, other in itertools.product([2, 3], ["scalar", vector_isa]):
        threads(count)
        cmlp.runtime.set_isa(other)
        assert_same_bits((np.asarray(criterion(y, t, weight)), criterion.backward()), ours)


@pytest.mark.parametrize("name", KINDS)
def test_a_nan_or_infinite_prediction_shows_in_the_value(name, dtype, isa, rng):
    y, t = data(name, dtype, rng)
    for at in (0, y.size - 1):
        bad = y.copy()
        bad.flat[at] = np.nan
        assert np.isnan(nn.Loss(name)(bad, t))


@pytest.mark.parametrize("name", KINDS)
def test_the_class_of_the_row_is_the_loss(name, rng):
    row = next(row for row in _core.losses() if row["name"] == name)
    y, t = data(name, "float64", rng)
    by_class = getattr(nn, row["type"])()
    assert by_class(y, t) == nn.Loss(name)(y, t)
    assert_same_bits(by_class.backward(), gradient_of(name, y, t))
    assert repr(by_class).startswith(row["type"] + "(reduction='mean'")


def gradient_of(name, y, t):
    criterion = nn.Loss(name)
    criterion(y, t)
    return criterion.backward()
