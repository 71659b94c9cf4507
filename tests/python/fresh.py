"""Runs code in a fresh interpreter: what a crash would end, and what happens on import and at exit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import cmlp

SECONDS = 100


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code with this package in a new process, with warnings as errors."""
    package = os.path.dirname(os.path.dirname(cmlp.__file__))
    path = os.pathsep.join(part for part in (package, os.environ.get("PYTHONPATH")) if part)
    return subprocess.run(
        [sys.executable, "-W", "error", "-X", "faulthandler", "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def result(code: str, **environment: str) -> Any:
    """Run code that must end well, and return the JSON on its last line."""
    done = run(code, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def compiled(source: str, folder: Path) -> str:
    """Compile a file of this folder for LD_PRELOAD, and return the library's path; skip where it cannot."""
    compiler = shutil.which("c++" if source.endswith(".cpp") else "cc")
    if compiler is None or os.uname().sysname != "Linux":
        pytest.skip("needs Linux and a compiler")
    file = Path(__file__).with_name(source)
    library = folder / file.with_suffix(".so").name
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, file, "-ldl"], check=True)
    return str(library)
