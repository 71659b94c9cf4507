"""The tests under programs that check memory and threads: no finding. Each builds a CMake preset."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
# preset: (what it is, the program that it needs, command that names its version)
PRESETS = {
    "sanitize": ("AddressSanitizer and UndefinedBehaviorSanitizer", "c++"),
    "threads": ("ThreadSanitizer", "clang++-19"),
    "memcheck": ("Valgrind", "valgrind"),
}
FINDING = re.compile(
    r"(ERROR: AddressSanitizer|runtime error:|WARNING: ThreadSanitizer|ERROR SUMMARY: [1-9])"
)
CASES = re.compile(r"test cases: +(\d+) \| +(\d+) passed \| 0 failed")


def output_of(*command: str, **environment: str) -> str:
    """Run a command in the root of the project, and return what it wrote; it must succeed."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-5000:]
    return text


def build(preset: str, *options: str, targets: tuple[str, ...] = ("cmlp_tests",)) -> Path:
    """Configure and build a preset, with the instruction sets of CMLP_TRUST_ISAS where it is set."""
    isas = os.environ.get("CMLP_TRUST_ISAS")
    chosen = [f"-DCMLP_ISAS={isas}"] if isas and preset == "sanitize" else []
    output_of("cmake", "--preset", preset, *chosen, *options)
    output_of("cmake", "--build", f"build/{preset}", "--target", *targets)
    return ROOT / "build" / preset


def version(program: str) -> str:
    """Return the first line of what a program says of its version."""
    return output_of(program, "--version").splitlines()[0]


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("preset", PRESETS)
def test_the_cpp_tests_have_no_finding(preset, record_property):
    name, program = PRESETS[preset]
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    build(preset)
    text = output_of("ctest", "--preset", preset, "-V")
    assert not FINDING.search(text), FINDING.search(text)[0]
    found = CASES.findall(text)
    assert found
    record_property(f"C++ test cases under {name}", sum(int(passed) for _, passed in found))
    record_property("programs", version(program))
    record_property("findings", 0)


@pytest.mark.timeout(7200)
def test_no_allocation_is_too_many_or_fatal(record_property):
    folder = build("cpp")
    text = output_of(str(folder / "tests/cpp/cmlp_tests"), "--test-case=*allocation*")
    assert CASES.search(text)
    failed = re.findall(r"^allocations that failed: (\d+)$", text, re.MULTILINE)
    record_property("allocations that failed in turn", sum(map(int, failed)))
    record_property("C++ test cases", int(CASES.search(text)[1]))


def sanitized_python(tmp_path: Path) -> dict[str, str]:
    """Return the environment in which Python imports the extension that the sanitizers check."""
    options = [f"-DPython_EXECUTABLE={sys.executable}", f"-DPython_ROOT_DIR={sys.prefix}", "-DCMLP_PYTHON=ON"]
    pybind11 = output_of(sys.executable, "-m", "pybind11", "--cmakedir").strip()
    folder = build("sanitize", *options, f"-Dpybind11_DIR={pybind11}", targets=("_core",))
    shutil.copytree(ROOT / "python/cmlp", tmp_path / "cmlp", ignore=shutil.ignore_patterns("_core*.so"))
    for extension in (folder / "python").glob("_core*.so"):
        shutil.copy(extension, tmp_path / "cmlp")
    libraries = [
        output_of("c++", f"-print-file-name={name}").strip() for name in ("libasan.so", "libstdc++.so")
    ]
    return {
        "PYTHONPATH": str(tmp_path),
        "LD_PRELOAD": ":".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
    }


# Tests that measure memory, preload libraries of their own, or start other programs.
OTHER = ("test_fit_memory", "test_failing_allocations", "test_saving", "test_overflow", "test_mutated_files")


@pytest.mark.timeout(7200)
def test_the_python_tests_have_no_finding(tmp_path, record_property):
    """The files of CMLP_TRUST_PYTHON (patterns), by default all."""
    environment = sanitized_python(tmp_path)
    patterns = os.environ.get("CMLP_TRUST_PYTHON", "test_*.py").split()
    files = sorted(path for pattern in patterns for path in (ROOT / "tests/python").glob(pattern))
    files = [str(path) for path in files if path.stem not in OTHER]
    text = output_of(
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--timeout=3000",
        *files,
        **environment,
    )
    assert not FINDING.search(text), FINDING.search(text)[0]
    passed = re.search(r"(\d+) passed", text)
    assert passed
    record_property("Python test cases under AddressSanitizer and UndefinedBehaviorSanitizer", int(passed[1]))
    record_property("Python test files", len(files))
