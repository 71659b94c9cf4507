"""Thousands of damaged model files: each is one ValueError or a model that predicts; the process survives."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

import cmlp
from cmlp import MLPClassifier, nn, optim
from cmlp.estimators import MLPEnsembleClassifier
from cmlp.optim.swa_utils import AveragedModel
from model_file import network, saved

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning"
)  # of short fits, and of other versions in files

SHARES = 20
X = np.random.default_rng(0).normal(size=(4, 4))
EXTREMES = [
    b"-1",
    b"0",
    b"1e999",
    b"4611686018427387904",
    b"18446744073709551616",
    b"null",
    b"[",
    b"}",
    b'"',
    b"\\",
]


def _flip(rng, raw):
    for at in rng.integers(0, len(raw), rng.integers(1, 5)):
        raw[at] ^= 1 << rng.integers(8)


def _overwrite(rng, raw):
    start = rng.integers(0, len(raw))
    raw[start : start + rng.integers(1, 40)] = rng.bytes(rng.integers(0, 40))


def _truncate(rng, raw):
    del raw[rng.integers(0, len(raw)) :]


def _extend(rng, raw):
    raw += rng.bytes(rng.integers(1, 100))


def _remove(rng, raw):
    start = rng.integers(0, len(raw))
    del raw[start : start + rng.integers(1, 64)]


def _repeat(rng, raw):
    start, stop = np.sort(rng.integers(0, len(raw), 2))
    at = rng.integers(0, len(raw))
    raw[at:at] = raw[start:stop]


def _swap(rng, raw):
    """Exchange two blocks of one size."""
    size = int(rng.integers(1, len(raw) // 2))
    a, b = np.sort(rng.integers(0, len(raw) - size, 2))
    raw[a : a + size], raw[b : b + size] = raw[b : b + size], raw[a : a + size]


def _replace_number(rng, raw):
    """Put an extreme value where the header has a digit."""
    header = 8 + int.from_bytes(raw[:8], "little")
    digits = [at for at in range(8, min(header, len(raw))) if 48 <= raw[at] <= 57]
    if digits:
        at = digits[rng.integers(len(digits))]
        value = EXTREMES[rng.integers(len(EXTREMES))]
        raw[at : at + 1] = value
        raw[:8] = (header - 8 + len(value) - 1).to_bytes(8, "little")


MUTATIONS = [_flip, _overwrite, _truncate, _extend, _remove, _repeat, _swap, _replace_number]


def mutated(rng, raw):
    """Return the bytes of a file after one to three mutations."""
    broken = bytearray(raw)
    for change in rng.choice(len(MUTATIONS), rng.integers(1, 4)):
        MUTATIONS[change](rng, broken)
        if len(broken) < 16:
            break
    return bytes(broken)


def trained():
    net = network()
    net.fit(X, [0, 1, 2, 0], loss="cross_entropy", epochs=2, validation_split=0.5, metrics=["accuracy"])
    return net


def fit_checkpoint(net, path, **options):
    """Fit with a checkpoint in which the best weights are not the last."""
    adam = optim.Adam(net.parameters(), lr=3.0)
    schedule = optim.lr_scheduler.ReduceLROnPlateau(adam, patience=0)
    y = [0, 1, 2, 0]
    net.fit(
        X, y, loss="cross_entropy", optimizer=adam, epochs=4, scheduler=schedule, early_stopping=9,
        checkpoint=path, **options,
    )  # fmt: skip


def estimator():
    settings = {"hidden_layer_sizes": (3,), "max_iter": 2, "early_stopping": True, "class_weight": {"a": 2.0}}
    return MLPClassifier(**settings, random_state=0).fit(np.tile(X, (5, 1)), ["a", "b", "c", "b"] * 5)


def tabular():
    columns = {
        "size": [1.5, 2.5, None, 4.0] * 15,
        "kind": ["a", "b", "a", None] * 15,
        "price": [1, 2, 3, 4] * 15,
    }
    target = columns.pop("price")
    return cmlp.TabularRegressor(preset="fast", random_state=0).fit(columns, target)


def ensemble():
    base = MLPClassifier((3,), max_iter=2)
    return MLPEnsembleClassifier(base, 2, random_state=0).fit(np.tile(X, (5, 1)), ["a", "b", "c", "b"] * 5)


MODELS = {
    "network": trained,
    "mappable": trained,
    "estimator": estimator,
    "tabular": tabular,
    "checkpoint": network,
    "ensemble": ensemble,
    "perceptron": lambda: cmlp.Perceptron("averaged").fit(X, ["a", "b", "c", "b"]),
    "module": lambda: nn.Ensemble(nn.Linear(4, 2), nn.Linear(4, 2)),
    "average": lambda: AveragedModel(network()),
}


@pytest.fixture(scope="module")
def model_bytes(tmp_path_factory):
    """Return the bytes of the file of each kind of model."""
    folder = tmp_path_factory.mktemp("models")
    options = {"metadata": {"note": "text"}}
    made = {
        kind: saved(folder, make(), **options, mappable=kind == "mappable").read_bytes()
        for kind, make in MODELS.items()
    }
    path = folder / "checkpoint.safetensors"
    fit_checkpoint(network(), path)
    return {**made, "checkpoint": path.read_bytes()}


def load_all(path, raw, seed, count, resumes=False, mmap=False):
    """Load mutated files: verified, only those with the same content load; the error is a ValueError."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        broken = mutated(rng, raw)
        path.write_bytes(broken)
        for verify in (True, False):
            with contextlib.suppress(ValueError):
                model = cmlp.load(path, verify=verify, mmap=mmap)
                assert not verify or same_content(broken, raw)
                repr(model)
                if isinstance(model, nn.Sequential):
                    model.predict(X)
            if resumes:
                with contextlib.suppress(ValueError):
                    fit_checkpoint(network(), path, resume=True)


def same_content(broken, raw):
    """Return whether two files differ at most in what follows or precedes no value: spaces of the header."""
    return broken == raw or b"".join(broken[8:].split()) == b"".join(raw[8:].split())


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("seed", range(SHARES))
def test_thousands_of_mutated_files(seed, kind, model_bytes, memory_folder, record_property):
    count = (5_000 if kind == "network" else 1_000) // SHARES
    load_all(
        memory_folder / "model", model_bytes[kind], seed, count, kind == "checkpoint", kind == "mappable"
    )
    record_property("mutated files", count)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("seed", range(SHARES, 2 * SHARES))
def test_a_hundred_thousand_mutated_files(seed, kind, model_bytes, memory_folder, record_property):
    load_all(memory_folder / "model", model_bytes[kind], seed, 100_000 // SHARES, mmap=kind == "mappable")
    record_property("mutated files", 100_000 // SHARES)


@pytest.mark.parametrize("kind", MODELS)
def test_the_models_that_are_mutated_load(kind, model_bytes, memory_folder):
    (memory_folder / "model").write_bytes(model_bytes[kind])
    assert type(cmlp.load(memory_folder / "model")).__name__ == type(MODELS[kind]()).__name__
