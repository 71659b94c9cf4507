"""What is around the epochs: early stopping, callbacks, limits, validation, the progress bar, the history."""

from __future__ import annotations

import io
import json
import math
import re
import sys

import numpy as np
import pytest

import cmlp
from cmlp import nn, optim
from tolerance import assert_same_bits

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 4)), RNG.integers(0, 3, 60)


def network(seed=0):
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), seed=seed)


def fit(net, x=X, y=Y, **options):
    return net.fit(x, y, **{"loss": "cross_entropy", "optimizer": "adam", "batch_size": 10, **options})


def values(net):
    return list(net.state_dict().values())


def test_history_of_a_plain_fit():
    net = network()
    history = fit(net, epochs=3, metrics=["accuracy"])
    assert net.history is history
    assert (history.epoch, history.steps, history.stop, history.monitor) == (
        [0, 1, 2],
        18,
        "completed",
        "loss",
    )
    assert list(history.history) == ["loss", "accuracy", "lr", "seconds"]
    assert all(len(column) == 3 for column in history.history.values())
    assert history.best_epoch == int(np.argmin(history.history["loss"]))
    assert history.best_value == min(history.history["loss"])
    assert re.match(r"History\(3 epochs in .* s, completed; loss=.*, accuracy=.*\)", repr(history))


def test_history_as_plain_data():
    history = fit(network(), epochs=2, validation_data=(X, Y))
    data = json.loads(json.dumps(history.to_dict(), allow_nan=False))
    assert cmlp.History.from_dict(data).to_dict() == history.to_dict()
    empty = cmlp.History()
    assert math.isnan(
        cmlp.History.from_dict(json.loads(json.dumps(empty.to_dict(), allow_nan=False))).best_value
    )


def test_no_epochs_change_nothing():
    net = network()
    history = fit(net, epochs=0)
    assert (history.epoch, history.steps, history.best_epoch) == ([], 0, None)
    assert_same_bits(values(net), values(network()))


@pytest.mark.parametrize(
    ("rows", "batch_size", "steps"), [(60, 10, 6), (60, 59, 2), (60, 60, 1), (60, 2**63 - 1, 1), (1, 1, 1)]
)
def test_steps_of_an_epoch(rows, batch_size, steps):
    assert fit(network(), X[:rows], Y[:rows], epochs=1, batch_size=batch_size).steps == steps


@pytest.mark.parametrize("monitor", ["", "val_loss", "loss", "accuracy", "val_accuracy"])
def test_early_stopping_stops_and_restores_the_best(monitor):
    net, kept = network(), []
    stopping = cmlp.EarlyStopping(monitor, patience=4)
    history = fit(
        net, X[:40], Y[:40], epochs=500, validation_data=(X[40:], Y[40:]), metrics=["accuracy"],
        early_stopping=stopping, optimizer=optim.Adam(net.parameters(), lr=0.05),
        callbacks=[lambda _: kept.append(net.state_dict())],
    )  # fmt: skip
    best = history.best_epoch
    assert history.stop == "early_stopping"
    assert len(history.epoch) == best + 1 + 4
    assert_same_bits(values(net), list(kept[best].values()))
    if monitor in ("loss", "accuracy"):  # measured after the epoch
        after = net.evaluate(X[:40], Y[:40], loss="cross_entropy", metrics=["accuracy"])
        assert history.best_value == after[monitor]
    else:
        column = history.history[monitor or "val_loss"]
        assert best == int(np.argmax(column) if "accuracy" in monitor else np.argmin(column))
        assert history.best_value == column[best]
    assert history.monitor == (monitor or "val_loss")


def test_early_stopping_may_keep_the_last_weights():
    net, kept = network(), []
    stopping = cmlp.EarlyStopping(patience=2, restore_best=False, min_delta=1e9)
    history = fit(
        net, epochs=50, early_stopping=stopping, callbacks=[lambda _: kept.append(net.state_dict())]
    )
    assert (history.epoch, history.best_epoch) == ([0, 1, 2], 0)
    assert_same_bits(values(net), list(kept[-1].values()))


def test_the_best_weights_come_back_when_patience_lasts_to_the_end():
    net, kept = network(), []
    history = fit(
        net, X[:40], Y[:40], epochs=40, validation_data=(X[40:], Y[40:]),
        early_stopping=cmlp.EarlyStopping(patience=1000), optimizer=optim.Adam(net.parameters(), lr=0.05),
        callbacks=[lambda _: kept.append(net.state_dict())],
    )  # fmt: skip
    assert (history.stop, len(history.epoch)) == ("completed", 40)
    assert history.best_epoch < 39
    assert_same_bits(values(net), list(kept[history.best_epoch].values()))


def test_callbacks_get_the_epochs_values():
    recorded = []
    history = fit(
        network(), epochs=3, metrics=["accuracy"], validation_data=(X, Y), callbacks=[recorded.append]
    )
    assert [list(values) for values in recorded] == [["epoch", *history.history]] * 3
    assert [values["val_accuracy"] for values in recorded] == history.history["val_accuracy"]


def test_a_callback_that_is_false_stops_after_all_were_called():
    calls = []
    first, second = (lambda v, n=n: (calls.append((n, v["epoch"])), v["epoch"] < 1)[1] for n in "ab")
    history = fit(network(), epochs=10, callbacks=[first, second, lambda v: None])
    assert calls == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    assert (history.stop, history.epoch) == ("callback", [0, 1])


def test_a_callback_may_call_the_network_and_change_the_rate():
    net = network()
    adam = optim.Adam(net.parameters())

    def halve(values):
        net.predict(X)
        net.evaluate(X, Y, loss="cross_entropy")
        adam.lr /= 2

    history = fit(net, epochs=3, optimizer=adam, callbacks=[halve])
    assert history.history["lr"] == [1e-3, 5e-4, 2.5e-4]


@pytest.mark.parametrize("kind", ["callbacks", "step_callbacks"])
def test_an_exception_in_a_callback_comes_out_and_the_network_stays_usable(kind):
    net = network()

    def fail(_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fit(net, epochs=3, every_steps=2, **{kind: [fail]})
    assert (net.history.stop, net.history.steps) == ("interrupted", 6 if kind == "callbacks" else 2)
    assert np.isfinite(net.predict(X)).all()
    assert fit(net, epochs=2).stop == "completed"


def test_step_callbacks():
    recorded = []
    fit(network(), epochs=2, step_callbacks=[recorded.append], every_steps=4)
    assert [(p["epoch"], p["step"], p["steps"]) for p in recorded] == [(0, 3, 6), (1, 1, 6), (1, 5, 6)]
    assert all(math.isfinite(p["loss"]) for p in recorded)
    history = fit(network(), epochs=2, step_callbacks=[lambda p: p["step"] < 3], every_steps=1)
    assert (history.stop, history.steps, history.epoch) == ("callback", 4, [])


def test_time_limit():
    net = network()
    history = fit(net, epochs=10**9, time_limit=0.2)
    assert history.stop == "time_limit"
    assert 0.1 < sum(history.history["seconds"]) < 5
    assert fit(net, epochs=1, time_limit=0).stop == "completed"


def test_validation_split_is_by_seed():
    a = fit(network(), epochs=1, validation_split=0.25, seed=1).history["val_loss"]
    assert a == fit(network(), epochs=1, validation_split=0.25, seed=1).history["val_loss"]
    assert a != fit(network(), epochs=1, validation_split=0.25, seed=2).history["val_loss"]


def test_validation_split_holds_rows_out():
    """15 of 60 rows are never trained on: with one-hot inputs their weights stay where they were."""
    net = nn.Sequential(nn.Linear(60, 3, bias=False))
    before = net[0].weight.data.copy()
    weight = np.ones(60)
    history = fit(net, np.eye(60), epochs=2, validation_split=0.25, sample_weight=weight)
    moved = (net[0].weight.data != before).any(axis=0)
    assert (moved.sum(), history.steps) == (45, 2 * 5)
    held = fit(network(), epochs=1, validation_split=0.25, validation_data=(X, Y))  # the data win
    assert held.steps == 6


def test_training_mode_for_the_fit_alone():
    for mode in (True, False):
        net = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5)).train(mode)
        recorded = []
        fit(net, epochs=1, callbacks=[lambda _, net=net, recorded=recorded: recorded.append(net.training)])
        assert (recorded, net.training) == ([True], mode)


class Terminal(io.StringIO):
    def isatty(self):
        return True


BARS = [
    ("auto", io.StringIO, False),
    ("auto", Terminal, True),
    (True, Terminal, True),
    (False, Terminal, False),
]


@pytest.mark.parametrize(("verbose", "stream", "shown"), BARS)
def test_the_progress_bar(verbose, stream, shown, monkeypatch, capsys):
    err = stream()
    monkeypatch.setattr(sys, "stderr", err)
    history = fit(network(), epochs=3, verbose=verbose, validation_data=(X, Y))
    assert ("3/3" in err.getvalue()) == shown
    assert (f"val_loss={history.history['val_loss'][-1]:.4f}" in err.getvalue()) == shown
    assert bool(err.getvalue()) == shown
    assert capsys.readouterr().out == ""


def test_losses_and_optimizers_by_name_or_by_object():
    nets = [network() for _ in range(3)]
    fit(nets[0], loss="cross_entropy", optimizer="adam")
    fit(nets[1], loss=nn.CrossEntropyLoss(), optimizer=optim.Adam(nets[1].parameters()))
    fit(nets[2], loss=nn.Loss("cross_entropy"), optimizer=optim.Optimizer(nets[2].parameters(), "adam"))
    assert_same_bits(values(nets[0]), values(nets[1]))
    assert_same_bits(values(nets[0]), values(nets[2]))
