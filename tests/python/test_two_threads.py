"""Every public method of a network beside a fit in another thread, and changes beside predictions."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import cmlp
from cmlp import nn, optim
from tolerance import assert_same_bits

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(64, 5)).astype("float32"), RNG.normal(size=(64, 3)).astype("float32")
PATIENCE = 30.0


def network():
    return nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 3), seed=1)


CHANGES = {
    "call": lambda net: net(X),
    "backward": lambda net: net.backward(Y),
    "trace": lambda net: net.trace(X),
    "train_step": lambda net: net.train_step(X, Y, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1)),
    "fit": lambda net: net.fit(X, Y, loss="mse", verbose=False),
    "fit by lbfgs": lambda net: net.fit(X, Y, loss="mse", optimizer="lbfgs", verbose=False),
    "load_state_dict": lambda net: net.load_state_dict(network().state_dict()),
    "zero_grad": lambda net: net.zero_grad(),
    "zero_grad of an optimizer": lambda net: optim.SGD(net.parameters(), lr=0.1).zero_grad(),
    "reset_parameters": lambda net: net.reset_parameters(4),
    "eval": lambda net: net.eval(),
    "a parameter": lambda net: setattr(net[0].bias, "data", np.ones(8)),
    "init": lambda net: nn.init.zeros_(net[0].weight),
}
READS = {
    "predict": lambda net: net.predict(X),
    "evaluate": lambda net: net.evaluate(X, Y, loss="mse"),
    "state_dict": lambda net: net.state_dict(),
    "copy": lambda net: net.copy(),
    "to": lambda net: net.to("float64"),
    "pickle": lambda net: net.__getstate__(),
}


@pytest.fixture(scope="module")
def in_fit():
    """A network that another thread trains until the tests are done."""
    net, began, end = network(), threading.Event(), threading.Event()

    def step(_):
        began.set()
        return not end.is_set()

    with ThreadPoolExecutor(1) as pool:
        options = {"every_steps": 1, "step_callbacks": [step], "epochs": 10**9, "verbose": False}
        running = pool.submit(net.fit, X, Y, loss="mse", **options)
        assert began.wait(PATIENCE)
        yield net
        end.set()
        assert running.result(PATIENCE).stop == "callback"


@pytest.mark.parametrize("name", [*CHANGES, *READS])
def test_beside_a_fit_it_is_refused_by_name(name, in_fit):
    with pytest.raises(RuntimeError, match=r"\w+: another thread is training this network"):
        {**CHANGES, **READS}[name](in_fit)


def test_a_file_is_not_written_beside_a_fit(in_fit, tmp_path: Path):
    with pytest.raises(RuntimeError, match="another thread is training this network"):
        cmlp.save(in_fit, tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [*CHANGES, *READS])
def test_the_callbacks_of_a_fit_may(name):
    """They run in the thread that trains."""
    if name in ("backward", "eval"):
        pytest.skip("it would change what the fit does next")
    net = network()
    calls = []

    def callback(_):
        calls.append({**CHANGES, **READS}[name](net))
        return False

    net.fit(X, Y, loss="mse", callbacks=[callback], verbose=False)
    assert len(calls) == 1


@pytest.mark.parametrize("change", ["fit", "load_state_dict", "zero_grad"])
def test_a_change_waits_for_the_predictions_that_run(change):
    """Predictions beside it have the bits of before or after it, or are refused; the change never is."""
    net = network()
    before = net.predict(X)
    results, refused, stop = [], set(), threading.Event()

    def serve():
        while not stop.is_set():
            try:
                results.append(net.predict(X))
            except RuntimeError as error:
                refused.add(str(error).split(";")[0])

    threads = [threading.Thread(target=serve) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        CHANGES[change](net)
    after = net.predict(X)
    stop.set()
    for thread in threads:
        thread.join()
    assert refused <= {"predict: another thread is training this network"}
    if change != "fit":
        for result in results:
            assert_same_bits(result, before if np.array_equal(result, before) else after)
