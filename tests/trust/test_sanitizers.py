"""The tests under programs that check memory and threads: no finding. Each builds a CMake preset.

CMLP_TRUST_ISAS limits the instruction sets of the preset sanitize, since its kernels compile for minutes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]
# preset: (what checks, the program that the preset needs, what shows that it checked)
PRESETS = {
    "sanitize": ("AddressSanitizer and UndefinedBehaviorSanitizer", "c++", b"__asan_init"),
    "threads": ("ThreadSanitizer", "clang++-19", b"__tsan_init"),
    "memcheck": ("Valgrind", "valgrind", b"ERROR SUMMARY: 0 errors"),
}
FINDING = re.compile(
    r"(ERROR: AddressSanitizer|runtime error:|WARNING: ThreadSanitizer|ERROR SUMMARY: [1-9])"
)
CASES = re.compile(r"test cases: +(\d+) \| +(\d+) passed \| +0 failed")
# Files that need an uninstrumented extension, each with its reason.
UNINSTRUMENTED = {
    "test_failing_allocations": "preloads another allocator",
    "test_fit_memory": "measures resident memory",
    "test_load_memory": "limits the address space, of which AddressSanitizer takes terabytes",
    "test_saving": "preloads another libc",
}
FILES = sorted(
    path.stem for path in (ROOT / "tests/python").glob("test_*.py") if path.stem not in UNINSTRUMENTED
)


def output_of(*command: str, **environment: str) -> str:
    """Run a command in the root of the project, and return what it wrote; it must succeed."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-5000:]
    return text


def build(preset: str, *options: str, target: str = "cmlp_tests") -> Path:
    """Configure and build a preset."""
    isas = os.environ.get("CMLP_TRUST_ISAS")
    chosen = [f"-DCMLP_ISAS={isas}"] if isas and preset == "sanitize" else []
    output_of("cmake", "--preset", preset, *chosen, *options)
    output_of("cmake", "--build", f"build/{preset}", "--target", target)
    return ROOT / "build" / preset


def version(program: str) -> str:
    """Return the first line of what a program says of its version."""
    return output_of(program, "--version").splitlines()[0]


def check_the_cpp_tests(preset, record_property):
    """Build a preset and run its C++ tests: they pass, and the program that checks them found nothing."""
    name, program, sign = PRESETS[preset]
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    tests = build(preset) / "tests/cpp/cmlp_tests"
    text = output_of("ctest", "--preset", preset, "-V")
    found = CASES.findall(text)
    assert not FINDING.search(text), FINDING.search(text)[0]
    assert found
    assert sign in text.encode() + tests.read_bytes()
    record_property(f"C++ test cases under {name}", sum(int(passed) for _, passed in found))
    record_property("programs", version(program))


def test_the_cpp_tests_under_address_sanitizer(record_property):
    check_the_cpp_tests("sanitize", record_property)


def test_the_cpp_tests_under_thread_sanitizer(record_property):
    check_the_cpp_tests("threads", record_property)


def test_the_cpp_tests_under_valgrind(record_property):
    check_the_cpp_tests("memcheck", record_property)


def test_no_allocation_is_too_many_or_fatal(record_property):
    folder = build("sanitize")
    text = output_of(str(folder / "tests/cpp/cmlp_tests"), "--test-case=*allocation*")
    assert CASES.search(text)
    failed = re.findall(r"^allocations that failed: (\d+)$", text, re.MULTILINE)
    record_property("allocations that failed in turn", sum(map(int, failed)))
    record_property("C++ test cases", int(CASES.search(text)[1]))


@pytest.fixture(scope="module")
def sanitized_python(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment in which Python imports the extension that the sanitizers check."""
    options = [f"-DPython_EXECUTABLE={sys.executable}", f"-DPython_ROOT_DIR={sys.prefix}", "-DCMLP_PYTHON=ON"]
    pybind11 = output_of(sys.executable, "-m", "pybind11", "--cmakedir").strip()
    folder = build("sanitize", *options, f"-Dpybind11_DIR={pybind11}", target="_core")
    package = tmp_path_factory.mktemp("sanitized") / "cmlp"
    shutil.copytree(ROOT / "python/cmlp", package, ignore=shutil.ignore_patterns("_core*.so"))
    (extension,) = (folder / "python").glob("_core*.so")
    shutil.copy(extension, package)
    names = ("libasan.so", "libubsan.so", "libstdc++.so")
    libraries = [output_of("c++", f"-print-file-name={name}").strip() for name in names]
    return {
        "PYTHONPATH": str(package.parent),
        "LD_PRELOAD": ":".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


@pytest.mark.parametrize("file", FILES)
def test_the_python_tests_have_no_finding(file, sanitized_python, record_property):
    arguments = ("-q", "-p", "no:cacheprovider", "--timeout=3600", f"tests/python/{file}.py")
    text = output_of(sys.executable, "-m", "pytest", *arguments, **sanitized_python)
    passed = re.search(r"(\d+) passed", text)
    assert passed
    assert not FINDING.search(text), FINDING.search(text)[0]
    record_property("Python test cases", int(passed[1]))
    record_property(f"of {len(FILES) + len(UNINSTRUMENTED)} test files", 1)
