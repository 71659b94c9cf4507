"""Runs code in a fresh interpreter: what a crash would end, and what happens on import and at exit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import Any

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
