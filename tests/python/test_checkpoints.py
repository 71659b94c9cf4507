"""A fit that is cut short and resumed from its checkpoint has the bits of the uninterrupted one."""

from __future__ import annotations

import json
import os
import pickle
import signal
import time
import warnings

import numpy as np
import pytest

import cmlp
import fresh
from cmlp import nn, optim
from cuts import Cut, cut_at
from tolerance import assert_same_bits
from training_runs import EPOCHS, Run

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def equal(a, b):
    np.testing.assert_equal(a, b)
    assert_same_bits(list(a["weights"].values()), list(b["weights"].values()))


RESUME = """
    import json, os, pickle, sys, warnings
    warnings.simplefilter("ignore")
    sys.path.insert(0, {tests!r})
    from training_runs import Run

    for index in {indices!r}:
        run = Run(index)
        run.fit(checkpoint=os.path.join({folder!r}, f"{{index}}.safetensors"), every={every}, resume=True)
        with open(os.path.join({folder!r}, f"{{index}}.pickle"), "wb") as file:
            pickle.dump(run.state(), file)
    print(json.dumps("done"))
"""


def cut_and_resume(indices, folder, every=1):
    """Cut each run at a random epoch, continue all in another process, and compare."""
    for index in indices:
        at = int(np.random.default_rng(index).integers(0, EPOCHS))
        path = folder / f"{index}.safetensors"
        try:
            Run(index).fit(checkpoint=path, every=every, callbacks=[cut_at(at)])
        except Cut:
            continue
    tests = os.path.dirname(__file__)
    fresh.result(RESUME.format(tests=tests, indices=list(indices), folder=str(folder), every=every))
    for index in indices:
        complete = Run(index)
        complete.fit()
        with (folder / f"{index}.pickle").open("rb") as file:
            equal(complete.state(), pickle.load(file))


def test_resumed_in_another_process(tmp_path, record_property):
    cut_and_resume(range(16), tmp_path)
    record_property("random trainings cut and resumed in another process", 16)


@pytest.mark.slow
@pytest.mark.parametrize("share", range(8))
def test_many_resumed_in_another_process(share, tmp_path, record_property):
    cut_and_resume(range(100 + 25 * share, 125 + 25 * share), tmp_path, every=1 + share % 3)
    record_property("random trainings cut and resumed in another process", 25)


# ---- killed


class Long(Run):
    """A run of many epochs, long enough to be killed in."""

    def fit(self, epochs=120, **more):
        self.arguments["early_stopping"] = cmlp.EarlyStopping(patience=100)
        self.arguments["scheduler"] = None
        super().fit(epochs, **more)


def killed(index, folder, kills):
    """Kill the process of a run at random instants, starting it again each time; return the number killed."""
    complete, path, rng = Long(index), folder / f"{index}.safetensors", np.random.default_rng(index)
    complete.fit()
    begun = time.perf_counter()
    Long(index).fit(checkpoint=folder / "timed.safetensors")
    longest, ended_by_kill = 0.8 * (time.perf_counter() - begun), 0
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                Long(index).fit(checkpoint=path, resume=True)
            os._exit(0)
        time.sleep(rng.uniform(0, longest / 2))
        os.kill(child, signal.SIGKILL)
        ended_by_kill += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    last = Long(index)
    last.fit(checkpoint=path, resume=True)
    equal(complete.state(), last.state())
    return ended_by_kill


def test_killed_and_resumed(tmp_path, record_property):
    record_property("SIGKILLs at random instants of a checkpointed fit", killed(1, tmp_path, 3))


@pytest.mark.slow
@pytest.mark.parametrize("index", range(10, 20))
def test_killed_often_and_resumed(index, tmp_path, record_property):
    record_property("SIGKILLs at random instants of a checkpointed fit", killed(index, tmp_path, 5))


# ---- in two fits, by save and load

CONTINUE = """
    import json, os, sys, warnings
    warnings.simplefilter("ignore")
    sys.path.insert(0, {tests!r})
    import numpy as np
    import cmlp
    from training_runs import Run

    for index in {indices!r}:
        run, path = Run(index), os.path.join({folder!r}, f"{{index}}.safetensors")
        net = cmlp.load(path)
        optimizer = cmlp.load_optimizer(path, net)
        net.fit(run.x, run.y, optimizer=optimizer, initial_epoch=37, epochs=100, loss=run.arguments["loss"],
                batch_size=run.arguments["batch_size"], seed=5)
        cmlp.save(net, path, optimizer=optimizer)
    print(json.dumps("done"))
"""


@pytest.mark.parametrize("indices", [range(9)])
def test_37_epochs_and_63_elsewhere_are_100(indices, tmp_path):
    def fit(run, epochs):
        values = {name: run.arguments[name] for name in ("loss", "batch_size")}
        run.net.fit(run.x, run.y, optimizer=run.optimizer, epochs=epochs, seed=5, **values)

    for index in indices:
        run = Run(index)
        fit(run, 37)
        cmlp.save(run.net, tmp_path / f"{index}.safetensors", optimizer=run.optimizer)
    tests = os.path.dirname(__file__)
    fresh.result(CONTINUE.format(tests=tests, indices=list(indices), folder=str(tmp_path)))
    for index in indices:
        run, path = Run(index), tmp_path / f"{index}.safetensors"
        fit(run, 100)
        net = cmlp.load(path)
        assert_same_bits(list(run.net.state_dict().values()), list(net.state_dict().values()))
        optimizer = cmlp.load_optimizer(path, net)
        assert type(optimizer) is type(run.optimizer)
        np.testing.assert_equal(optimizer.state_dict(), run.optimizer.state_dict())


# ---- what the file is


def simple(**changes):
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1), seed=changes.pop("net_seed", 0))
    x = np.linspace(-1, 1, 30).reshape(10, 3)[: changes.pop("rows", 10)]
    optimizer = changes.pop("optimizer", optim.Adam)(net.parameters(), lr=changes.pop("lr", 0.01))
    arguments = {"loss": "mse", "optimizer": optimizer, "epochs": 4, "batch_size": 4, **changes}
    return net, net.fit(x, x[:, :1], **arguments)


def test_the_file_is_the_network_with_its_history(tmp_path):
    path = tmp_path / "net.safetensors"
    net, history = simple(checkpoint=path, early_stopping=2)
    loaded = cmlp.load(path)
    assert loaded.history.to_dict()["history"] == history.to_dict()["history"]
    assert loaded.history.stop == history.stop == "early_stopping"
    assert_same_bits(list(loaded.state_dict().values()), list(net.state_dict().values()))
    assert loaded.metadata == {}
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    moments = [name for name in header if name.startswith("cmlp.state.optimizer.")]
    assert len(moments) == 2
    assert os.listdir(tmp_path) == [path.name]


def test_the_file_has_the_best_weights(tmp_path):
    """At any time: the fit would return them if it ended there."""
    path, weights = tmp_path / "net.safetensors", []

    def call(event):
        weights.append(event.model.state_dict())
        if len(weights) == 6:
            raise Cut

    net = nn.Sequential(nn.Linear(3, 1), seed=0)
    sgd = optim.SGD(net.parameters(), lr=3.0)  # diverges from the first epoch on
    x = np.eye(3)
    with pytest.raises(Cut):
        net.fit(
            x,
            x[:, :1],
            loss="mse",
            optimizer=sgd,
            epochs=9,
            early_stopping=8,
            checkpoint=path,
            callbacks=call,
        )
    loaded = cmlp.load(path)
    best = loaded.history.best_epoch
    assert best < 4
    assert_same_bits(list(loaded.state_dict().values()), list(weights[best].values()))


def test_every(tmp_path):
    path, written = tmp_path / "net.safetensors", []
    simple(
        checkpoint=path,
        every=3,
        epochs=8,
        callbacks=lambda event: written.append(len(cmlp.load(path).history.epoch) if path.exists() else 0),
    )
    assert written == [0, 0, 0, 3, 3, 3, 6, 6]  # before the file of the same epoch
    assert len(cmlp.load(path).history.epoch) == 8


def test_a_finished_fit_returns_at_once(tmp_path):
    path, calls = tmp_path / "net.safetensors", []
    net, history = simple(checkpoint=path, resume=True)
    again, resumed = simple(checkpoint=path, resume=True, callbacks=calls.append)
    assert calls == []
    assert resumed.to_dict()["history"] == history.to_dict()["history"]
    assert resumed.stop == "completed"
    assert again.history is resumed
    assert_same_bits(list(again.state_dict().values()), list(net.state_dict().values()))


def test_more_epochs_continue_a_finished_fit(tmp_path):
    path = tmp_path / "net.safetensors"
    simple(checkpoint=path, early_stopping=3)
    net, history = simple(checkpoint=path, resume=True, epochs=9, early_stopping=3)
    complete, expected = simple(epochs=9, early_stopping=3)
    assert history["loss"] == expected["loss"]
    assert_same_bits(list(net.state_dict().values()), list(complete.state_dict().values()))


def test_in_the_same_process_with_the_objects_of_the_first_fit(tmp_path):
    path, run = tmp_path / "net.safetensors", Run(3)
    with pytest.raises(Cut):
        run.fit(checkpoint=path, callbacks=[cut_at(4)])
    run.fit(checkpoint=path, resume=True)
    complete = Run(3)
    complete.fit()
    equal(complete.state(), run.state())


class Counter:
    def __init__(self, start=0):
        self.count = start

    def __call__(self, event):
        self.count += 1

    def state_dict(self):
        return {"count": self.count}

    def load_state_dict(self, state):
        self.count = state["count"]


def test_the_state_of_callbacks(tmp_path):
    path, counter = tmp_path / "net.safetensors", Counter()
    with pytest.raises(Cut):
        simple(checkpoint=path, epochs=9, callbacks=[Counter(), cut_at(5)])
    simple(checkpoint=path, epochs=9, callbacks=[counter], resume=True)
    assert counter.count == 9


# ---- refusals: what is given, and the message

DIFFERENT = {
    "batch_size is 5, that of the file 4": {"batch_size": 5},
    "seed is 3, that of the file None": {"seed": 3},
    "loss is .*l1.*, that of the file .*mse": {"loss": "l1"},
    "optimizer is SGD, that of the file Adam": {"optimizer": optim.SGD},
    "the settings of the optimizer is .*0.02.*that of the file .*0.01": {"lr": 0.02},
    "the seed of the network: 7 here, 0 in the file": {"net_seed": 7},
    r"the shape of x is \(9, 3\), that of the file \(10, 3\)": {"rows": 9},
    "clip_grad_norm is 1.0": {"clip_grad_norm": 1.0},
    "early_stopping is EarlyStopping": {"early_stopping": 5},
    "callbacks with a state is Counter": {"callbacks": Counter()},
    "sample_weight is 'given'": {"sample_weight": np.ones(10)},
}


@pytest.mark.parametrize("message", DIFFERENT)
def test_a_file_of_other_settings(message, tmp_path):
    path = tmp_path / "net.safetensors"
    simple(checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message) as raised:
        simple(checkpoint=path, resume=True, **DIFFERENT[message])
    assert "resume=False to begin again" in str(raised.value)
    assert path.read_bytes() == before


def test_a_file_of_another_network(tmp_path):
    path, x = tmp_path / "net.safetensors", np.eye(3)
    simple(checkpoint=path)
    net = nn.Sequential(nn.Linear(3, 1))
    with pytest.raises(ValueError, match=r"is of another training: .*the layers: "):
        net.fit(x, x[:, :1], loss="mse", checkpoint=path, resume=True)


WRONG = {
    "every is 0, it must be at least 1": {"every": 0},
    "resume needs checkpoint=": {"resume": True},
    "every needs checkpoint=": {"every": 2},
    "there is no folder": {"checkpoint": "nowhere/at/all.safetensors"},
}


@pytest.mark.parametrize("message", WRONG)
def test_arguments_that_do_not_fit(message):
    with pytest.raises(ValueError, match=message):
        simple(**WRONG[message])


def test_a_callback_whose_state_no_file_holds(tmp_path):
    calls = Counter(start=object())
    with pytest.raises(ValueError, match="the state of the callbacks has a value of type object"):
        simple(checkpoint=tmp_path / "net.safetensors", callbacks=calls)
    assert os.listdir(tmp_path) == []


def test_a_file_without_a_training(tmp_path):
    path = tmp_path / "net.safetensors"
    net, _ = simple()
    cmlp.save(net, path)
    with pytest.raises(ValueError, match="is not a checkpoint of fit"):
        simple(checkpoint=path, resume=True)
    with pytest.raises(ValueError, match="has no optimizer; save it with optimizer="):
        cmlp.load_optimizer(path, net)


def test_an_optimizer_over_other_parameters(tmp_path):
    (net, _), (other, _) = simple(), simple()
    with pytest.raises(ValueError, match="is not a parameter of the network"):
        cmlp.save(net, tmp_path / "net.safetensors", optimizer=optim.SGD(other.parameters(), lr=0.1))
    cmlp.save(net, tmp_path / "net.safetensors", optimizer=optim.SGD(net.parameters(), lr=0.1))
    with pytest.raises(ValueError, match="the network has no parameter"):
        cmlp.load_optimizer(tmp_path / "net.safetensors", nn.Sequential(nn.Linear(1, 1)))
