"""The reference trainings on emulated processors: 64-bit Arm, and x86-64 without fused multiply-add."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cmlp
from cmlp import _core

ROOT = Path(__file__).parents[2]
SECONDS = 3600
LONG = ("relu_adam", "wide_sgd")  # minutes where each multiply-add is emulated twice


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip a test where one of the programs is not installed."""
    missing = [program for program in programs if not shutil.which(program)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def run(*command: str, **environment: str) -> str:
    """Return what a command prints, with what it prints to stderr in the error when it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@needs("cmake", "ninja", "aarch64-linux-gnu-g++", "qemu-aarch64")
def test_neon_has_the_published_hashes(record_property):
    run("cmake", "--preset", "aarch64")
    run("cmake", "--build", "--preset", "aarch64", "--target", "cmlp_bits")
    program = str(ROOT / "build/aarch64/tests/cpp/cmlp_bits")
    emulated = ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", program)
    printed = run(*emulated, "--test-case=reference trainings*", CMLP_ISA="neon")
    assert re.search(r"instruction set: neon", printed), printed
    assert re.search(r"test cases: +3 .* 0 failed", printed), printed
    record_property("trainings with NEON", 3 * len(_core.reference_trainings()))


@pytest.mark.slow
@needs("qemu-x86_64")
@pytest.mark.skipif(cmlp.runtime.built_isas()[-1] != "scalar", reason="the build has no plain code")
def test_a_processor_without_fused_multiply_add_has_the_published_hashes(record_property):
    code = "from cmlp.cli import main; main()"
    names = [name for name, _, _ in _core.reference_trainings() if name not in LONG]
    chosen = [f"--training={name}" for name in names]
    options = ("-c", code, "verify", "--json", "--threads", "1", *chosen)
    package = str(Path(cmlp.__file__).parents[1])
    emulated = ("qemu-x86_64", "-cpu", "IvyBridge", sys.executable)  # NumPy needs AVX
    facts = json.loads(run(*emulated, *options, PYTHONPATH=package))
    assert facts["isas"] == ["scalar"]
    assert facts["same"]
    record_property("trainings without FMA", len(names))
