"""What a fit reports: the history as a table, its times, progress in terminals and files."""

from __future__ import annotations

import copy
import io
import pickle
import sys
import time

import numpy as np
import pytest

import cmlp
from cmlp import MLPClassifier, nn

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 4)), RNG.integers(0, 3, 60)


def fit(**options):
    net = nn.Sequential(nn.Linear(4, 3), seed=0)
    return net.fit(X, Y, **{"loss": "cross_entropy", "epochs": 3, "metrics": ["accuracy"], **options})


def test_columns_by_name():
    history = fit(validation_split=0.2)
    assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy", "lr", "seconds"]
    assert history["loss"] == history.history["loss"]
    with pytest.raises(KeyError):
        history["auc"]


def test_a_frame_of_a_history():
    pd = pytest.importorskip("pandas")
    history = fit()
    frame = pd.DataFrame(history)
    assert list(frame.columns) == list(history)
    assert frame["loss"].tolist() == history["loss"]


def test_a_history_draws_itself():
    pytest.importorskip("matplotlib").use("Agg")
    assert fit().plot().get_ylabel() == "loss"


@pytest.mark.parametrize("same", [copy.copy, copy.deepcopy, lambda h: pickle.loads(pickle.dumps(h))])
def test_copies(same):
    history = fit()
    assert same(history).to_dict() == history.to_dict()


def test_the_times_of_the_fit_and_of_its_epochs():
    history = fit(callbacks=lambda _: time.sleep(0.01))
    assert history.total_seconds >= 0.03 + sum(history["seconds"])
    assert f"3 epochs in {history.total_seconds:.3g} s" in repr(history)
    assert "seconds=" not in repr(history)


# ---- progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(monkeypatch, capsys, stream, **options):
    monkeypatch.setattr(sys, "stderr", stream)
    fit(**options)
    return stream.getvalue(), capsys.readouterr().out


def test_a_line_an_epoch(monkeypatch, capsys):
    err, out = shown(monkeypatch, capsys, Terminal(), verbose=2)
    lines = out.splitlines()
    assert err == ""
    assert [line.split()[1] for line in lines] == ["1/3", "2/3", "3/3"]
    assert all(name in line for line in lines for name in ("loss ", "accuracy ", "seconds "))


@pytest.mark.parametrize(("epochs", "lines"), [(3, 3), (20, 20), (200, 20), (209, 21)])
def test_a_bar_never_goes_to_a_file(epochs, lines, monkeypatch, capsys):
    err, out = shown(monkeypatch, capsys, io.StringIO(), verbose=True, epochs=epochs)
    assert out == ""
    assert "\r" not in err
    assert len(err.splitlines()) == lines
    assert err.splitlines()[-1].startswith(f"epoch {epochs}/{epochs}  loss ")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_estimators_bar_is_lines_in_a_file_too(solver, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    MLPClassifier((3,), solver=solver, max_iter=3, tol=0.0, verbose="bar").fit(X, Y)
    assert [line.split()[1] for line in stream.getvalue().splitlines()] == ["1/3", "2/3", "3/3"]


@pytest.mark.parametrize("verbose", [3, -1, "loud", None])
def test_other_values_of_verbose(verbose):
    with pytest.raises(ValueError, match=r"verbose is .*; choose from True, False, 2, 'auto'"):
        fit(verbose=verbose)


REFUSED = {
    "batch_size": ({"batch_size": 0}, "batch_size is 0"),
    "n_threads": ({"n_threads": 0}, "threads"),
    "l1": ({"l1": -1.0}, "l1 is -1"),
    "callbacks": ({"callbacks": [3]}, "callbacks has 3"),
    "step_callbacks": ({"step_callbacks": [print]}, "every_steps is None"),
    "shuffle": ({"shuffle": lambda epoch: [0]}, "shuffle gave 1 rows"),
    "early_stopping": ({"early_stopping": cmlp.EarlyStopping("val_loss", mode="max")}, "no validation data"),
    "metrics": ({"metrics": ["acc"]}, "unknown metric"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_a_refused_fit_leaves_the_history_and_no_open_bar(options, message, monkeypatch):
    from tqdm.auto import tqdm

    net = nn.Sequential(nn.Linear(4, 3), seed=0)
    history = net.fit(X, Y, loss="cross_entropy", epochs=2)
    monkeypatch.setattr(sys, "stderr", Terminal())
    open_bars = len(tqdm._instances)
    with pytest.raises(ValueError, match=message):
        net.fit(X, Y, **{"loss": "cross_entropy", "verbose": True, **options})
    assert net.history is history
    assert len(tqdm._instances) == open_bars


def test_an_interrupted_fit_has_its_own_history():
    net = nn.Sequential(nn.Linear(4, 3), seed=0)
    net.fit(X, Y, loss="cross_entropy", epochs=2)

    def fails(event):
        assert event.model.history is event.history
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        net.fit(X, Y, loss="cross_entropy", epochs=2, callbacks=fails)
    assert (net.history.epoch, net.history.stop) == ([0], "interrupted")


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_fit_that_is_interrupted_before_its_first_step_has_its_own_history(error):
    net = nn.Sequential(nn.Linear(4, 3), seed=0)
    net.fit(X, Y, loss="cross_entropy", epochs=2)

    def fails(epoch):
        raise error

    with pytest.raises(error):
        net.fit(X, Y, loss="cross_entropy", shuffle=fails)
    assert (net.history.steps, net.history.stop) == (0, "interrupted")


def test_a_metric_that_fails_ends_the_fit_without_its_epoch():
    calls = []

    def fails_later(y, prediction):
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("no value")
        return 1.0

    net = nn.Sequential(nn.Linear(4, 3), seed=0)
    with pytest.raises(RuntimeError, match="no value"):
        net.fit(X, Y, loss="cross_entropy", epochs=9, metrics=fails_later)
    assert (net.history.epoch, len(calls)) == ([0, 1], 3)


# ---- options that are off, and options that are none

OFF = dict.fromkeys(
    (
        *("clip_grad_norm", "clip_grad_value", "l1", "l2", "max_norm", "mixup", "input_noise", "time_limit"),
        *("every_steps", "validation_split"),
    ),
    (None, 0),
) | {
    "accumulate_steps": (None, 1),
    "callbacks": (None, ()),
    "step_callbacks": (None, ()),
    "metrics": (None, ()),
    "early_stopping": (None, False),
    "scheduler": (None, ()),
    "class_weight": (None,),
    "sample_weight": (None,),
    "validation_data": (None,),
    "row_names": (None,),
}


@pytest.mark.parametrize("name", OFF)
def test_none_is_off(name):
    want = fit(metrics=())["loss"]
    for value in OFF[name]:
        assert fit(**{"metrics": (), name: value})["loss"] == want


@pytest.mark.parametrize("name", ["clip_grad_norm", "clip_grad_value", "l1", "l2", "max_norm"])
def test_none_is_off_in_a_step(name):
    losses = []
    for options in ({}, {name: None}, {name: 0}):
        net = nn.Sequential(nn.Linear(4, 3), seed=0)
        sgd = cmlp.optim.SGD(net.parameters(), lr=0.5)
        losses.append([net.train_step(X, Y, nn.CrossEntropyLoss(), sgd, **options) for _ in range(2)])
    assert losses[0] == losses[1] == losses[2]


@pytest.mark.parametrize("name", ["epochs", "shuffle", "seed", "initial_epoch", "drop_last"])
def test_none_where_nothing_can_be_off(name):
    with pytest.raises((ValueError, TypeError), match="None"):
        fit(**{name: None})


def test_the_core_refuses_an_option_it_does_not_know():
    net = nn.Sequential(nn.Linear(4, 3))
    rows = cmlp._core.fit_rows(net._core, nn.CrossEntropyLoss()._core, X, Y, None, None, "fit")
    adam = cmlp.optim.Adam(net.parameters())._core
    with pytest.raises(ValueError, match="fit: unknown option 'batch_sise'"):
        cmlp._core.fit(
            net._core, rows, nn.CrossEntropyLoss()._core, adam, {"batch_sise": 3}, None,
            None, None, None, None, None, {},
        )  # fmt: skip


# ---- files

SUFFIXES = [".h5", ".keras", ".pt", ".pth", ".pkl", ".onnx", ".npz", ".joblib", ".H5"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_suffixes_of_other_formats(suffix, tmp_path):
    path = tmp_path / f"model{suffix}"
    with pytest.raises(
        ValueError, match=rf"save: the suffix '{suffix.lower()}' .*name the file \*.safetensors"
    ):
        cmlp.save(nn.Sequential(nn.Linear(1, 1)), path)
    assert not path.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "model", "model.cmlp", "model.v2"])
def test_other_names_are_free(name, tmp_path):
    cmlp.save(nn.Sequential(nn.Linear(1, 1)), tmp_path / name)
    assert cmlp.load(tmp_path / name).n_parameters == 2


def test_models_that_are_no_networks(tmp_path):
    from sklearn.pipeline import make_pipeline

    with pytest.raises(
        ValueError, match=r"save: net is an estimator .*: write it with joblib.dump\(model, path\)"
    ):
        cmlp.save(make_pipeline(MLPClassifier()), tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"save: net is .*it must be a"):
        cmlp.save({}, tmp_path / "model.safetensors")
