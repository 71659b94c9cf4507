"""Callbacks of a fit: what they are given, how they end it, EarlyStopping and Checkpoint among them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import cmlp
from cmlp import MLPClassifier, nn, optim
from tolerance import assert_same_bits

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 4)), RNG.integers(0, 3, 60)
ENDS = {  # what a callback returns: whether the fit continues
    "None": (None, True),
    "True": (True, True),
    "np.True_": (np.True_, True),
    "1": (1, True),
    "False": (False, False),
    "np.False_": (np.False_, False),
    "0": (0, False),
}


def network(seed=0):
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), seed=seed)


def fit(net, **options):
    return net.fit(X, Y, **{"loss": "cross_entropy", "batch_size": 10, "epochs": 3, **options})


def estimator(**options):
    return MLPClassifier((5,), **{"max_iter": 3, "tol": 0.0, "random_state": 0, **options})


def epochs_of(trainer, callback):
    """Return the epochs that a training takes, three unless it is stopped."""
    if trainer == "fit":
        return len(fit(network(), callbacks=[callback]).epoch)
    if trainer == "steps":
        return fit(network(), step_callbacks=[callback], every_steps=6).steps // 6
    return len(estimator(solver=trainer, callbacks=[callback]).fit(X, Y).loss_curve_)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("returned", ENDS)
@pytest.mark.parametrize("trainer", ["fit", "steps", "adam", "lbfgs"])
def test_what_is_returned_counts_by_its_truth_value(trainer, returned):
    value, continues = ENDS[returned]
    assert epochs_of(trainer, lambda values: value) == (3 if continues else 1)


@pytest.mark.parametrize("given", [lambda f: f, lambda f: [f], lambda f: (f,), lambda f: iter([f])])
def test_one_function_or_several(given):
    recorded = []
    fit(network(), callbacks=given(recorded.append))
    assert [values["epoch"] for values in recorded] == [0, 1, 2]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_one_function_of_an_estimator(solver):
    recorded = []
    model = estimator(solver=solver, callbacks=recorded.append).fit(X, Y)
    assert [values["epoch"] for values in recorded] == [0, 1, 2]
    assert all(values.model is model for values in recorded)


@pytest.mark.parametrize("given", [3, [3], "loss", [print, None]])
def test_callbacks_that_are_no_functions(given):
    with pytest.raises(ValueError, match=r"fit: callbacks has .*, it must be a function"):
        fit(network(), callbacks=given)


def test_the_event_has_the_model_and_the_history_so_far():
    net, lengths = network(), []

    def look(event):
        assert event.model is net
        assert event.history is net.history
        assert event.history["loss"][-1] == event["loss"]
        lengths.append((len(event.history.epoch), event.history.steps, event.history.stop))

    history = fit(net, callbacks=look)
    assert lengths == [(1, 6, "running"), (2, 12, "running"), (3, 18, "running")]
    assert history.stop == "completed"


@pytest.mark.parametrize("kind", ["callbacks", "step_callbacks"])
def test_stop_ends_the_fit(kind):
    history = fit(network(), every_steps=6, **{kind: lambda event: event.stop()})
    assert (history.stop, history.steps) == ("callback", 6)


def test_schedulers_have_stepped_when_callbacks_are_called():
    net = network()
    adam = optim.Adam(net.parameters())
    plateau = optim.lr_scheduler.ReduceLROnPlateau(adam, patience=0, threshold=1e9, factor=0.5)
    rates = []
    fit(net, optimizer=adam, scheduler=plateau, callbacks=lambda _: rates.append(adam.lr))
    assert rates[0] >= rates[1] > rates[2]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_early_stopping_in_an_estimator_gives_an_error_with_its_parameters(solver):
    with pytest.raises(ValueError, match="early_stopping=True, n_iter_no_change= and tol="):
        estimator(solver=solver, callbacks=[cmlp.EarlyStopping()]).fit(X, Y)


# ---- checkpoints


def test_a_checkpoint_of_every_epoch(tmp_path):
    net = network()
    states = []
    checkpoint = cmlp.Checkpoint(tmp_path / "net-{epoch}-{loss:.3f}.safetensors")
    history = fit(net, callbacks=[checkpoint, lambda _: states.append(net.state_dict())])
    for epoch, state in enumerate(states):
        loaded = cmlp.load(tmp_path / f"net-{epoch}-{history['loss'][epoch]:.3f}.safetensors")
        assert_same_bits(list(loaded.state_dict().values()), list(state.values()))
        assert loaded.history["loss"] == history["loss"][: epoch + 1]
        assert loaded.history.best_epoch is not None


@pytest.mark.parametrize(("monitor", "best"), [("val_loss", np.argmin), ("val_accuracy", np.argmax)])
def test_a_checkpoint_of_the_best_epoch(tmp_path, monitor, best):
    checkpoint = cmlp.Checkpoint(tmp_path / "best.safetensors", monitor=monitor)
    history = fit(
        network(), epochs=40, optimizer="adam", validation_data=(X[:20], RNG.integers(0, 3, 20)),
        metrics=["accuracy"], callbacks=checkpoint,
    )  # fmt: skip
    assert len(cmlp.load(checkpoint.path).history.epoch) == 1 + int(best(history[monitor]))
    assert checkpoint.best == history[monitor][int(best(history[monitor]))]


def test_a_checkpoint_every_few_epochs(tmp_path):
    fit(network(), epochs=5, callbacks=cmlp.Checkpoint(tmp_path / "{epoch}.safetensors", every=2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.safetensors", "3.safetensors"]


@pytest.mark.filterwarnings("ignore")
def test_a_checkpoint_of_an_estimator(tmp_path):
    joblib = pytest.importorskip("joblib")
    checkpoint = cmlp.Checkpoint(tmp_path / "model.joblib")
    model = estimator(callbacks=[checkpoint]).fit(X, Y)
    assert math.isnan(checkpoint.best)
    np.testing.assert_array_equal(joblib.load(checkpoint.path).predict(X), model.predict(X))


BAD = {
    "no such value": (
        lambda d: cmlp.Checkpoint(d / "a.safetensors", "val_loss"),
        "monitor is 'val_loss', the values",
    ),
    "no such field": (lambda d: cmlp.Checkpoint(d / "{f1}.safetensors"), "there is no value 'f1'"),
    "every": (lambda d: cmlp.Checkpoint(d / "a.safetensors", every=0), "every is 0, it must be at least 1"),
    "mode": (lambda d: cmlp.Checkpoint(d / "a.safetensors", "loss", "low"), "mode is 'low'; choose from"),
    "suffix": (lambda d: cmlp.Checkpoint(d / "a.h5"), "the suffix '.h5' is that of Keras's HDF5"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD)
def test_checkpoints_that_are_refused(tmp_path, make, message):
    with pytest.raises(ValueError, match=message):
        fit(network(), callbacks=make(tmp_path))
