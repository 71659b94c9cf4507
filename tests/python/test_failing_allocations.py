"""Every allocation of a call fails once: MemoryError each time, and the model predicts as before.

The core's own allocations, of any size, are in tests/cpp/test_failing_allocations.cpp.
"""

from __future__ import annotations

import pytest

import fresh

SETUP = """
    import ctypes, json, tempfile, warnings
    import numpy as np
    import cmlp
    from cmlp import nn, optim

    warnings.simplefilter("ignore")  # of trainings that do not converge
    shim = ctypes.CDLL({library!r})
    shim.failing_begin.argtypes = [ctypes.c_long, ctypes.c_int]
    cmlp.set_num_threads({threads})
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 20)), rng.integers(0, 3, 300)
    path = tempfile.mkdtemp() + "/model.safetensors"

    def network():
        return nn.Sequential(nn.Linear(20, 300), nn.LayerNorm(300), nn.ReLU(), nn.Linear(300, 3), seed=1)

    def fit(net):
        adam = optim.Adam(net.parameters(), lr=0.01)
        held_out = (x[:50], y[:50])
        net.fit(x, y, loss="cross_entropy", optimizer=adam, epochs=2, batch_size=150, metrics=["accuracy"],
                validation_data=held_out, early_stopping=cmlp.EarlyStopping(patience=3), verbose=False)

    def fit_by_lbfgs(net):
        lbfgs = optim.LBFGS(net.parameters(), max_iter=2)
        net.fit(x, y, loss="cross_entropy", optimizer=lbfgs, verbose=False)

    def classifier():
        settings = dict(hidden_layer_sizes=(300,), max_iter=2, random_state=0, batch_size=150)
        return cmlp.MLPClassifier(**settings).fit(x, y)

    def save(net):
        cmlp.save(net, path)

    cases = {{
        "predict": (network, lambda net: net.predict(x)),
        "fit": (network, fit),
        "fit by lbfgs": (network, fit_by_lbfgs),
        "save": (network, save),
        "load": (network, lambda net: cmlp.load(path)),
        "copy": (network, lambda net: net.copy()),
        "fit of an estimator": (classifier, lambda model: model.fit(x, y)),
        "predict of an estimator": (classifier, lambda model: model.predict_proba(x)),
    }}

    def failing(n, call, model):
        error = ""
        shim.failing_begin(n, {news})
        try:
            call(model)
        except BaseException as raised:
            error = raised
        failed = shim.failing_end()
        return bool(failed), "MemoryError" if isinstance(error, MemoryError) else repr(error)

    def predicts(model):
        return np.isfinite(model.predict(x)).all()

    def run(name, most):
        make, call = cases[name]
        model = make()
        call(model), predicts(model)  # what is allocated once in a process
        found, raised, n = {{"cases": 0, "raised": 0, "wrong": []}}, True, 0
        while raised and n < most:
            n += 1
            shim.failing_begin(0, 0), shim.failing_end()
            fresh = make()
            raised, error = failing(n, call, fresh)
            found["cases"] += raised
            found["raised"] += error == "MemoryError"
            if error not in ("''", "MemoryError") or not predicts(fresh):
                found["wrong"].append([n, error])
        return found
"""
CASES = [
    "predict",
    "fit",
    "fit by lbfgs",
    "save",
    "load",
    "copy",
    "fit of an estimator",
    "predict of an estimator",
]
MOST = 100_000  # allocations of a call


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a function that runs a case in a process whose allocations can fail."""
    library = fresh.compiled("failing_allocations.cpp", tmp_path_factory.mktemp("allocations"))

    def run(name, threads, news):
        setup = SETUP.format(library=library, threads=threads, news=int(news))
        code = f"    save(network()); print(json.dumps(run({name!r}, {MOST})))"
        return fresh.result(setup + code, LD_PRELOAD=library)

    return run


@pytest.mark.parametrize("name", CASES)
def test_a_failing_operator_new_is_a_memory_error(name, run, record_property):
    found = run(name, threads=2, news=True)
    record_property("failed allocations", found["cases"])
    assert found["wrong"] == []
    assert found["raised"] > 0


@pytest.mark.parametrize("name", [name for name in CASES if "estimator" not in name])
def test_any_failing_allocation_is_a_memory_error(name, run, record_property):
    """Without a team, as libgomp ends the process; of networks, as NumPy's arithmetic of mixed types does."""
    found = run(name, threads=1, news=False)
    record_property("failed allocations", found["cases"])
    assert found["wrong"] == []
    assert found["raised"] > 0
