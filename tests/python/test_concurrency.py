"""Numbers that are not finite, several threads with one network."""

from __future__ import annotations

import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import cmlp
from cmlp import nn, optim
from tolerance import assert_same_bits

RNG = np.random.default_rng(0)
FOREVER = 10**9
PATIENCE = 30.0  # seconds for what should take milliseconds, on a busy machine


def data(rows=2000, columns=50):
    return RNG.normal(size=(rows, columns)).astype("float32"), RNG.integers(0, 10, rows)


def network(columns=50, **options):
    return nn.Sequential(nn.Linear(columns, 64), nn.ReLU(), nn.Linear(64, 10), **options)


def started():
    """A step callback that sets an event, and the event."""
    event = threading.Event()
    return (lambda _: event.set()), event


@pytest.mark.parametrize("how", ["train_step", "fit"])
def test_a_loss_that_overflows_keeps_the_last_finite_weights(how, dtype):
    x, y = RNG.normal(size=(64, 4)), RNG.normal(size=(64, 2))
    net = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 2), dtype=dtype)
    sgd, before = optim.SGD(net.parameters(), lr=1e3), []

    def keep(_=None):
        before[:] = [value.copy() for value in net.state_dict().values()]

    def run():
        if how == "fit":
            net.fit(x, y, loss="mse", optimizer=sgd, epochs=1000, step_callbacks=[keep], every_steps=1)
        for _ in range(1000):
            keep()
            net.train_step(x, y, nn.MSELoss(), sgd)

    with pytest.raises(
        cmlp.NonFiniteError, match=r"not finite at step \d+; .*; the weights are those before this step"
    ):
        run()
    assert_same_bits(list(net.state_dict().values()), before)
    assert all(np.isfinite(value).all() for value in before)
    assert issubclass(cmlp.NonFiniteError, FloatingPointError)
    if how == "fit":
        assert (net.history.stop, net.history.steps > 0) == ("interrupted", True)


def test_a_non_finite_number_is_reported_with_step_and_layer():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.Linear(3, 1))
    sgd, x, y = optim.SGD(net.parameters(), lr=1e-6), np.ones((4, 2)), np.ones((4, 1))
    for _ in range(3):
        net.train_step(x, y, nn.MSELoss(), sgd)
    net[2].weight.data[1, 1] = np.nan
    with pytest.raises(cmlp.NonFiniteError) as error:
        net.train_step(x, y, nn.MSELoss(), sgd)
    text = str(error.value)
    assert re.fullmatch(
        r"the loss is not finite at step [34]; the output of layer '2' is the first that is not; .*", text
    )
    with pytest.raises(cmlp.NonFiniteError, match="the input is the first that is not"):
        net.train_step(np.full((4, 2), np.inf), y, nn.MSELoss(), sgd)


def test_a_gradient_that_overflows_is_reported(dtype):
    """The loss and dy fit, but x dy does not."""
    huge = float(np.finfo(dtype).max) / 4
    net = nn.Sequential(
        nn.Linear(1, 1, init="constant", init_settings={"value": 10 / huge}, bias=False), dtype=dtype
    )
    sgd = optim.SGD(net.parameters(), lr=1e-30)
    with pytest.raises(cmlp.NonFiniteError, match=r"gradient of '0.weight' is not finite at step 1"):
        net.train_step([[huge]], [[0.0]], nn.MSELoss(), sgd)


def refused_while_training(net, x, y):
    """Call everything that changes a network and expect an error, since another thread trains it."""
    criterion, adam = nn.CrossEntropyLoss(), optim.Adam(net.parameters())
    for call in (
        lambda: net.fit(x, y, loss="cross_entropy"),
        lambda: net.train_step(x, y, criterion, adam),
        lambda: net(x),
        lambda: net.backward(np.ones((2000, 10))),
    ):
        with pytest.raises(RuntimeError, match="another thread is training this network"):
            call()


def test_a_second_fit_from_another_thread_is_refused():
    net, (x, y), stop = network(), data(), threading.Event()
    callback, event = started()
    going = {"every_steps": 1, "step_callbacks": [callback, lambda _: not stop.is_set()]}
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(net.fit, x, y, loss="cross_entropy", epochs=FOREVER, **going)
        assert event.wait(PATIENCE)
        try:
            refused_while_training(net, x, y)
            assert network().fit(x, y, loss="cross_entropy").stop == "completed"  # another network may
        finally:
            stop.set()
        assert running.result(PATIENCE).stop == "callback"
    assert net.fit(x, y, loss="cross_entropy").stop == "completed"


@pytest.mark.parametrize("calls", [100, pytest.param(10_000, marks=pytest.mark.slow)])
def test_predict_from_32_threads_equals_serial(calls, dtype, record_property):
    net = nn.Sequential(nn.Linear(50, 64), nn.GELU(), nn.Linear(64, 10), nn.Softmax(), dtype=dtype)
    parts = [RNG.normal(size=(rows, 50)).astype(dtype) for rows in (1, 1, 7, 1, 30, 1, 1, 1500)]
    serial = [net.predict(x).tobytes() for x in parts]
    different = []

    def serve(thread):
        for call in range(calls):
            at = 7 if call % 100 == 99 else (thread + call) % 7  # the largest now and then
            if net.predict(parts[at]).tobytes() != serial[at]:
                different.append((thread, call))

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(serve, range(32)))
    record_property("predictions by 32 threads", 32 * calls)
    assert different == []


def test_networks_train_side_by_side():
    def run(seed):
        net, rng = network(seed=seed), np.random.default_rng(seed)
        net.fit(rng.normal(size=(300, 50)), rng.integers(0, 10, 300), loss="cross_entropy", epochs=3)
        return np.concatenate([p.data.ravel() for p in net.parameters()])

    serial = [run(seed) for seed in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert_same_bits(list(pool.map(run, range(6))), serial)


def test_stdout_is_not_written_to(capfd):
    net, (x, y) = network(), data(100)
    net.fit(x, y, loss="cross_entropy")
    assert capfd.readouterr() == ("", "")
    assert "cmlp" in sys.modules
