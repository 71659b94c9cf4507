"""The fuzz targets: their seeds in the default run, libFuzzer and atheris for minutes in the full one."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cmlp
from cmlp.tabular import read_table

ROOT = Path(__file__).parents[2]
FUZZ = ROOT / "tests/fuzz"
SECONDS = int(os.environ.get("CMLP_FUZZ_SECONDS", "600"))


@pytest.mark.parametrize("path", sorted((FUZZ / "models").iterdir()), ids=lambda path: path.stem)
def test_each_seed_of_the_loader_is_a_model(path):
    cmlp.load(path)
    assert path.stat().st_size < 20_000


@pytest.mark.parametrize("path", sorted((FUZZ / "tables").iterdir()), ids=lambda path: path.name)
def test_each_seed_of_a_table_is_one(path):
    assert read_table(path).column_names[-1] == "y"


def loader(build: Path) -> Path:
    """Build the target of libFuzzer, or take the one that the environment names."""
    if given := os.environ.get("CMLP_FUZZ_LOAD"):
        return Path(given)
    if shutil.which("clang++-19") is None:
        pytest.skip("clang++-19 is not installed")
    options = ("--preset", "fuzz", "-S", ROOT, "-B", build)
    subprocess.run(["cmake", *options], check=True, capture_output=True, cwd=ROOT)
    subprocess.run(["cmake", "--build", build, "--target", "cmlp_fuzz_load"], check=True, capture_output=True)
    return build / "tests/fuzz/cmlp_fuzz_load"


@pytest.mark.slow
@pytest.mark.timeout(14400)
def test_fuzzing_the_loader_finds_nothing(tmp_path, record_property):
    (found := tmp_path / "found").mkdir()
    limits = (f"-max_total_time={SECONDS}", "-timeout=10", "-max_len=32768", "-print_final_stats=1")
    command = [loader(tmp_path), *limits, "-rss_limit_mb=2048", found, FUZZ / "models"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    units = re.search(r"stat::number_of_executed_units: (\d+)", done.stderr)[1]
    record_property("executions of libFuzzer under ASan and UBSan", int(units))


@pytest.mark.slow
@pytest.mark.timeout(14400)
@pytest.mark.parametrize("target", ["load", "table"])
def test_fuzzing_python_finds_nothing(target, tmp_path, record_property):
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed")
    command = [sys.executable, FUZZ / "fuzz_python.py", target, f"-max_total_time={SECONDS}", "-timeout=60"]
    done = subprocess.run(
        [*command, "-print_final_stats=1"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    units = re.search(r"stat::number_of_executed_units: (\d+)", done.stderr)[1]
    record_property("executions of atheris", int(units))
