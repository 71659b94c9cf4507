"""The networks of a tabular model: presets, time limits, Ctrl-C, threads."""

import itertools

import numpy as np
import pytest

from cmlp.tabular import TabularClassifier, TabularRegressor
from cmlp.tabular.fitting import NoModelError, fit_network
from cmlp.tabular.recipe import PRESETS
from cmlp.tabular.search import TRIALS


def test_presets_time_limits_and_metrics(shop):
    x, y = shop.drop(columns="buys"), shop["buys"]
    for options in (
        {"preset": "fast"},
        {"preset": "best", "epochs": 5},
        {"time_limit": 60.0},
        {"metric": "F1"},
    ):
        model = TabularClassifier(**options, n_threads=1).fit(x, y)
        assert model.record_["scores"]["accuracy"] > 0.6, options


@pytest.mark.parametrize("preset", PRESETS)
def test_a_time_limit_below_an_epoch_of_each_network(preset):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(400, 3))
    model = TabularRegressor(preset, time_limit=0.02, hidden=(16,), n_threads=1).fit(x, x[:, 0])
    assert 1 <= model.record_["networks"] <= PRESETS[preset].members


@pytest.mark.parametrize("after", [0, 1, 3])
def test_networks_before_ctrl_c_are_kept(shop, monkeypatch, after):
    """Ctrl-C in the first epoch of a network, when others are complete."""
    calls = []

    def fit(*arguments, **others):
        calls.append(1)
        if len(calls) > after:
            raise NoModelError("stopped before the first epoch was over", interrupted=True)
        return fit_network(*arguments, **others)

    monkeypatch.setattr("cmlp.tabular.training.fit_network", fit)
    model = TabularClassifier("best", epochs=1, n_threads=1, hidden=(8,))
    if not after:
        with pytest.raises(NoModelError, match="stopped"):
            model.fit(shop.drop(columns="buys"), shop["buys"])
        return
    model.fit(shop.drop(columns="buys"), shop["buys"])
    assert model.record_["interrupted"]
    assert 1 <= model.record_["networks"] <= after


@pytest.mark.parametrize(
    ("options", "shares"), [({"cv": 4}, [4, 3, 2, 1]), ({}, [3, 2, 1]), ({"preset": "best"}, None)]
)
def test_a_time_limit_is_shared_by_the_trainings(shop, monkeypatch, options, shares):
    limits = []

    def fit(*arguments, time_limit=None, **others):
        if time_limit is not None:
            limits.append(time_limit)
        return fit_network(*arguments, time_limit=time_limit, **others)

    monkeypatch.setattr("cmlp.tabular.training.fit_network", fit)
    model = TabularClassifier(**options, time_limit=1000.0, epochs=1, n_threads=1)
    model.fit(shop.drop(columns="buys"), shop["buys"])
    if shares is None:  # so many trials first, then the rest
        trials = TRIALS * len(PRESETS["best"].changes)
        rest = PRESETS["best"].members - TRIALS
        first = 1000.0 * trials / (trials + rest)
        np.testing.assert_allclose(limits[:trials], first / np.arange(trials, 0, -1), rtol=0.05)
        np.testing.assert_allclose(limits[trials:], 1000.0 / np.arange(rest, 0, -1), rtol=0.05)
    else:
        np.testing.assert_allclose(limits, 1000.0 / np.array(shares), rtol=0.05)


# Inputs without a number to embed, with more than a dense matrix holds, and networks that embed none.
NOTHING_TO_EMBED = {
    "categories": ({"a": ["x", "y", "z", "x"] * 20}, {}),
    "sparse": ({f"c{k}": ["x", "y"] * 40 for k in range(300)}, {}),
    "linear": ({"a": [float(k % 7) for k in range(80)]}, {"hidden": ()}),
    "another optimizer": ({"a": [float(k % 7) for k in range(80)]}, {"optimizer": "adam"}),
}


@pytest.mark.parametrize("name", NOTHING_TO_EMBED)
def test_recipes_that_make_the_same_network_are_one(monkeypatch, name):
    x, options = NOTHING_TO_EMBED[name]
    seeds = []

    def fit(net, train, validation, plan, **others):
        seeds.append(plan.seed)
        return fit_network(net, train, validation, plan, **others)

    monkeypatch.setattr("cmlp.tabular.training.fit_network", fit)
    TabularClassifier("best", epochs=1, n_threads=1, **options).fit(x, ["p", "q", "q", "p"] * 20)
    assert sorted(seeds) == list(range(PRESETS["best"].members))


def test_a_time_limit_shortens_the_schedules(shop, monkeypatch):
    ticks = itertools.count(1000.0)  # every look at the clock is a second after the one before
    monkeypatch.setattr("cmlp.tabular.training.time.perf_counter", lambda: next(ticks))
    x, y = shop.drop(columns="buys"), shop["buys"]
    model = TabularClassifier("fast", time_limit=100.0, epochs=100_000, batch_size=80, n_threads=1).fit(x, y)
    assert 1 < model.record_["epochs"] < 90  # an epoch of 4 batches takes a second or more by this clock
    assert model.record_["scores"]["accuracy"] > 0.6


@pytest.mark.parametrize("threads", [2, 3])
def test_networks_trained_side_by_side_have_the_bits_of_one_after_the_other(shop, threads):
    x, y = shop.drop(columns="buys"), shop["buys"]
    one, other = (TabularClassifier(epochs=8, n_threads=n).fit(x, y) for n in (1, threads))
    assert len(list(one.net_[0])) == PRESETS["default"].members
    np.testing.assert_array_equal(one.predict_proba(x), other.predict_proba(x))
