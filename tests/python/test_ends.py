"""Every way a fit may end: what the history counts then, and which weights the network has."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import EarlyStopping, nn, optim

RNG = np.random.default_rng(1)
X, XV = RNG.normal(size=(60, 4)), RNG.normal(size=(30, 4))
Y, YV = (x[:, 0] + RNG.normal(size=len(x)) > 0 for x in (X, XV))
STEPS = 6  # an epoch, of 10 rows each


def network(seed=0):
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2), dtype="float64", seed=seed)


def raising(kind):
    """A callback that raises, or returns this, in epoch 5."""

    def callback(values):
        if values["epoch"] < 5:
            return None
        if isinstance(kind, type):
            raise kind
        return kind

    return callback


def overflowing(values):
    if values["epoch"] == 5:
        raise cmlp.NonFiniteError("as an overflow would")


ADAM = lambda net: optim.Adam(net.parameters(), lr=0.03)  # noqa: E731
TRAINERS = {
    "adam": (ADAM, 10),
    "lbfgs": (lambda net: optim.LBFGS(net.parameters(), max_iter=2), 60),
}
# name: (options, exception, stop, complete epochs)
ENDS = {
    "epochs are done": ({"epochs": 6}, None, "completed", 6),
    "callback returns False": ({"callbacks": [raising(False)]}, None, "callback", 6),
    "callback returns numpy.False_": ({"callbacks": [raising(np.False_)]}, None, "callback", 6),
    "callback returns 0": ({"callbacks": [raising(0)]}, None, "callback", 6),
    "Ctrl-C": ({"callbacks": [raising(KeyboardInterrupt)]}, KeyboardInterrupt, "interrupted", 6),
    "exception of a callback": ({"callbacks": [raising(RuntimeError)]}, RuntimeError, "interrupted", 6),
    "exception of a metric": (
        {"metrics": [lambda y, p: 1 / 0]},
        ZeroDivisionError,
        "interrupted",
        1,
    ),
    "overflow": ({"callbacks": [overflowing]}, cmlp.NonFiniteError, "interrupted", 6),
}


def run(trainer, end, **more):
    options, error, _, _ = ENDS[end]
    make, rows = TRAINERS[trainer]
    net = network()
    arguments = {
        "epochs": 40,
        "batch_size": rows,
        "loss": "cross_entropy",
        "verbose": False,
        **more,
        **options,
    }
    fit = lambda: net.fit(X, Y.astype(int), optimizer=make(net), **arguments)  # noqa: E731
    if error is None:
        fit()
    else:
        with pytest.raises(error):
            fit()
    return net


@pytest.mark.parametrize("trainer", TRAINERS)
@pytest.mark.parametrize("end", ENDS)
def test_what_is_counted(trainer, end):
    history = run(trainer, end).history
    _, _, stop, epochs = ENDS[end]
    assert history.stop == stop
    steps = STEPS if trainer == "adam" else 1
    assert history.steps == epochs * steps
    recorded = 0 if "metric" in end else epochs  # the metric of the only epoch cannot be had
    assert history.epoch == list(range(recorded))
    assert all(len(column) == recorded for column in history.history.values())
    if recorded:
        assert history.best_epoch == int(np.argmin(history.history["loss"]))
        assert history.best_value == min(history.history["loss"])


@pytest.mark.parametrize("monitor", ["", "loss"])
@pytest.mark.parametrize("trainer", TRAINERS)
@pytest.mark.parametrize("end", [end for end in ENDS if "metric" not in end])
def test_the_best_weights_are_kept(trainer, end, monitor):
    stopping = EarlyStopping(monitor, patience=1000)
    net = run(trainer, end, validation_data=(XV, YV.astype(int)), early_stopping=stopping)
    rows = (X, Y) if monitor else (XV, YV)
    kept = net.evaluate(rows[0], rows[1].astype(int), loss="cross_entropy")["loss"]
    assert kept == net.history.best_value


@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
@pytest.mark.parametrize("batch_size", [60, 10])
def test_a_training_value_is_that_of_the_weights_kept(monitor, batch_size):
    net = network()
    history = net.fit(
        X, Y.astype(int), loss="cross_entropy", optimizer=optim.Adam(net.parameters(), lr=0.3), epochs=40,
        batch_size=batch_size, metrics=["accuracy"], early_stopping=EarlyStopping(monitor, patience=3),
        verbose=False,
    )  # fmt: skip
    kept = net.evaluate(X, Y.astype(int), loss="cross_entropy", metrics=["accuracy"])
    assert kept[monitor] == history.best_value


def test_a_stop_between_steps_leaves_the_epoch_out():
    net, recorded = network(), []
    history = net.fit(
        X, Y.astype(int), loss="cross_entropy", optimizer=ADAM(net), epochs=5, batch_size=10, verbose=False,
        every_steps=1, step_callbacks=[lambda v: recorded.append(v["step"]) or len(recorded) < 9],
    )  # fmt: skip
    assert (history.stop, history.steps, history.epoch) == ("callback", 9, [0])
    assert recorded == [0, 1, 2, 3, 4, 5, 0, 1, 2]


def test_a_stop_after_the_last_step_of_an_epoch_leaves_it_in():
    net = network()
    history = net.fit(
        X, Y.astype(int), loss="cross_entropy", optimizer=ADAM(net), epochs=5, batch_size=10, verbose=False,
        every_steps=6, step_callbacks=[lambda v: False],
    )  # fmt: skip
    assert (history.stop, history.steps, history.epoch) == ("callback", 6, [0])


@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_time_limit_ends_after_a_step(trainer):
    make, rows = TRAINERS[trainer]
    net = network()
    history = net.fit(
        X, Y.astype(int), loss="cross_entropy", optimizer=make(net), epochs=9, batch_size=rows,
        time_limit=1e-9, verbose=False,
    )  # fmt: skip
    assert (history.stop, history.steps) == ("time_limit", 1)
    assert history.epoch == ([] if trainer == "adam" else [0])


@pytest.mark.parametrize("returned", [None, True, 1, np.True_, "yes"])
def test_other_values_continue(returned):
    net = network()
    history = net.fit(
        X, Y.astype(int), loss="cross_entropy", epochs=3, callbacks=[lambda v: returned], verbose=False
    )
    assert history.stop == "completed"


def test_a_returned_value_without_a_truth_value_is_an_error():
    net = network()
    with pytest.raises(ValueError, match="truth value of an array"):
        net.fit(X, Y.astype(int), loss="cross_entropy", callbacks=[lambda v: np.ones(2)], verbose=False)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("options", [{}, {"accumulate_steps": 2}, {"optimizer": "lbfgs", "batch_size": 60}])
def test_one_meaning_of_a_loss_that_is_a_sum(reduction, options):
    net = nn.Sequential(nn.Linear(4, 1), dtype="float64", seed=0)
    still = optim.SGD(net.parameters(), lr=1e-300)
    history = net.fit(
        X, X[:, 0], loss=nn.MSELoss(reduction), validation_data=(X, X[:, 0]), verbose=False,
        **{"optimizer": still, "batch_size": 7, **options},
    ).history  # fmt: skip
    if "optimizer" in options:
        assert history["loss"][0] > history["val_loss"][0]  # before the step, and after it
    else:
        np.testing.assert_allclose(history["loss"], history["val_loss"], rtol=1e-12)
