"""The perceptron learns as the oracle does; its bounds, its log and its warnings."""

from __future__ import annotations

import pickle
import signal
import threading
import time

import numpy as np
import pytest

from cmlp import Perceptron, _core
from perceptron_oracle import ORACLES, XOR, fitted, make_data

RULES = [row["name"] for row in _core.perceptron_rules()]


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("rule", RULES)
def test_same_numbers_as_the_oracle(rule, noise):
    x, y = make_data(noise=noise, margin=0.05, seed=4)
    for epochs, tolerance in [(3, 1e-6), (200, 1e-3)]:
        model = fitted(rule, x, y, learning_rate=0.05, epochs=epochs, tolerance=tolerance)
        log, converged, w = ORACLES[rule](x, y, 0.05, epochs, tolerance)
        assert model.mistakes_.tolist() == [row[0] for row in log]
        assert model.squared_error_.tolist() == [row[1] for row in log]
        assert (model.converged_, model.n_iter_) == (converged, len(log))
        learned = np.append(model.coef_[0], model.intercept_)
        if rule == "averaged":  # the core weighs each w by the rows it survived
            np.testing.assert_allclose(learned, w, rtol=1e-12)
        else:
            assert learned.tolist() == w.tolist()
        assert model.mistakes_left_ == round((1 - model.score(x, y)) * len(x))


@pytest.mark.parametrize("rule", RULES)
def test_default_learning_rate_is_the_rules_own(rule):
    x, y = make_data(seed=1)
    rate = next(row["parameters"]["learning_rate"] for row in _core.perceptron_rules() if row["name"] == rule)
    a, b = fitted(rule, x, y), fitted(rule, x, y, learning_rate=rate)
    assert a.coef_.tolist() == b.coef_.tolist()


@pytest.mark.parametrize("shuffle", [False, True])
def test_mistakes_stay_below_the_bound_of_the_convergence_theorem(shuffle):
    margin = 0.05
    x, y = make_data(200, 3, margin=margin, seed=2)
    model = Perceptron(epochs=10_000, shuffle=shuffle).fit(x, y)
    radius2, gamma2 = (x**2).sum(1).max() + 1, margin**2 / 1.01  # in the space of (x, 1)
    assert model.converged_
    assert model.mistakes_.sum() <= radius2 / gamma2
    assert model.score(x, y) == 1.0


@pytest.mark.parametrize("rule", RULES)
def test_xor_does_not_converge_and_the_warning_says_what_is_left(rule):
    with pytest.warns(
        UserWarning, match=r"Perceptron.fit: not converged after 30 epochs: .* still wrong"
    ) as caught:
        model = Perceptron(rule, epochs=30, tolerance=0).fit(*XOR)
    assert caught[0].filename == __file__
    assert not model.converged_
    assert f"{model.mistakes_left_} of the training rows" in str(caught[0].message)
    assert model.mistakes_left_ >= 1
    assert model.mistakes_[-1] > 0


def test_pocket_is_never_worse_than_rosenblatt():
    for seed in range(10):
        x, y = make_data(noise=0.15, seed=seed)
        scores = {
            rule: fitted(rule, x, y, shuffle=True, seed=seed).score(x, y) for rule in ("rosenblatt", "pocket")
        }
        assert scores["pocket"] >= scores["rosenblatt"]


def test_adaline_approaches_least_squares():
    x, y = make_data(noise=0.1, seed=3)
    model = Perceptron("adaline", learning_rate=2e-4, epochs=20_000, tolerance=1e-13).fit(x, y)
    best = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), np.where(y == 1, 1.0, -1.0), rcond=None)[0]
    np.testing.assert_allclose(np.append(model.coef_, model.intercept_), best, atol=5e-3)


def test_overflow_keeps_finite_weights_and_says_so():
    x, y = make_data()
    with pytest.warns(UserWarning, match="overflowed after .* choose a smaller learning_rate or scale X"):
        model = Perceptron("adaline", learning_rate=100.0).fit(x, y)
    assert np.isfinite(model.coef_).all()


def test_shuffle_follows_the_seed():
    x, y = make_data(noise=0.1)
    logs = [fitted(x, y, shuffle=True, seed=seed, epochs=20).mistakes_.tolist() for seed in (1, 1, 2)]
    assert logs[0] == logs[1] != logs[2]


def test_path_begins_at_zero_and_ends_at_the_weights():
    x, y = make_data(margin=0.05)
    for keep_path, steps in [("epoch", lambda m: m.n_iter_), ("update", lambda m: m.mistakes_.sum())]:
        model = Perceptron(epochs=1000, keep_path=keep_path).fit(x, y)
        assert model.path_.shape == (steps(model) + 1, 4)
        assert not model.path_[0].any()
        assert model.path_[-1].tolist() == [*model.coef_[0], *model.intercept_]
    assert Perceptron(epochs=1000, keep_path=True).fit(x, y).path_.shape == model.path_.shape
    assert Perceptron(epochs=1000).fit(x, y).path_ is None


def test_three_classes_are_learned_one_against_the_rest():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(centre, 0.2, (30, 2)) for centre in [(0, 2), (2, -1), (-2, -1)]])
    y = np.repeat(["top", "right", "left"], 30)
    model = Perceptron().fit(x, y)
    assert model.classes_.tolist() == ["left", "right", "top"]
    assert model.coef_.shape == (3, 2)
    assert model.decision_function(x).shape == (90, 3)
    assert model.mistakes_.shape == (model.n_iter_, 3)
    assert (model.mistakes_[-1] == 0).all()
    assert model.score(x, y) == 1.0
    y[0] = "right"
    with pytest.warns(UserWarning, match="class right: not converged .*; class top: not converged"):
        model.fit(x, y)


def test_pickling_keeps_everything():
    x, y = make_data()
    model = fitted(x, y, keep_path=True)
    again = pickle.loads(pickle.dumps(model))
    assert again.predict(x).tolist() == model.predict(x).tolist()
    assert repr(again) == repr(model)
    assert repr(model).startswith("Perceptron(rule='rosenblatt', learning_rate=None, epochs=100, ")


def test_a_failed_fit_leaves_the_model_as_it_was():
    model = Perceptron().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError):
        model.fit([[0.0], [float("nan")]], ["a", "b"])
    assert model.predict([[1.0]]).tolist() == [1]


def test_other_threads_run_while_it_learns():
    model = threading.Thread(target=lambda: fitted(*XOR, epochs=3_000_000))
    model.start()
    turns = 0
    while model.is_alive():
        turns += 1
        time.sleep(0.001)
    assert turns > 20


def test_ctrl_c_ends_the_learning():
    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            Perceptron(epochs=10**12).fit(*XOR)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - start < 2
