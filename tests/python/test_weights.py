"""What weights mean: 2 is the row twice, 0 the row absent, for every loss, optimizer and metric."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import _core, nn, optim
from networks import as_targets

RNG = np.random.default_rng(0)
ROWS, COLUMNS = 24, 4
X = RNG.normal(size=(ROWS, COLUMNS))
WEIGHT = RNG.integers(0, 3, ROWS).astype(float)
TWICE = np.repeat(np.arange(ROWS), WEIGHT.astype(int))  # the rows as their weights say
CLASSES = RNG.integers(0, 3, ROWS)
POSITIVE = RNG.uniform(0.1, 3, (ROWS, 3))
BINARY = RNG.integers(0, 2, (ROWS, 3)).astype(float)
SHARES = RNG.dirichlet(np.ones(3), ROWS)
KINDS = {name: _core.output_kind(name) for name in cmlp.losses()}
TARGETS = {
    "class_logits": CLASSES,
    "log_probability": SHARES,
    "logit": BINARY,
    "probability": BINARY,
    "quantiles": POSITIVE[:, :1],
}
LAST = {
    "probability": [nn.Sigmoid()],
    "log_probability": [nn.LogSoftmax()],
    "moments": [nn.Softplus()],
}
ROUNDING = {"rtol": 1e-11, "atol": 1e-12}


def problem(loss):
    """A loss, a small network for it and what it should learn."""
    kind = KINDS[loss]
    out = {"moments": 6, "quantiles": 3}.get(kind, 3)
    criterion = nn.Loss(loss, weight=[0.1, 0.5, 0.9]) if kind == "quantiles" else nn.Loss(loss)
    last = [nn.LogSoftmax()] if loss == "nll" else LAST.get(kind, [])
    net = nn.Sequential(nn.Linear(COLUMNS, 8), nn.Tanh(), nn.Linear(8, out), *last, seed=1, dtype="float64")
    return net, criterion, as_targets(loss, TARGETS.get(kind, POSITIVE))


def trained(loss, optimizer="sgd", weighted=True, **options):
    """Full batches of the rows with weights, or of the rows as often as their weights say."""
    net, criterion, y = problem(loss)
    rows = np.arange(ROWS) if weighted else TWICE
    weight = WEIGHT if weighted else None
    rule = optim.Optimizer(net.parameters(), optimizer)
    validation = (X[rows], y[rows], weight) if weighted else (X[rows], y[rows])
    history = net.fit(X[rows], y[rows], loss=criterion, optimizer=rule, epochs=5, batch_size=len(rows),
                      sample_weight=weight, validation_data=validation, **options).history  # fmt: skip
    history.pop("seconds")
    return net, history


def assert_same(one, two):
    for a, b in zip(one[0].state_dict().values(), two[0].state_dict().values(), strict=True):
        np.testing.assert_allclose(a, b, **ROUNDING)
    assert list(one[1]) == list(two[1])
    for key in one[1]:
        np.testing.assert_allclose(one[1][key], two[1][key], err_msg=key, **ROUNDING)


@pytest.mark.parametrize("loss", KINDS)
def test_every_loss(loss):
    assert_same(trained(loss), trained(loss, weighted=False))


@pytest.mark.parametrize("optimizer", cmlp.optimizers())
def test_every_optimizer(optimizer):
    assert_same(trained("mse", optimizer), trained("mse", optimizer, weighted=False))


def fits(loss, metric):
    net, criterion, y = problem(loss)
    try:
        net.evaluate(X, y, loss=criterion, metrics=[metric])
    except ValueError:
        return False
    return True


PAIRS = [(metric, loss) for metric in cmlp.metrics() for loss in KINDS if fits(loss, metric)]


def test_every_metric_goes_with_a_loss():
    assert {metric for metric, _ in PAIRS} == set(cmlp.metrics())


@pytest.mark.parametrize(("metric", "loss"), PAIRS)
def test_every_metric(metric, loss):
    one = trained(loss, metrics=[metric])
    assert_same(one, trained(loss, weighted=False, metrics=[metric]))
    assert metric in one[1]


@pytest.mark.parametrize("options", [{"l2": 0.1}, {"accumulate_steps": 4}, {"clip_grad_norm": 0.1}], ids=str)
def test_with_other_options(options):
    assert_same(trained("mse", **options), trained("mse", weighted=False, **options))


@pytest.mark.parametrize("loss", [name for name, kind in KINDS.items() if kind == "class_logits"])
def test_class_weights_are_rows(loss):
    (net, criterion, y), (other, _, _) = problem(loss), problem(loss)
    times = np.array([2, 0, 3])
    rows = np.repeat(np.arange(ROWS), times[CLASSES])
    for each, at, weights in ((net, np.arange(ROWS), {0: 2.0, 1: 0.0, 2: 3.0}), (other, rows, None)):
        each.fit(X[at], y[at], loss=criterion, epochs=5, batch_size=len(at), class_weight=weights)
    assert_same((net, {}), (other, {}))


def test_batch_statistics_count_every_row_once():
    nets = []
    for weight in (None, WEIGHT):
        net = nn.Sequential(nn.BatchNorm1d(COLUMNS), nn.Linear(COLUMNS, 1), seed=0, dtype="float64")
        rule = optim.SGD(net.parameters(), lr=0.0)
        net.fit(X, X[:, 0], loss="mse", optimizer=rule, batch_size=ROWS, sample_weight=weight)
        nets.append(net.state_dict()["0.running_mean"])
    np.testing.assert_array_equal(*nets)
