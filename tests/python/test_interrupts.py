"""Ctrl-C at any moment: it ends a training soon, and leaves a model that is as after a complete step."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from cmlp import MLPClassifier, nn

RNG = np.random.default_rng(0)
FOREVER = 10**9
PATIENCE = 30.0  # seconds for what should take milliseconds, on a busy machine
INSTANTS = [10, pytest.param(200, marks=pytest.mark.slow)]
LATEST = 0.1  # seconds after the beginning of a fit

pytestmark = pytest.mark.usefixtures("ctrl_c")


def data(rows=640, columns=50):
    return RNG.normal(size=(rows, columns)).astype("float32"), RNG.integers(0, 10, rows)


def network(columns=50, **options):
    return nn.Sequential(
        nn.Linear(columns, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10), seed=1, **options
    )


class CtrlC(threading.Thread):
    """Sends this process Ctrl-C after some seconds, and notes when."""

    def __init__(self, delay):
        super().__init__()
        self.delay, self.sent = delay, 0.0

    def run(self):
        time.sleep(self.delay)
        self.sent = time.perf_counter()
        os.kill(os.getpid(), signal.SIGINT)


def interrupted(call, delay):
    """Return the seconds from Ctrl-C to the end of a call that does not end otherwise."""
    worker = CtrlC(delay)
    try:
        worker.start()
        call()
    except KeyboardInterrupt:
        pass
    end = time.perf_counter()
    worker.join()
    return end - worker.sent


def values(net):
    return b"".join(value.tobytes() for value in net.state_dict().values())


class Steps:
    """The weights after each number of steps of a training that nobody interrupts."""

    def __init__(self, fit, net):
        self.net, self.fit = net, fit
        self.steps_of = {values(net): 0}

    def count(self, interrupted_net, most):
        """Return the steps that give these weights, None where none of up to so many do."""
        wanted = values(interrupted_net)
        if wanted not in self.steps_of and len(self.steps_of) <= most:
            self.extend(most)
        return self.steps_of.get(wanted)

    def extend(self, most):
        net = self.net.copy()

        def keep(_):
            self.steps_of.setdefault(values(net), len(self.steps_of))
            return len(self.steps_of) <= most

        self.steps_of = {values(net): 0}
        self.fit(net, every_steps=1, step_callbacks=[keep])


@pytest.mark.parametrize("instants", INSTANTS)
@pytest.mark.parametrize("observed", [False, True], ids=["alone", "callbacks"])
def test_ctrl_c_leaves_a_network_as_after_a_complete_step(observed, instants, record_property):
    x, y = data()
    initial, delays = network(), []
    callbacks = {"callbacks": [lambda _: None]} if observed else {}

    def fit(net, **options):
        net.fit(x, y, loss="cross_entropy", epochs=FOREVER, batch_size=32, verbose=False, **options)

    fit(network(), every_steps=1, step_callbacks=[lambda _: False])  # what a process does once
    steps = Steps(fit, initial)
    for instant in RNG.uniform(0, LATEST, instants):
        net = initial.copy()
        delays.append(interrupted(lambda net=net: fit(net, **callbacks), instant))
        history = net.history  # None before the training has begun
        count = steps.count(net, 2 * (history.steps if history else 0) + 1000)
        assert count is not None
        if history and history.stop == "interrupted":
            assert count == history.steps
    record_property("interrupted trainings", instants)
    record_property("largest delay in ms", 1000 * max(delays))
    print(f"largest delay {1000 * max(delays):.0f} ms, median {1000 * np.median(delays):.0f} ms")
    assert net.fit(x, y, loss="cross_entropy", epochs=1, verbose=False).stop == "completed"


@pytest.mark.parametrize("size", ["tiny", "large"])
def test_ctrl_c_ends_a_fit_soon_and_leaves_the_network_usable(size, record_property):
    """No callback runs, so that only the core's own look at signals can end it."""
    columns = 5 if size == "tiny" else 400
    net, (x, y) = network(columns), data(500 if size == "tiny" else 20_000, columns)
    net.fit(x, y, loss="cross_entropy")
    seconds = interrupted(lambda: net.fit(x, y, loss="cross_entropy", epochs=FOREVER), 0.3)
    record_property("largest delay in ms", 1000 * seconds)
    assert net.history.stop == "interrupted"
    assert net.history.steps > 0
    assert all(len(column) == len(net.history.epoch) for column in net.history.history.values())
    assert np.isfinite(net.predict(x)).all()
    assert net.fit(x, y, loss="cross_entropy", epochs=1).stop == "completed"


@pytest.mark.filterwarnings("ignore:Training interrupted", "ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("instants", INSTANTS)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_ctrl_c_leaves_an_estimator_usable(solver, instants, record_property):
    x, y = data(300, 20)
    settings = {"max_iter": FOREVER, "max_fun": FOREVER, "tol": 0, "n_iter_no_change": FOREVER}
    model = MLPClassifier((30,), solver=solver, random_state=0, **settings, alpha=1e-5)
    delays = []
    model.set_params(max_iter=1).fit(x, y).set_params(max_iter=FOREVER)
    for instant in RNG.uniform(0, LATEST / 2, instants):
        delays.append(interrupted(lambda: model.fit(x, RNG.permutation(y)), instant))
        assert np.isfinite(model.predict_proba(x)).all()
        assert model.n_iter_ == len(model.loss_curve_)
    record_property("interrupted trainings", instants)
    record_property("largest delay in ms", 1000 * max(delays))
