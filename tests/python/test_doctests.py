"""Every example in a docstring of the installed package runs and prints what it says."""

import doctest
import importlib
import inspect
import pkgutil
import types

import numpy as np
import pytest

import cmlp

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def module_names() -> list[str]:
    """List the package's modules, the extension module among them."""
    found = [module.name for module in pkgutil.walk_packages(cmlp.__path__, "cmlp.")]
    return ["cmlp", *sorted({*found, "cmlp._core"} - {"cmlp.__main__"})]


def native_examples(name: str, thing: object, recorded: set[int]) -> list[doctest.DocTest]:
    """Examples of compiled functions and classes, which doctest's own finder passes over."""
    if id(thing) in recorded:
        return []
    recorded.add(id(thing))
    text = inspect.getdoc(thing) or ""
    found = [doctest.DocTestParser().get_doctest(text, {}, name, None, None)] if ">>>" in text else []
    if isinstance(thing, type | types.ModuleType):
        for key, value in vars(thing).items():
            own = getattr(value, "__module__", None) or getattr(thing, "__module__", None) or name
            if not key.startswith("_") and str(own).startswith("cmlp"):
                found += native_examples(f"{name}.{key}", value, recorded)
    return found


OPTIONAL = {"cmlp.estimators.torch": "torch"}  # what a module needs that the tests do not


def examples(name: str) -> list[doctest.DocTest]:
    if name in OPTIONAL:
        pytest.importorskip(OPTIONAL[name])
    module = importlib.import_module(name)
    if name == "cmlp._core":
        return native_examples(name, module, set())
    return [test for test in doctest.DocTestFinder().find(module) if test.examples]


@pytest.mark.parametrize("name", module_names())
def test_examples(name: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    report: list[str] = []
    for test in examples(name):
        test.globs.update(np=np, cmlp=cmlp, **(vars(cmlp._core) if name == "cmlp._core" else {}))
        runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


def test_native_examples_are_found() -> None:
    class Thing:
        """A thing.

        >>> 1 + 1
        2
        """

        __module__ = "cmlp._core"

    module = types.ModuleType("cmlp._core")
    module.Thing = Thing
    assert [test.name for test in native_examples("cmlp._core", module, set())] == ["cmlp._core.Thing"]
