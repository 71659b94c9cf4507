"""What is shipped: baseline code without wide instructions, hardened, few libraries, the same bytes."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import cmlp._core
from cmlp.__main__ import cmake_dir

ROOT = Path(__file__).parents[2]
CORE = Path(cmlp._core.__file__)
ARCHIVE = Path(os.environ.get("CMLP_ARCHIVE", cmake_dir().parents[1] / "libcmlp.a"))
LIMIT = 4_000_000  # bytes of a wheel
LIBRARIES = {"libgomp", "libstdc++", "libm", "libgcc_s", "libc", "ld-linux-x86-64"}
WIDE = re.compile(r"%[yz]mm|\sv[a-z0-9]+ .*%xmm")  # registers, and encodings, that AVX brought
KERNELS = re.compile(r"4cmlp7kernels\d+([a-z0-9]+?)\d+table_")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads ELF files")


def needs(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def output(*command: object) -> str:
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def test_the_extension_is_hardened() -> None:
    readelf = needs("readelf")
    headers, dynamic = output(readelf, "-lW", CORE), output(readelf, "-dW", CORE)
    symbols = output(readelf, "-W", "--dyn-syms", CORE)
    assert re.search(r"GNU_STACK .* RW +0x", headers), "the stack is not executable"
    assert "GNU_RELRO" in headers
    assert "BIND_NOW" in dynamic, "with it the table of functions is read-only"
    assert not re.search(r"RPATH|RUNPATH|TEXTREL", dynamic)
    assert "__stack_chk_fail" in symbols
    assert "printf_chk" in symbols, "_FORTIFY_SOURCE"


def test_the_extension_needs_few_libraries(record_property) -> None:
    dynamic = output(needs("readelf"), "-dW", CORE)
    needed = set(re.findall(r"NEEDED.*\[(.+?)(?:-[0-9a-f]{8})?\.so", dynamic))
    assert needed <= LIBRARIES
    record_property("libraries", ", ".join(sorted(needed)))


def test_the_extension_names_no_folder_of_its_build() -> None:
    for name in (b"/cpp/src/", b"/python/bindings/", str(ROOT).encode()):
        assert name not in CORE.read_bytes()


def objects(listing: str) -> list[tuple[str, str]]:
    """Split what objdump prints of an archive: the instruction set of each object, and its instructions."""
    members = re.split(r"\n(?=[^\n]+: +file format )", listing)
    found = []
    for member in members:
        table = KERNELS.search(member) if member.lstrip().startswith("family_") else None
        found.append((table[1] if table else "baseline", member))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not ARCHIVE.exists(), reason="not installed from a wheel")
def test_objects_of_the_baseline_have_no_wide_instructions(record_property) -> None:
    found = objects(output(needs("objdump"), "-dt", "--no-show-raw-insn", ARCHIVE))
    baseline = [text for isa, text in found if isa in ("baseline", "scalar")]
    others = [text for isa, text in found if isa not in ("baseline", "scalar")]
    assert len(baseline) > 30
    assert len(others) > 10
    assert all(WIDE.search(text) for text in others), "the search finds what there is"
    assert [WIDE.search(text)[0] for text in baseline if WIDE.search(text)] == []
    record_property("objects of the baseline without wide instructions", len(baseline))


def wheel(folder: Path, **environment: str) -> Path:
    """Build the wheel of a copy of the sources in a folder."""
    names = output("git", "-C", ROOT, "ls-files").split("\n")
    for name in filter(None, names):
        (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / "tree" / name)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", folder, folder / "tree"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return next(folder.glob("*.whl"))


def members(path: Path) -> dict[str, str]:
    """Return the digest of each file of a wheel."""
    with zipfile.ZipFile(path) as file:
        return {name: hashlib.sha256(file.read(name)).hexdigest() for name in file.namelist()}


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_two_builds_give_the_same_wheel(tmp_path, record_property) -> None:
    found = []
    # The first may take compiled files from ccache; the second compiles all of them.
    for name, environment in (
        ("one", {"TZ": "UTC"}),
        ("two/deeper", {"TZ": "Asia/Tokyo", "LC_ALL": "C", "CCACHE_DISABLE": "1"}),
    ):
        (tmp_path / name).mkdir(parents=True)
        found.append(wheel(tmp_path / name, **environment))
    first, second = (members(path) for path in found)
    assert [name for name in first | second if first.get(name) != second.get(name)] == []
    assert found[0].read_bytes() == found[1].read_bytes()
    size = found[0].stat().st_size
    assert size < LIMIT
    record_property("wheels with the same bytes", 2)
    record_property("largest wheel in MB", size / 1e6)
    auditwheel = shutil.which("auditwheel")
    if auditwheel is not None:
        shown = output(auditwheel, "show", found[0])
        record_property("auditwheel", ", ".join(re.findall(r'"(manylinux_\w+|linux_\w+)"', shown)[:1]))


# Also those that compare results with the bits on record, and the reference trainings that take seconds.
EMULATED = (
    "runtime*,functions: the results have the bits*,a file keeps*,estimator:*,trainer:*,"
    "reference trainings: the hashes*"
)
LONG = "relu_adam,wide_sgd"


def cpp_tests(build: Path) -> Path:
    """Build the C++ tests, with every instruction set."""
    given = os.environ.get("CMLP_TESTS")
    if given:
        return Path(given)
    options = (
        "-DCMAKE_BUILD_TYPE=Release",
        "-DCMLP_BENCH=OFF",
        "-DCMLP_TESTS=ON",
        "-DCMAKE_CXX_FLAGS_RELEASE=-O1",
    )
    output("cmake", "-S", ROOT, "-B", build, "-G", "Ninja", *options)
    output("cmake", "--build", build, "--target", "cmlp_tests")
    return build / "tests/cpp/cmlp_tests"


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_processor_without_avx(tmp_path, record_property) -> None:
    command = [needs("qemu-x86_64"), "-cpu", "Nehalem", cpp_tests(tmp_path)]
    command += [f"--test-case={EMULATED}", f"--subcase-exclude={LONG}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "instruction set: scalar" in done.stdout
    record_property("C++ tests on an emulated Nehalem", int(re.search(r"test cases: +(\d+)", done.stdout)[1]))
