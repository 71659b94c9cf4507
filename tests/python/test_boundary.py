"""Every argument of every public callable with wrong values: only TypeError or ValueError, in words."""

import re

import matplotlib.pyplot as plt
import pytest

import cmlp
from boundary import BAD, NEVER_TAKEN, constructors, estimator_calls, method_calls, top_level_calls

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

# What Python, NumPy or the bindings say when a value gets through to them.
RAW = re.compile(
    r"Unable to cast|'\?'|vars\(\)|_core|incompatible (constructor|function) arguments|not subscriptable"
    r"|not iterable"
    r"|unsupported operand|not supported between|must be real number|has no attribute|cannot be interpreted"
    r"|could not convert|invalid literal|object is not callable|has no len"
    r"|(?<!class )indices must be integers"
)
TAKES_A_FUNCTION = {  # so a class, which can be called, is taken or fails when it is called
    "avg_fn", "multi_avg_fn", "lr_lambda", "scale_fn", "shuffle", "callbacks", "step_callbacks", "metrics",
    "scoring", "solver", "schedule", "scheduler",
}  # fmt: skip
DATA = {
    "X",
    "y",
    "sample_weight",
    "classes",
    "groups",
    "cv",
    "param_grid",
    "X_val",
    "y_val",
    "sample_weight_val",
}
ANYTHING = {
    ("confusion_matrix", "labels"),
    ("update_bn", "loader"),
    ("clip_grad_norm_", "error_if_nonfinite"),
}
SKIPPED = {("permutation_importance", "repeats", "huge"), ("score_curve", "label", "list of strangers")}


def grouped(calls):
    groups = {}
    for name, argument, make in calls:
        groups.setdefault(name, []).append((argument, make))
    return groups


def problem(name, argument, kind, make):
    """Return what is wrong with the error for a bad value, or None."""
    function, valid = make()
    try:
        function(**{**valid, argument: BAD[kind]})
    except (TypeError, ValueError) as error:
        text = str(error)
        named = re.search(rf"\b{argument}\b|^\w+(\.\w+)?: ", text) or name in text or repr(BAD[kind]) in text
        diverged = "non-finite" in text
        known = argument in DATA or (name, argument) in ANYTHING
        calls = kind == "a class" and argument in TAKES_A_FUNCTION
        if known or calls or diverged or (named and not RAW.search(text)):
            return None
        return f"{name}({argument}={BAD[kind]!r}): {type(error).__name__}: {text}"
    except Exception as error:
        return f"{name}({argument}={BAD[kind]!r}): {type(error).__name__}: {error}"
    taken = kind in NEVER_TAKEN and not (kind == "a class" and argument in TAKES_A_FUNCTION)
    return (
        f"{name}({argument}={BAD[kind]!r}) is taken" if taken and (name, argument) not in ANYTHING else None
    )


def problems(name, arguments):
    found = [
        problem(name, argument, kind, make)
        for argument, make in arguments
        for kind in BAD
        if (name, argument, kind) not in SKIPPED and argument != "verbose"
    ]
    plt.close("all")
    return [each for each in found if each]


CONSTRUCTORS = grouped(constructors())
METHODS = grouped(method_calls())
ESTIMATORS = grouped(estimator_calls())


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_constructors_and_functions(name):
    assert problems(name, CONSTRUCTORS[name]) == []


@pytest.mark.parametrize("name", METHODS)
def test_methods(name):
    assert problems(name, METHODS[name]) == []


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators(name):
    assert problems(name, ESTIMATORS[name]) == []


def test_functions_of_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a text is a valid name of a file
    cmlp.save(cmlp.nn.Sequential(cmlp.nn.Linear(2, 2)), tmp_path / "model.safetensors")
    isa = cmlp.runtime.isa()
    for name, arguments in grouped(top_level_calls(tmp_path)).items():
        assert problems(name, arguments) == []
    cmlp.set_num_threads(None)
    assert cmlp.runtime.isa() == isa
