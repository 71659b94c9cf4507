"""Early stopping of net.fit: ways to set it, the value that is monitored, and where that is refused."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import nn, optim
from tolerance import assert_same_bits

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 4)), RNG.integers(0, 3, 60)


def network(seed=0):
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), seed=seed)


def fit(net, **options):
    return net.fit(X, Y, **{"loss": "cross_entropy", "batch_size": 10, "epochs": 3, **options})


SAME = {
    "True": {"early_stopping": True},
    "a patience": {"early_stopping": 10},
    "among the callbacks": {"callbacks": [cmlp.EarlyStopping()]},
    "as the callback": {"callbacks": cmlp.EarlyStopping()},
    "with others": {"callbacks": [lambda _: None, cmlp.EarlyStopping()]},
}


@pytest.mark.parametrize("options", SAME.values(), ids=SAME)
def test_ways_to_set_early_stopping(options):
    nets, ways, histories = (network(), network()), ({"early_stopping": cmlp.EarlyStopping()}, options), []
    for net, way in zip(nets, ways, strict=True):
        adam = optim.Adam(net.parameters(), lr=0.05)
        histories.append(fit(net, epochs=90, validation_split=0.3, optimizer=adam, **way))
    want, history = histories
    assert history.stop == want.stop == "early_stopping"
    assert (history["loss"], history.best_epoch) == (want["loss"], want.best_epoch)
    assert_same_bits([p.data for p in nets[0].parameters()], [p.data for p in nets[1].parameters()])


@pytest.mark.parametrize("off", [None, False])
def test_early_stopping_that_is_off(off):
    assert fit(network(), epochs=30, early_stopping=off).stop == "completed"


REFUSED = {
    "twice": ({"early_stopping": True, "callbacks": [cmlp.EarlyStopping()]}, "there are two EarlyStopping"),
    "a word": ({"early_stopping": "yes"}, "early_stopping is 'yes', it must be an EarlyStopping"),
    "no patience": ({"early_stopping": 0}, "patience is 0, it must be at least 1"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_early_stopping_that_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        fit(network(), **options)


def gini(y, prediction):
    return float(np.abs(y - prediction.argmax(axis=1)).mean())


@pytest.mark.parametrize(("mode", "best"), [("min", np.argmin), ("max", np.argmax)])
@pytest.mark.parametrize("monitor", ["gini", "val_gini"])
def test_early_stopping_by_a_function(monitor, mode, best):
    net, kept = network(), []
    history = fit(
        net, epochs=60, validation_data=(X[:20], Y[:20]), metrics=[gini, "accuracy"],
        early_stopping=cmlp.EarlyStopping(monitor, patience=3, mode=mode),
        callbacks=lambda _: kept.append(net.state_dict()),
    )  # fmt: skip
    assert (history.monitor, history.stop) == (monitor, "early_stopping")
    assert history.best_epoch == int(best(history[monitor]))
    assert history.best_value == history[monitor][history.best_epoch]
    assert len(history.epoch) == history.best_epoch + 1 + 3
    assert_same_bits(list(net.state_dict().values()), list(kept[history.best_epoch].values()))


def test_a_mode_against_the_metrics_own_direction_takes_effect():
    history = fit(
        network(), epochs=40, metrics="accuracy",
        early_stopping=cmlp.EarlyStopping("accuracy", patience=3, mode="min"),
    )  # fmt: skip
    assert history.best_value == min(history["accuracy"])


@pytest.mark.parametrize("mode", ["auto", "min", "max"])
@pytest.mark.parametrize("monitor", ["", "loss", "val_loss", "accuracy", "val_accuracy"])
def test_every_epoch_is_once_in_the_history(monitor, mode):
    net = network()
    adam = optim.Adam(net.parameters(), lr=0.1)
    history = fit(
        net, epochs=6, validation_data=(X[:20], Y[:20]), metrics=["accuracy"], optimizer=adam,
        scheduler=optim.lr_scheduler.StepLR(adam, 2), verbose=False,
        early_stopping=cmlp.EarlyStopping(monitor, patience=50, restore_best=False, mode=mode),
    )  # fmt: skip
    assert history.epoch == list(range(6))
    assert {len(column) for column in history.values()} == {6}
    assert adam.lr == pytest.approx(0.1 * 0.1**3)
    name = monitor or "val_loss"
    assert (history.monitor, history.steps) == (name, 36)
    if name.startswith("val_"):
        larger = mode == "max" or (mode == "auto" and name == "val_accuracy")
        assert history.best_value == (max if larger else min)(history[name])


UNKNOWN = {
    "of no metric": ("acc", "unknown metric 'acc'; choose from"),
    "not among the metrics": ("mae", "monitor is 'mae', which is not among the metrics"),
    "validation loss": ("val_loss", "monitor is 'val_loss', but there are no validation data"),
    "validation metric": ("val_accuracy", "monitor is 'val_accuracy', but there are no validation data"),
    "validation function": ("val_gini", "monitor is 'val_gini', but there are no validation data"),
}


@pytest.mark.parametrize("mode", ["auto", "min", "max"])
@pytest.mark.parametrize(("monitor", "message"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_monitor_that_there_is_not_is_refused_before_training(monitor, message, mode):
    net = network()
    before = net.state_dict()
    with pytest.raises(ValueError, match=message):
        fit(net, metrics=[gini, "accuracy"], early_stopping=cmlp.EarlyStopping(monitor, mode=mode))
    assert_same_bits(list(net.state_dict().values()), list(before.values()))


@pytest.mark.parametrize("patience", [3, np.int64(3), np.int32(3), np.uint8(3)])
def test_the_patience_is_any_integer(patience):
    history = fit(network(), epochs=90, validation_data=(X, (Y + 1) % 3), early_stopping=patience)
    assert len(history.epoch) == history.best_epoch + 1 + 3
    assert len(fit(network(), early_stopping=np.False_).epoch) == 3


@pytest.mark.parametrize(
    ("stopping", "message"),
    [
        (
            lambda: cmlp.EarlyStopping("val_gini"),
            "'val_gini', a function .*: say with mode='min' or",
        ),
        (lambda: cmlp.EarlyStopping("loss", mode="down"), "mode is 'down'; choose from auto, min, max"),
    ],
)
def test_a_direction_that_is_not_known(stopping, message):
    with pytest.raises(ValueError, match=message):
        fit(network(), validation_split=0.3, metrics=[gini], early_stopping=stopping())
