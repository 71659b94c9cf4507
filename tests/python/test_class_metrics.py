"""Metrics of classes against the oracle and scikit-learn, with weights, batches, ties and ignored labels."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import nn
from reference import METRICS
from reference_metrics import log_softmax
from tolerance import assert_close

BINARY = ["accuracy", "balanced_accuracy", "f1", "log_loss", "auc", "brier"]
CLASSES = [*BINARY, "top_3", "top_5"]
SCALE = 0.1


def through(dtype="float64"):
    return nn.Sequential(nn.Activation("identity"), dtype=dtype)


def measured(name, y, t, weight=None, loss="cross_entropy", dtype="float64"):
    return through(dtype).evaluate(y, t, loss=loss, metrics=[name], sample_weight=weight)[name]


def weights(weighted, rows, rng):
    return rng.integers(0, 3, rows).astype(float) if weighted else np.ones(rows)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", [2, 7])
@pytest.mark.parametrize("name", CLASSES)
def test_classes(name, classes, weighted, dtype, isa, rng):
    y = rng.normal(size=(1500, classes)).astype(dtype)
    t = rng.integers(0, classes, len(y))
    w = weights(weighted, len(y), rng)
    got = measured(name, y, t, w if weighted else None, dtype=dtype)
    assert_close(
        got,
        METRICS[name](*present(y.astype(float), t, w)[:2], w[w > 0], **threshold(name)),
        "metric",
        scale=1,
    )


def present(y, t, w):
    return y[w > 0], t[w > 0], w[w > 0]


def threshold(name, value=None):
    return {"threshold": value} if name == "accuracy" else {}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("loss", ["bce", "bce_with_logits"])
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, loss, columns, weighted, dtype, rng):
    z = rng.normal(size=(900, columns)).astype(dtype)
    t = rng.integers(0, 2, z.shape).astype(dtype)
    w = weights(weighted, len(z), rng)
    y = (1 / (1 + np.exp(-z))).astype(dtype) if loss == "bce" else z
    y64 = y.astype(float)
    odds = np.log(y64) - np.log1p(-y64) if loss == "bce" else y64
    got = measured(name, y, t, w if weighted else None, loss, dtype)
    assert_close(got, METRICS[name](odds, t.astype(float), w, **threshold(name, 0.0)), "metric", scale=1)


@pytest.mark.parametrize("name", CLASSES)
def test_weight_two_is_the_row_twice_and_zero_its_absence(name, rng):
    y, t, w = rng.normal(size=(200, 6)), rng.integers(0, 6, 200), rng.integers(0, 3, 200)
    rows = np.repeat(np.arange(200), w)
    assert measured(name, y, t, w) == pytest.approx(measured(name, y[rows], t[rows]), rel=1e-13)


@pytest.mark.parametrize("name", CLASSES)
def test_ignored_labels_are_absent(name, rng):
    y, t = rng.normal(size=(100, 6)), rng.integers(0, 6, 100)
    criterion = nn.CrossEntropyLoss(ignore_index=2)
    kept = t != 2
    assert measured(name, y, t, loss=criterion) == pytest.approx(measured(name, y[kept], t[kept]), rel=1e-13)


def test_ties_of_auc_count_half(rng):
    y, t = rng.integers(0, 4, (300, 1)).astype(float), rng.integers(0, 2, (300, 1))
    w = rng.uniform(0, 2, 300)
    assert_close(measured("auc", y, t, w, "bce_with_logits"), METRICS["auc"](y, t, w), "metric", scale=1)


def test_auc_of_one_class_alone_is_not_a_number():
    assert np.isnan(measured("auc", [[0.0], [1.0]], [[1.0], [1.0]], loss="bce_with_logits"))


def test_log_loss_stays_finite():
    assert measured("log_loss", [[1e30, 0.0]], [1]) == 100
    assert measured("log_loss", [[0.0], [1.0]], [[1.0], [0.0]], loss="bce") == 100


def test_a_class_without_rows(rng):
    """Balanced accuracy and F1 average over the classes there are."""
    y, t = rng.normal(size=(50, 5)), rng.integers(0, 3, 50)
    y[:, 4] = -9
    for name in ("balanced_accuracy", "f1"):
        assert_close(measured(name, y, t), METRICS[name](y, t, np.ones(50)), "metric", scale=1)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", [1, 2, 7])
def test_scikit_learn(classes, weighted, rng):
    reference = pytest.importorskip("sklearn.metrics")
    y = rng.normal(size=(400, classes))
    t = rng.integers(0, max(classes, 2), 400)
    w = rng.uniform(0.1, 2, 400) if weighted else None
    guess = y.argmax(axis=1) if classes > 1 else (y[:, 0] > 0).astype(int)
    p = np.exp(log_softmax(y)) if classes > 1 else 1 / (1 + np.exp(-y[:, 0]))
    scores = p[:, 1] if classes == 2 else p
    expected = {
        "accuracy": reference.accuracy_score(t, guess, sample_weight=w),
        "balanced_accuracy": reference.balanced_accuracy_score(t, guess, sample_weight=w),
        "f1": reference.f1_score(t, guess, average="macro" if classes > 1 else "binary", sample_weight=w),
        "log_loss": reference.log_loss(t, p, sample_weight=w),
    }
    if not (weighted and classes > 2):  # scikit-learn 1.9 takes no weights there
        expected["auc"] = reference.roc_auc_score(t, scores, sample_weight=w, multi_class="ovr")
    if classes > 3:
        expected["top_3"] = reference.top_k_accuracy_score(t, p, k=3, sample_weight=w)
        expected["top_5"] = reference.top_k_accuracy_score(t, p, k=5, sample_weight=w)
    loss = "cross_entropy" if classes > 1 else "bce_with_logits"
    target = t if classes > 1 else t[:, None].astype(float)
    for name, value in expected.items():
        assert measured(name, y, target, w, loss) == pytest.approx(value, rel=1e-12), name


@pytest.mark.parametrize("name", CLASSES)
def test_training_metrics_of_batches_are_those_of_all_rows(name, rng):
    x, t = rng.normal(size=(50, 3)), rng.integers(0, 6, 50)
    net = nn.Sequential(nn.Linear(3, 6), dtype="float64")
    still = cmlp.optim.SGD(net.parameters(), lr=0.0)
    history = net.fit(x, t, loss="cross_entropy", optimizer=still, metrics=[name], batch_size=7).history
    assert_close(
        history[name], [net.evaluate(x, t, loss="cross_entropy", metrics=[name])[name]], "metric", scale=1
    )
