"""Options of a step: accumulated batches, L1, L2, max-norm, mixup, input noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from cmlp import _core, nn, optim
from tolerance import assert_same_bits

RNG = np.random.default_rng(0)
ROWS, SEED = 60, 5
X, Y = RNG.normal(size=(ROWS, 4)), RNG.integers(0, 3, ROWS)
T = RNG.normal(size=(ROWS, 3))
W = RNG.integers(0, 4, ROWS).astype(float)
LOSSES = {"cross_entropy": Y, "mse": T, "huber": T}


def network(dtype="float64", seed=1):
    layers = nn.Linear(4, 8), nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 3)
    return nn.Sequential(*layers, seed=seed, dtype=dtype)


def fit(net, y=Y, loss="cross_entropy", rate=0.1, **options):
    sgd = optim.SGD(net.parameters(), lr=rate, momentum=0.5)
    settings = {"epochs": 3, "batch_size": 8, "seed": SEED, **options}
    return net.fit(X, y, loss=loss, optimizer=sgd, **settings).history


def values(net):
    return [np.array(value) for value in net.state_dict().values()]


def assert_near(net, other, rtol=1e-12):
    for a, b in zip(values(net), values(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


def parts(net, criterion, x, y, weight=None):
    """One forward and backward by hand, gradients added to: the loss."""
    loss = criterion(net(x), y, weight)
    net.backward(criterion.backward())
    return loss


# ---- accumulate_steps


@pytest.mark.parametrize("weight", [None, W], ids=["plain", "weighted"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "batchmean"])
def test_accumulated_batches_are_one_large_batch(reduction, loss, weight):
    small, large = network(), network()
    criterion = nn.Loss(loss, reduction=reduction)
    options = {"loss": criterion, "sample_weight": weight, "rate": 0.1 if reduction != "sum" else 1e-3}
    one = fit(small, LOSSES[loss], accumulate_steps=4, **options)
    two = fit(large, LOSSES[loss], batch_size=32, **options)
    assert_near(small, large)
    np.testing.assert_allclose(one["loss"], two["loss"], rtol=1e-12)


def test_accumulated_steps_are_counted_as_steps():
    net = network()
    recorded = []
    fit(net, accumulate_steps=3, epochs=2, step_callbacks=[recorded.append], every_steps=1)
    assert net.history.steps == 6  # 60 rows: 8 batches an epoch, 3 steps
    assert [(p["step"], p["steps"]) for p in recorded[:3]] == [(0, 3), (1, 3), (2, 3)]


def test_one_accumulated_step_changes_no_bit():
    one, two = network(), network()
    fit(one, accumulate_steps=1), fit(two)
    assert_same_bits(values(one), values(two))


def test_schedules_move_with_accumulated_steps():
    one, two = network(), network()
    for net, size, k in ((one, 8, 4), (two, 32, 1)):
        adam = optim.Adam(net.parameters(), lr=0.01)
        scheduler = optim.lr_scheduler.CosineAnnealingLR(adam, 6)
        net.fit(X, Y, loss="cross_entropy", optimizer=adam, epochs=3, batch_size=size, accumulate_steps=k,
                scheduler=scheduler, scheduler_interval="step")  # fmt: skip
        assert scheduler.last_epoch == 6
    assert_near(one, two, rtol=1e-9)


# ---- l1, l2, max_norm


@pytest.mark.parametrize(("l1", "l2"), [(0.01, 0.0), (0.0, 0.02), (0.03, 0.01)])
def test_penalties_are_terms_of_the_loss(l1, l2):
    net, by_hand = network(), network()
    sgd, other = optim.SGD(net.parameters(), lr=0.1), optim.SGD(by_hand.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    for _ in range(5):
        got = net.train_step(X, Y, criterion, sgd, l1=l1, l2=l2)
        by_hand.zero_grad()
        expected = parts(by_hand, criterion, X, Y)
        for layer in (by_hand[0], by_hand[3]):
            w = np.array(layer.weight.data)
            expected += l1 * abs(w).sum() + l2 / 2 * (w**2).sum()
            layer.weight.grad[...] += l1 * np.sign(w) + l2 * w
        other.step()
        assert got == pytest.approx(expected, rel=1e-13)
    assert_near(net, by_hand)


def test_penalties_in_fit_are_those_of_train_step():
    net, by_hand = network(), network()
    more = {"l1": 1e-3, "l2": 0.01, "max_norm": 0.9, "clip_grad_norm": 0.5}
    history = fit(net, batch_size=ROWS, epochs=4, shuffle=False, **more, validation_data=(X, Y))
    sgd = optim.SGD(by_hand.parameters(), lr=0.1, momentum=0.5)
    losses = [by_hand.train_step(X, Y, nn.CrossEntropyLoss(), sgd, **more) for _ in range(4)]
    assert_same_bits(values(net), values(by_hand))
    assert history["loss"] == losses
    assert history["val_loss"][-1] == by_hand.evaluate(X, Y, loss="cross_entropy")["loss"]


def test_the_gradient_of_a_penalty_is_clipped_with_the_rest():
    net, by_hand = network(), network()
    criterion = nn.CrossEntropyLoss()
    net.train_step(X, Y, criterion, optim.SGD(net.parameters(), lr=0.1), l2=5.0, clip_grad_norm=0.1)
    by_hand.zero_grad()
    parts(by_hand, criterion, X, Y)
    for layer in (by_hand[0], by_hand[3]):
        layer.weight.grad[...] += 5.0 * np.array(layer.weight.data)
    nn.utils.clip_grad_norm_(by_hand.parameters(), 0.1)
    optim.SGD(by_hand.parameters(), lr=0.1).step()
    assert_near(net, by_hand)


def test_l1_leaves_a_weight_of_0_alone():
    net = nn.Sequential(nn.Linear(4, 3, init="zeros"), dtype="float64")
    sgd = optim.SGD(net.parameters(), lr=0.1)
    net.train_step(np.zeros((2, 4)), np.zeros((2, 3)), nn.MSELoss(), sgd, l1=1.0)
    assert not np.any(net[0].weight.data)


def test_max_norm_scales_what_comes_into_a_unit(dtype):
    net, by_hand = network(dtype), network(dtype)
    criterion, limit = nn.CrossEntropyLoss(), 0.7
    net.train_step(X, Y, criterion, optim.SGD(net.parameters(), lr=0.1), max_norm=limit)
    by_hand.train_step(X, Y, criterion, optim.SGD(by_hand.parameters(), lr=0.1))
    for layer in (by_hand[0], by_hand[3]):
        w = np.array(layer.weight.data, float)  # (out, in)
        norm = np.linalg.norm(w, axis=1, keepdims=True)
        assert (norm > limit).any()
        layer.weight.data[...] = w * np.minimum(1, limit / norm)
    assert_near(net, by_hand, rtol=1e-14 if dtype == "float64" else 1e-6)


def test_frozen_weights_are_left_out():
    net = network()
    before = np.array(net[0].weight.data)
    sgd = optim.SGD(net[3].parameters(), lr=0.0)
    plain = net.evaluate(X, Y, loss="cross_entropy")["loss"]
    loss = net.train_step(X, Y, nn.CrossEntropyLoss(), sgd, l1=1.0, max_norm=1e-3)
    last = network()[3].weight.data
    assert loss == pytest.approx(plain + abs(np.array(last)).sum())
    assert_same_bits(np.array(net[0].weight.data), before)


# ---- mixup and input_noise


def explicit(net, mixup=0.0, noise=0.0, y=Y, weight=None, loss="cross_entropy", epochs=3):
    """The same training, step by step: order, pairs and noise from the core's streams."""
    sgd = optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
    size, count = 8, -(-ROWS // 8)
    criteria = nn.Loss(loss), nn.Loss(loss)
    for epoch in range(epochs):
        for i in range(count):
            rows, number = np.arange(ROWS)[i * size : (i + 1) * size], epoch * count + i
            x, share, pairs = X[rows], 1.0, np.arange(len(rows))
            if mixup:
                share, pairs = _core.mixup_pairs(len(rows), mixup, SEED, number)
                x = share * x + (1 - share) * X[rows[pairs]]
            x = x + noise * _core.input_noise(len(rows), 4, SEED, number)
            net.zero_grad()
            out = net(x)
            second = rows[pairs]
            for criterion, at in zip(criteria, (rows, second), strict=True):
                criterion(out, y[at], None if weight is None else weight[at])
            gradient = share * criteria[0].backward() + (1 - share) * criteria[1].backward()
            net.backward(gradient)
            sgd.step()


@pytest.mark.parametrize("weight", [None, W + 0.5], ids=["plain", "weighted"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("mixup", "noise"), [(0.4, 0.0), (0.0, 0.3), (2.0, 0.1)])
def test_mixup_and_noise_step_by_step(mixup, noise, loss, weight):
    net, by_hand = network(), network()
    y = LOSSES[loss]
    fit(net, y, loss, mixup=mixup, input_noise=noise, sample_weight=weight, shuffle=False)
    explicit(by_hand, mixup, noise, y, weight, loss)
    assert_near(net, by_hand)


@pytest.mark.parametrize("k", [1, 3])
def test_a_resumed_run_draws_on(k, threads):
    complete, cut = network(), network()
    options = {"mixup": 0.4, "input_noise": 0.2, "accumulate_steps": k, "rate": 0.1}
    fit(complete, epochs=4, **options)
    sgd = optim.SGD(cut.parameters(), lr=0.1, momentum=0.5)
    for threads_now, first, last in ((1, 0, 1), (3, 1, 4)):
        threads(threads_now)
        cut.fit(X, Y, loss="cross_entropy", optimizer=sgd, epochs=last, initial_epoch=first, batch_size=8,
                seed=SEED, mixup=0.4, input_noise=0.2, accumulate_steps=k)  # fmt: skip
    assert_same_bits(values(complete), values(cut))


@pytest.mark.parametrize("alpha", [0.05, 0.4, 1.0, 5.0])
def test_shares_are_beta(alpha):
    drawn = [_core.mixup_pairs(2, alpha, 0, number) for number in range(4000)]
    shares = np.array([share for share, _ in drawn])
    assert np.all((shares >= 0) & (shares <= 1))
    small = shares[shares < 0.5]  # near 1 a float64 is too coarse for a small alpha
    assert len(small) == pytest.approx(2000, abs=150)
    assert stats.kstest(small, lambda s: 2 * stats.beta(alpha, alpha).cdf(s)).pvalue > 1e-3
    assert np.mean([pairs == [1, 0] for _, pairs in drawn]) == pytest.approx(0.5, abs=0.05)


def test_noise_is_normal_and_of_its_own_stream():
    noise = [_core.input_noise(50, 20, 0, number) for number in range(4)]
    wide = _core.input_noise(3, 701, 0, 9)  # an odd number of columns, more than one block of draws
    for numbers in (np.ravel(noise), wide.ravel(), wide[:, 256:].ravel()):
        assert stats.kstest(numbers, "norm").pvalue > 1e-3
    assert len(np.unique(wide)) == wide.size
    assert abs(np.corrcoef([n.ravel() for n in noise]) - np.eye(4)).max() < 0.1
    assert abs(np.corrcoef(noise[0][:, 0::2].ravel(), noise[0][:, 1::2].ravel())[0, 1]) < 0.15
    assert_same_bits(noise[1], _core.input_noise(50, 20, 0, 1))


def test_noise_is_off_in_evaluation():
    one, two = network(), network()
    a = fit(one, rate=0.0, input_noise=5.0, validation_data=(X, Y))
    b = fit(two, rate=0.0, validation_data=(X, Y))
    assert a["val_loss"] == b["val_loss"]
    assert a["loss"] != b["loss"]


# ---- what is refused

STEP = ["l1", "l2", "max_norm", "clip_grad_norm", "clip_grad_value"]
BAD = [
    *[(name, value, f"{name} is {text}, it must be at least 0") for name in [*STEP, "mixup", "input_noise"]
      for value, text in ((-1.0, "-1"), (np.nan, "nan"))],
    ("accumulate_steps", 0, "accumulate_steps is 0, it must be at least 1"),
    ("accumulate_steps", 1.5, "accumulate_steps is 1.5, it must be an integer"),
    ("mixup", np.inf, "mixup is inf, it must be finite"),
    ("input_noise", np.inf, "input_noise is inf, it must be finite"),
    ("l1", np.inf, "l1 is inf, it must be finite"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "message"), BAD)
def test_options_of_fit_that_are_refused(name, value, message):
    net = network()
    before = values(net)
    with pytest.raises(ValueError, match=f"fit: {message}"):
        fit(net, **{name: value})
    assert_same_bits(values(net), before)


@pytest.mark.parametrize("name", STEP)
def test_options_of_train_step_that_are_refused(name):
    net = network()
    with pytest.raises(ValueError, match=f"train_step: {name} is -1, it must be at least 0"):
        net.train_step(X, Y, nn.CrossEntropyLoss(), optim.SGD(net.parameters()), **{name: -1.0})


@pytest.mark.parametrize("name", ["mixup", "input_noise"])
def test_codes_are_never_mixed(name):
    net = nn.Sequential(nn.Embedding(3, 2, columns=[0]), nn.Linear(3, 3))
    with pytest.raises(ValueError, match=f"{name} would change the codes that Embedding layer '0' looks up"):
        net.fit(np.ones((4, 2)), np.zeros(4, int), loss="cross_entropy", **{name: 0.1})
