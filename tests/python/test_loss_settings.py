"""Losses with their settings, labels to ignore, numbers a column, awkward targets, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mean_gamma_deviance, mean_pinball_loss, mean_tweedie_deviance

from cmlp import nn
from reference import loss as oracle
from tolerance import assert_close

REDUCTIONS = ["mean", "sum", "none", "batchmean"]
SETTINGS = [
    ("smooth_l1", {"beta": 0.0}),
    ("smooth_l1", {"beta": 2.5}),
    ("huber", {"delta": 0.3}),
    ("binary_focal", {"gamma": 0.0, "alpha": -1.0}),
    ("binary_focal", {"gamma": 0.5, "alpha": 1.0}),
    ("binary_focal", {"gamma": 5.0, "alpha": 0.0}),
    ("focal", {"gamma": 0.0}),
    ("focal", {"gamma": 0.5}),
    ("multi_margin", {"p": 2, "margin": 0.4}),
    ("kl_div", {"log_target": 1}),
    ("poisson_nll", {"full": 1}),
    ("poisson_nll", {"log_input": 0, "eps": 1e-3}),
    ("poisson_nll", {"log_input": 0, "full": 1}),
    ("tweedie", {"power": 1.05}),
    ("tweedie", {"power": 1.95}),
    ("gaussian_nll", {"full": 1}),
    ("gaussian_nll", {"eps": 0.5}),
    ("gaussian_nll", {"log_var": 1}),
    ("gaussian_nll", {"log_var": 1, "full": 1, "eps": 0.5}),
]
COLUMNS = [
    ("bce_with_logits", [3.0]),
    ("bce_with_logits", [0.0, 1.0, 2.5, 0.3]),
    ("focal", [0.0, 1.0, 2.5, 0.3]),
    ("multi_margin", [0.0, 1.0, 2.5, 0.3]),
    ("nll", [0.0, 1.0, 2.5, 0.3]),
    ("quantile", [0.1]),
    ("quantile", [0.9, 0.5]),
    ("quantile", [0.1, 0.2, 0.5, 0.95]),
]
IGNORING = ["cross_entropy", "nll"]


def check(name, dtype, y, t, weight, column=None, **settings):
    for reduction in REDUCTIONS:
        criterion = nn.Loss(name, reduction=reduction, weight=column, **settings)
        value = criterion(y, t, weight)
        numbers = None if column is None else np.asarray(column, float)
        expected, gradient = oracle(name, y, t, weight, reduction, column=numbers, **settings)
        assert_close(value, expected, "loss", dtype, scale=abs(np.asarray(expected)).max())
        assert_close(criterion.backward(), gradient, "loss", dtype, scale=abs(gradient).max())


def data(name, dtype, rng, rows=23, columns=4):
    y = rng.normal(0, 3, (rows, columns)) if name != "poisson_nll" else rng.uniform(0.1, 4, (rows, columns))
    binary = name in ("binary_focal", "bce_with_logits")
    t = rng.integers(0, 2, y.shape) if binary else rng.uniform(0.1, 3, y.shape)
    if name == "gaussian_nll":
        y[:, 2:], t = abs(y[:, 2:]), t[:, :2]
    if name in ("focal", "multi_margin", "nll", "cross_entropy"):
        t = rng.integers(0, columns, rows)
    return y.astype(dtype), t if t.ndim == 1 else t.astype(dtype)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "settings"), SETTINGS, ids=lambda value: str(value))
def test_settings(name, settings, weighted, dtype, isa, rng):
    y, t = data(name, dtype, rng)
    check(name, dtype, y, t, rng.integers(0, 3, len(y)).astype(dtype) if weighted else None, **settings)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "column"), COLUMNS, ids=lambda value: str(value))
def test_numbers_a_column(name, column, weighted, dtype, isa, rng):
    y, t = data(name, dtype, rng)
    weight = rng.integers(0, 3, len(y)).astype(dtype) if weighted else None
    t = t[:, : 4 // len(column)] if name == "quantile" else t
    check(name, dtype, y, t, weight, column)


@pytest.mark.parametrize("ignored", [-100, -1, 2, 77])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", IGNORING)
def test_ignored_labels_are_absent_rows(name, weighted, ignored, dtype, isa, rng):
    y, t = data(name, dtype, rng)
    t = np.where(rng.uniform(size=len(t)) < 0.3, ignored, t)
    column = [0.5, 2.0, 0.0, 1.0]
    weight = rng.uniform(0, 2, len(y)).astype(dtype) if weighted else None
    check(name, dtype, y, t, weight, column, ignore_index=ignored)
    kept = t != ignored
    complete = nn.Loss(name, weight=column, ignore_index=ignored)(y, t, weight)
    part = nn.Loss(name, weight=column)(y[kept], t[kept], None if weight is None else weight[kept])
    assert_close(complete, part, "loss", dtype)


@pytest.mark.parametrize("name", IGNORING)
def test_all_labels_ignored_is_no_loss_at_all(name, dtype):
    criterion = nn.Loss(name)
    assert criterion(np.ones((3, 2), dtype), [-100] * 3) == 0
    assert not criterion.backward().any()


@pytest.mark.parametrize("name", IGNORING)
def test_a_label_that_is_not_ignored_is_named(name):
    with pytest.raises(ValueError, match=r"label -1 at row 1 is not in 0\.\.2"):
        nn.Loss(name)(np.ones((3, 3)), [-100, -1, 0])


def test_the_deviances_are_those_of_scikit_learn(rng):
    y, t = rng.normal(size=(50, 1)), rng.gamma(2, size=(50, 1))
    w = rng.uniform(size=50)
    assert_close(nn.GammaDevianceLoss()(y, t, w), mean_gamma_deviance(t, np.exp(y), sample_weight=w), "loss")
    t[:9] = 0
    for power in (1.1, 1.5, 1.9):
        expected = mean_tweedie_deviance(t, np.exp(y), sample_weight=w, power=power)
        assert_close(nn.TweedieLoss(power)(y, t, w), expected, "loss")
    assert_close(nn.QuantileLoss(0.8)(y, t, w), mean_pinball_loss(t, y, sample_weight=w, alpha=0.8), "loss")


def test_small_differences_keep_their_digits():
    """Formulas that cancel near 0 would leave none."""
    d = np.array([[1e-9, -1e-12, 1e-5]])
    values = nn.LogCoshLoss(reduction="none")(d, np.zeros((1, 3)))
    np.testing.assert_allclose(values, d * d / 2, rtol=1e-10)


@pytest.mark.parametrize("var", [2.0, [[2.0]], [[1.0, 2.0]], [2.0]], ids=str)
def test_variances_beside_the_means(var, dtype):
    y, t = np.array([[1.0, 4.0]], dtype), np.array([[2.0, 2.5]], dtype)
    apart, joined = nn.GaussianNLLLoss(), nn.GaussianNLLLoss()
    spread = np.broadcast_to(np.asarray(var, dtype), y.shape)
    assert apart(y, t, var) == joined(np.hstack([y, spread]), t)
    gradient = joined.backward()
    np.testing.assert_array_equal(apart.backward(), gradient[:, :2])
    np.testing.assert_array_equal(apart.backward_var(), gradient[:, 2:])


def test_rows_of_weight_zero_are_absent_whatever_is_in_them(dtype):
    y, t = np.array([[1.0], [np.inf]], dtype), np.array([[2.0], [3.0]], dtype)
    criterion = nn.MSELoss()
    assert criterion(y, t, [1, 0]) == 1
    assert criterion.backward().tolist() == [[-2.0], [0.0]]


REFUSED = {
    "beta": (lambda: nn.SmoothL1Loss(beta=-1), "beta is -1"),
    "delta": (lambda: nn.HuberLoss(delta=0), "delta is 0"),
    "p": (lambda: nn.MultiMarginLoss(p=1.5), r"p is 1.5, it must be in \{1,2\}"),
    "power": (lambda: nn.TweedieLoss(2.0), r"power is 2, it must be in \(1,2\)"),
    "gamma": (lambda: nn.FocalLoss(gamma=-1), "gamma is -1"),
    "alpha": (lambda: nn.BinaryFocalLoss(alpha=-0.5), "alpha is -0.5"),
    "quantile": (lambda: nn.QuantileLoss([0.1, 1.0]), r"quantile 1 must be in \(0,1\)"),
    "pos_weight": (lambda: nn.BCEWithLogitsLoss(pos_weight=-2.0), "positive weight -2"),
    "pos_weights": (
        lambda: nn.BCEWithLogitsLoss(pos_weight=[1.0, 2.0])(np.ones((1, 3)), np.ones((1, 3))),
        "2 positive weights for 3 columns",
    ),
    "ignore_index": (lambda: nn.Loss("nll", ignore_index=0.5), "ignore_index is 0.5"),
    "quantile_columns": (
        lambda: nn.QuantileLoss([0.1, 0.9])(np.ones((2, 3)), np.ones((2, 1))),
        "3 columns, the loss takes 2 for each column of targets",
    ),
    "gaussian_columns": (
        lambda: nn.GaussianNLLLoss()(np.ones((2, 4)), np.ones((2, 4))),
        "predictions are 2x4, targets 2x4, they should have 2 columns",
    ),
    "variance": (
        lambda: nn.GaussianNLLLoss()(np.ones((1, 1)), np.ones((1, 1)), -np.ones((1, 1))),
        "var has negative entries",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what):
    act, text = REFUSED[what]
    with pytest.raises(ValueError, match=text):
        act()
