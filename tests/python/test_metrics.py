"""Metrics against the oracle, in evaluate and in fit, with sample weights and rows cut into batches."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import _core, nn
from networks import as_targets
from reference import METRICS
from tolerance import assert_close

KINDS = {name: _core.output_kind(name) for name in cmlp.losses()}
KINDS.pop("gaussian_nll")  # two columns of predictions for one of targets: test_loss_settings.py
THRESHOLDS = {"class_logits": None, "logit": 0.0, "probability": 0.5}
VALUES = ["mse", "rmse", "mae", "r2"]
CLASSES = [name for name in cmlp.metrics() if name not in VALUES]
BINARY = [name for name in CLASSES if not name.startswith("top_")]


def through(columns, dtype):
    """A network that returns its input."""
    return nn.Sequential(nn.Activation("identity"), nn.Dropout(0.3), dtype=dtype)


def predictions(loss, rows, columns, dtype, rng):
    y = rng.normal(size=(rows, columns))
    return (1 / (1 + np.exp(-y)) if KINDS[loss] == "probability" else y).astype(dtype)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("columns", [1, 2, 7])
@pytest.mark.parametrize("name", VALUES)
def test_values(name, columns, weighted, dtype, isa, rng):
    y, t = rng.normal(size=(2, 1500, columns)).astype(dtype)
    w = rng.integers(0, 3, len(y)).astype(dtype) if weighted else np.ones(len(y))
    got = through(columns, dtype).evaluate(
        y, t, loss="mse", metrics=[name], sample_weight=w if weighted else None
    )
    assert_close(got[name], METRICS[name](y.astype(float), t.astype(float), w), "metric", dtype, scale=0.1)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("columns", [1, 2, 7])
@pytest.mark.parametrize("loss", [name for name, kind in KINDS.items() if kind in THRESHOLDS])
def test_accuracy(loss, columns, weighted, dtype, isa, rng):
    y = predictions(loss, 1500, columns, dtype, rng)
    labels = KINDS[loss] == "class_logits"
    binary = as_targets(loss, rng.integers(0, 2, y.shape).astype(dtype))
    t = rng.integers(0, columns, len(y)) if labels else binary
    w = rng.integers(0, 3, len(y)).astype(dtype) if weighted else np.ones(len(y))
    weight = w if weighted else None
    got = through(columns, dtype).evaluate(y, t, loss=loss, metrics=["accuracy"], sample_weight=weight)
    assert_close(got["accuracy"], METRICS["accuracy"](y, t, w, THRESHOLDS[KINDS[loss]]), "metric", dtype)


def test_accuracy_of_probability_targets(dtype, rng):
    y, t = rng.normal(size=(2, 300, 5)).astype(dtype)
    t = np.exp(t) / np.exp(t).sum(axis=1, keepdims=True)
    got = through(5, dtype).evaluate(y, t, loss="cross_entropy", metrics=["accuracy"])["accuracy"]
    assert_close(got, (y.argmax(axis=1) == t.argmax(axis=1)).mean(), "metric")


@pytest.mark.parametrize("loss", KINDS)
def test_the_loss_in_chunks_is_that_of_all_rows(loss, dtype, rng):
    y = predictions(loss, 3000, 4, dtype, rng)
    t = (
        rng.integers(0, 4, len(y))
        if KINDS[loss] == "class_logits"
        else as_targets(loss, rng.uniform(size=y.shape).astype(dtype))
    )
    weight = rng.uniform(0, 2, len(y))
    for reduction in ("mean", "sum"):
        criterion = nn.Loss(loss, reduction=reduction)
        complete = criterion(y, t, weight)
        got = through(4, dtype).evaluate(y, t, loss=criterion, sample_weight=weight)["loss"]
        assert_close(got, complete, "loss", dtype, scale=abs(complete))


@pytest.mark.parametrize("metric", VALUES)
def test_training_metrics_are_those_of_the_batches(metric, dtype, rng):
    """With a learning rate of 0 the network does not move, so fit and evaluate must agree."""
    x, t = rng.normal(size=(50, 3)), rng.normal(size=(50, 2))
    net = nn.Sequential(nn.Linear(3, 2), dtype=dtype)
    still = cmlp.optim.SGD(net.parameters(), lr=0.0)
    history = net.fit(
        x, t, loss="mse", optimizer=still, metrics=[metric], batch_size=7, validation_data=(x, t)
    ).history
    expected = net.evaluate(x, t, loss="mse", metrics=[metric])
    assert_close(history[metric], [expected[metric]], "metric", dtype)
    assert_close(history["loss"], [expected["loss"]], "loss", dtype)
    assert history[f"val_{metric}"] == [expected[metric]]
    assert history["val_loss"] == [expected["loss"]]


def test_r2_of_constant_targets():
    net = through(1, "float64")
    assert net.evaluate([[1.0], [1.0]], [1.0, 1.0], loss="mse", metrics=["r2"])["r2"] == 1
    assert net.evaluate([[1.0], [2.0]], [1.0, 1.0], loss="mse", metrics=["r2"])["r2"] == 0


def test_r2_of_targets_far_from_zero(rng):
    """sum t^2 - (sum t)^2 / n loses every digit here; the definition does not."""
    t = 1e8 + rng.normal(size=(200, 1))
    y = t + 0.1 * rng.normal(size=t.shape)
    got = through(1, "float64").evaluate(y, t, loss="mse", metrics=["r2"])["r2"]
    assert got == pytest.approx(float(METRICS["r2"](y, t, np.ones(len(t)))), abs=1e-3)


def test_dropout_is_off_in_evaluation(rng):
    x = rng.normal(size=(40, 3))
    net = through(3, "float64").train()
    assert net.evaluate(x, x, loss="mse", metrics=["mae"]) == {"loss": 0.0, "mae": 0.0}
    assert net.training


@pytest.mark.parametrize(
    ("metric", "loss"), [(name, "mse") for name in CLASSES] + [(name, "cross_entropy") for name in VALUES]
)
def test_a_metric_that_makes_no_sense_is_refused(metric, loss):
    with pytest.raises(ValueError, match=f"metric '{metric}' needs a loss for (classes|values|one of)"):
        through(2, "float32").evaluate(
            [[0.0, 1.0]], [1] if loss == "cross_entropy" else [[0.0, 1.0]], loss=loss, metrics=[metric]
        )
