"""What importing does to a process, and what it does not: threads, rounding, other packages, output."""

from __future__ import annotations

import os

import pytest

import cmlp
import fresh

OPTIONAL = [
    "click",
    "rich",
    "pandas",
    "pyarrow",
    "sklearn",
    "matplotlib",
    "onnx",
    "scipy",
    "torch",
    "tqdm.notebook",
]


def test_import_brings_no_optional_package():
    loaded = fresh.result("import cmlp, json, sys; print(json.dumps(sorted(sys.modules)))")
    assert not set(OPTIONAL) & set(loaded)
    assert "numpy" in loaded


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts threads in /proc")
def test_import_starts_no_thread():
    code = """
        import json, os
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        import numpy
        before = len(os.listdir("/proc/self/task"))
        import cmlp
        cmlp.nn.Sequential(cmlp.nn.Linear(2, 2))([[1, 2]])
        print(json.dumps([before, len(os.listdir("/proc/self/task"))]))
    """
    before, after = fresh.result(code)
    assert before == after


def test_import_and_training_leave_rounding_and_subnormals_alone():
    code = """
        import json
        import numpy as np
        import cmlp
        from cmlp import nn
        net = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 2))
        net.fit(np.ones((500, 64)), np.arange(500) % 2, loss="cross_entropy", epochs=2)
        tiny = np.float32(1e-45)
        a, b = np.float64(1.0), np.float64(2.0**-53)
        subnormals = [bool(tiny * np.float32(1) > 0), bool(np.float64(5e-324) + 0.0 > 0)]
        print(json.dumps([*subnormals, float(a + b), float(a + 3 * b), float(-a - 3 * b)]))
    """
    assert fresh.result(code) == [True, True, 1.0, 1.0 + 2.0**-51, -1.0 - 2.0**-51]  # ties to even


STATE = """
    import json, locale, os, pickle, random, signal, sys, warnings
    import numpy as np

    def state():
        status = open("/proc/self/status").read().split("SigBlk:")[1].split("CapInh:")[0].split()
        return {
            "signal handlers": [repr(signal.getsignal(number)) for number in signal.valid_signals()],
            "signals caught, blocked, ignored": status,
            "random numbers": [random.getstate()[1][:5], np.random.get_state()[1][:5].tolist()],
            "locale": locale.setlocale(locale.LC_ALL),
            "warnings": [repr(each) for each in warnings.filters],
            "NumPy's errors": np.geterr(),
            "environment": dict(os.environ),
            "folder": os.getcwd(),
            "hooks": [repr(sys.excepthook), repr(sys.displayhook), sys.getrecursionlimit()],
        }

    before = json.dumps(state())
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="reads /proc")
def test_import_and_training_leave_the_process_as_it_was(record_property):
    code = """
    import cmlp
    imported = json.dumps(state())
    net = cmlp.nn.Sequential(cmlp.nn.Linear(64, 64), cmlp.nn.Dropout(0.5), cmlp.nn.Linear(64, 2))
    net.fit(np.ones((500, 64)), np.arange(500) % 2, loss="cross_entropy", epochs=2, verbose=False)
    net.predict(np.ones((3, 64)))
    print(json.dumps([json.loads(each) for each in (before, imported, json.dumps(state()))]))
    """
    before, imported, trained = fresh.result(STATE + code)
    for name in before:
        assert before[name] == imported[name] == trained[name], name
    record_property("kinds of state compared", len(before))


def test_subnormal_weights_and_inputs_are_numbers_too():
    """Neither flushed to zero on the way in nor on the way out."""
    tiny = 1e-40
    net = cmlp.nn.Sequential(cmlp.nn.Linear(1, 1, bias=False, init="constant", init_settings={"value": 1.0}))
    assert net.predict([[tiny]])[0, 0] > 0
    net[0].weight.data = [[tiny]]
    assert net.predict([[1.0]])[0, 0] > 0


@pytest.mark.parametrize("isa", cmlp.runtime.isas())
def test_the_environment_names_the_instruction_set(isa):
    assert fresh.result("import cmlp, json; print(json.dumps(cmlp.runtime.isa()))", CMLP_ISA=isa) == isa


def test_a_wrong_instruction_set_in_the_environment_is_ignored_with_a_warning():
    done = fresh.run("import cmlp; print(cmlp.runtime.isa())", CMLP_ISA="mmx")
    assert (done.returncode, done.stdout.strip()) == (0, cmlp.runtime.isas()[0])
    (line,) = done.stderr.splitlines()
    assert all(name in line for name in ("CMLP_ISA", "mmx", *cmlp.runtime.isas()))


def test_the_environment_limits_the_threads():
    code = "import cmlp, json; print(json.dumps(cmlp.get_num_threads()))"
    assert fresh.result(code, OMP_NUM_THREADS="1") == 1
    assert fresh.result(code, OMP_NUM_THREADS="7") == 7
    assert fresh.result(code, OMP_NUM_THREADS="nonsense") >= 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity")
def test_affinity_limits_the_threads():
    code = """
        import json, os
        os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
        import cmlp
        print(json.dumps(cmlp.get_num_threads()))
    """
    environment = {} if "OMP_NUM_THREADS" not in os.environ else {"OMP_NUM_THREADS": ""}
    assert fresh.result(code, **environment) == 1


def test_the_public_names():
    assert sorted(cmlp.__all__) == cmlp.__all__
    assert all(hasattr(cmlp, name) for name in cmlp.__all__)
    for module in (cmlp.nn, cmlp.optim, cmlp.runtime):
        assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize("kind", ["activations", "losses", "optimizers"])
def test_every_row_has_its_class(kind):
    module = cmlp.optim if kind == "optimizers" else cmlp.nn
    types = {row["type"] for row in getattr(cmlp._core, kind)()} - {"GELUTanh"}  # GELU("tanh")
    assert types <= set(module.__all__)


def test_documentation_of_everything_public():
    for module in (cmlp, cmlp.nn, cmlp.optim):
        assert all(getattr(module, name).__doc__ for name in module.__all__ if name != "__version__")
