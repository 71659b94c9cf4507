"""Packages that are loaded when they are first used, and what dir() lists."""

import subprocess
import sys

import pytest

LAZY = ("estimators", "plot", "tabular")
LATER = ("MLPClassifier", "MLPRegressor", "TabularClassifier", "TabularRegressor", "fit_many")
PACKAGES = ("nn", "optim", "estimators", "plot")


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("name", LAZY)
def test_attribute_loads_the_package(name):
    loaded = f"'cmlp.{name}' in sys.modules"
    code = f"import sys, cmlp; before = {loaded}; cmlp.{name}; print(before, {loaded})"
    assert run(code) == "False True"


@pytest.mark.parametrize("name", PACKAGES)
def test_dir_lists_every_public_name(name):
    listed, public = run(
        f"import cmlp; p = cmlp.{name}; print(dir(p)); print(sorted(p.__all__))"
    ).splitlines()
    assert listed == public


def test_dir_of_the_package_lists_what_is_loaded_later():
    import cmlp

    assert {*cmlp.__all__, *LAZY, *LATER} == set(dir(cmlp))
    assert all(hasattr(cmlp, name) for name in dir(cmlp))
