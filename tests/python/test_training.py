"""Training learns; one step is its four parts; a weight of 2 is the row twice."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import _core, nn, optim
from networks import as_targets
from products import every_pair
from reference import MLP, OPTIMIZERS, loss
from tolerance import assert_close, assert_same_bits

KINDS = {name: _core.output_kind(name) for name in cmlp.losses()}
KINDS.pop("gaussian_nll")  # two columns of predictions for one of targets: test_loss_settings.py
RATES = {
    "sgd": {"lr": 0.1, "momentum": 0.9},
    "adam": {"lr": 0.01},
    "adamw": {"lr": 0.01},
    "nadam": {"lr": 0.01},
    "radam": {"lr": 0.02},
    "adamax": {"lr": 0.02},
    "adagrad": {"lr": 0.1},
    "adadelta": {"lr": 10},
    "rmsprop": {"lr": 0.005},
    "rprop": {"lr": 0.001, "step_max": 0.02},
    "asgd": {"lr": 0.5},
    "lion": {"lr": 0.004},
    "adan": {"lr": 0.02},
    "muon": {"lr": 0.02},
}
FULL_BATCH = {"rprop"}  # goes by the signs of the gradient alone, which the noise of batches turns
XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])


def two_moons(rows=400, noise=0.15):
    """Two half circles that no line divides."""
    rng = np.random.default_rng(0)
    y = np.arange(rows) % 2
    angle = rng.uniform(0, np.pi, rows)
    x = np.column_stack([np.cos(angle) + y, np.sin(angle) * (1 - 2 * y) + 0.5 * y])
    return x - x.mean(axis=0) + noise * rng.normal(size=x.shape), y


def digits():
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.load_digits(return_X_y=True)
    return x / 16, y


def rule(name, net, factor=1):
    return optim.Optimizer(net.parameters(), name, **{**RATES[name], "lr": factor * RATES[name]["lr"]})


def test_every_optimizer_has_a_rate_to_learn_with():
    assert set(RATES) == set(cmlp.optimizers())


@pytest.mark.parametrize("name", RATES)
def test_xor_is_learned(name, dtype):
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2), seed=0, dtype=dtype)
    history = net.fit(*XOR, loss="cross_entropy", optimizer=rule(name, net), epochs=300, metrics=["accuracy"])
    assert net.evaluate(*XOR, loss="cross_entropy", metrics=["accuracy"])["accuracy"] == 1
    assert history.history["loss"][-1] < 0.1 < history.history["loss"][0]


@pytest.mark.parametrize(("loss", "end"), [("bce_with_logits", []), ("bce", [nn.Sigmoid]), ("mse", [])])
def test_xor_is_learned_with_one_output(loss, end, dtype):
    net = nn.Sequential(
        nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1), *[kind() for kind in end], seed=0, dtype=dtype
    )
    net.fit(*XOR, loss=loss, optimizer=rule("adam", net), epochs=300)
    threshold = 0 if KINDS[loss] == "logit" else 0.5
    assert ((net.predict(XOR[0])[:, 0] > threshold) == XOR[1]).all()


@pytest.mark.parametrize("activation", [name for name in cmlp.activations() if name != "identity"])
def test_two_moons_are_divided_with_every_activation(activation):
    """Of a width that reaches the bends of the piecewise ones; a line is right in 0.86 of the rows."""
    x, y = two_moons()
    x = 3 * x
    net = nn.Sequential(nn.Linear(2, 32), nn.Activation(activation), nn.Linear(32, 2), seed=0)
    net.fit(x, y, loss="cross_entropy", optimizer=optim.Adam(net.parameters(), lr=0.03), epochs=250)
    least = {"hardshrink": 0.87, "step": 0.8}.get(activation, 0.97)  # the gradient does not see their jumps
    assert (net.predict(x).argmax(axis=1) == y).mean() > least


@pytest.mark.parametrize("name", RATES)
def test_two_moons_are_divided_by_every_optimizer(name):
    x, y = two_moons()
    net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2), seed=0)
    batch = 300 if name in FULL_BATCH else 32
    net.fit(x[:300], y[:300], loss="cross_entropy", optimizer=rule(name, net), epochs=60, batch_size=batch)
    assert (net.predict(x[300:]).argmax(axis=1) == y[300:]).mean() > 0.97


@pytest.mark.parametrize("name", RATES)
def test_digits_are_read(name):
    x, y = digits()
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10), seed=0)
    batch, epochs = (1400, 60) if name in FULL_BATCH else (32, 12)
    net.fit(
        x[:1400], y[:1400], loss="cross_entropy", optimizer=rule(name, net), epochs=epochs, batch_size=batch
    )  # fmt: skip
    assert net.evaluate(x[1400:], y[1400:], loss="cross_entropy", metrics=["accuracy"])["accuracy"] > 0.9


def case(loss, dtype, rng, rows=33):
    end = [nn.Sigmoid()] if KINDS[loss] == "probability" else []
    layers = [nn.Linear(5, 20), nn.GELU(), nn.Dropout(0.3), nn.Linear(20, 4), *end]
    y = (
        rng.integers(0, 4, rows)
        if KINDS[loss] == "class_logits"
        else as_targets(loss, rng.uniform(size=(rows, 4)).astype(dtype))
    )
    return nn.Sequential(*layers, seed=1, dtype=dtype), rng.normal(size=(rows, 5)).astype(dtype), y


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("loss", "name"), every_pair(KINDS, cmlp.optimizers()))
def test_train_step_is_its_four_parts(loss, name, weighted, dtype, rng, isa):
    fused, x, y = case(loss, dtype, rng)
    parts = fused.copy()
    weight = rng.uniform(0, 2, len(x)) if weighted else None
    criterion = nn.Loss(loss)
    factor = 0.1 if KINDS[loss] == "log_mean" else 1  # exp(prediction) diverges at once
    one, two = rule(name, fused, factor), rule(name, parts, factor)
    for _ in range(4):
        value = fused.train_step(x, y, criterion, one, sample_weight=weight)
        parts.zero_grad()
        assert criterion(parts(x), y, weight) == value
        parts.backward(criterion.backward())
        two.step()
        assert_same_bits([p.grad for p in fused.parameters()], [p.grad for p in parts.parameters()])
        assert_same_bits([p.data for p in fused.parameters()], [p.data for p in parts.parameters()])


@pytest.mark.parametrize("loss", KINDS)
def test_one_epoch_in_order_is_its_steps(loss, dtype, rng):
    complete, x, y = case(loss, dtype, rng, 50)
    steps = complete.copy()
    complete.fit(x, y, loss=loss, optimizer=rule("adam", complete), batch_size=16, shuffle=False)
    adam, criterion = rule("adam", steps), nn.Loss(loss)
    for first in range(0, 50, 16):
        steps.train_step(x[first : first + 16], y[first : first + 16], criterion, adam)
    assert_same_bits([p.data for p in complete.parameters()], [p.data for p in steps.parameters()])


@pytest.mark.parametrize(("kind", "name"), every_pair(KINDS, cmlp.optimizers()))
def test_steps_against_the_oracle(kind, name, dtype, rng):
    net, x, y = case(kind, dtype, rng)
    net._core.training = False  # no dropout in the oracle
    mlp, state = MLP(net), {}
    optimizer, criterion = rule(name, net), nn.Loss(kind)
    settings = {key: value for key, value in optimizer.param_groups[0].items() if key != "params"}
    for step in range(1, 5):
        value, gradient = loss(kind, mlp.forward(x), y)
        grads = mlp.backward(gradient)[1]
        mlp.state = {
            key: OPTIMIZERS[name](w, grads[key], state.setdefault(key, {}), step, **settings)
            for key, w in mlp.state.items()
        }
        assert_close(net.train_step(x, y, criterion, optimizer), value, "training", dtype)
    for key, w in net.state_dict().items():
        assert_close(w, mlp.state[key], "training", dtype, scale=abs(mlp.state[key]).max())


@pytest.mark.parametrize("limit", [1e-3, 1.0, 1e6])
def test_gradients_are_clipped_to_their_norm(limit, dtype, rng):
    net, x, y = case("mse", dtype, rng)
    free = net.copy()
    free.train_step(x, y, nn.MSELoss("sum"), optim.SGD(free.parameters(), lr=0))
    net.train_step(x, y, nn.MSELoss("sum"), optim.SGD(net.parameters(), lr=0), clip_grad_norm=limit)
    norm = np.sqrt(sum((p.grad.astype(float) ** 2).sum() for p in free.parameters()))
    factor = min(1.0, limit / norm)
    for clipped, full in zip(net.parameters(), free.parameters(), strict=True):
        assert_close(clipped.grad, full.grad * factor, "training", dtype, scale=float(abs(full.grad).max()))


def fitted(dtype, x, y, weight, loss, metrics, **options):
    net = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3), seed=2, dtype=dtype)
    history = net.fit(
        x, y, loss=loss, optimizer=optim.SGD(net.parameters(), lr=0.05), sample_weight=weight, epochs=5,
        shuffle=False, metrics=metrics, batch_size=1000, **options,
    )  # fmt: skip
    return np.concatenate([p.data.ravel() for p in net.parameters()]), history.history


@pytest.mark.parametrize(
    ("loss", "metrics"), [("cross_entropy", ["accuracy"]), ("mse", ["mse", "rmse", "mae", "r2"])]
)
def test_weight_two_is_the_row_twice_and_zero_the_row_absent(loss, metrics, dtype, rng):
    x = rng.normal(size=(40, 5))
    y = rng.integers(0, 3, 40) if loss == "cross_entropy" else rng.normal(size=(40, 3))
    weight = np.arange(40) % 3
    xs, ys = np.repeat(x, weight, axis=0), np.repeat(y, weight, axis=0)
    w1, h1 = fitted(dtype, x, y, weight, loss, metrics, validation_data=(x, y, weight))
    w2, h2 = fitted(dtype, xs, ys, None, loss, metrics, validation_data=(xs, ys))
    assert_close(w1, w2, "training", dtype, scale=abs(w2).max())
    assert list(h1) == ["loss", *metrics, "val_loss", *(f"val_{name}" for name in metrics), "lr", "seconds"]
    for key in h1.keys() - {"seconds"}:
        assert_close(h1[key], h2[key], "training", dtype, scale=1)
