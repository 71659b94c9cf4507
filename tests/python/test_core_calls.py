"""Wrong calls of all functions and classes of `cmlp._core`: the process survives, errors are of few kinds."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from core_calls import TEXT

PROGRAM = Path(__file__).with_name("core_calls.py")
# Classes that have no constructor, and what writes a file.
NOT_CALLED = {f"{kind}{bits}.__init__" for kind in ("FitRows", "FullBatch", "Hold") for bits in (32, 64)}


def called(tmp_path: Path, seed: int, count: int) -> list[str]:
    """Make calls in a process of its own; return what is wrong with their errors."""
    shared = tmp_path / "call"
    shared.write_bytes(bytes(12 + TEXT))
    command = [sys.executable, PROGRAM, str(seed), str(count), shared]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    number, size = struct.unpack("<qi", shared.read_bytes()[:12])
    last = shared.read_bytes()[12 : 12 + size].decode("utf-8", "replace")
    assert done.returncode == 0, (
        f"call {number} of seed {seed} ended the process: {last}\n{done.stderr[-2000:]}"
    )
    assert number == count
    *found, missing = done.stdout.strip().splitlines()
    assert set(missing.removeprefix("not called: ").split(", ")) <= NOT_CALLED | {"Network64.save"}
    return found


@pytest.mark.parametrize("seed", range(2))
def test_thousands_of_wrong_calls(seed, tmp_path, record_property):
    assert called(tmp_path, seed, 3_000) == []
    record_property("wrong calls of the core", 3_000)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(2, 42))
def test_a_million_wrong_calls(seed, tmp_path, record_property):
    assert called(tmp_path, seed, 25_000) == []
    record_property("wrong calls of the core", 25_000)
