"""What `import cmlp` does: it imports no optional package and starts no thread."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_import_is_light() -> None:
    code = (
        "import sys, cmlp; "
        "heavy = {'sklearn', 'scipy', 'matplotlib', 'pandas', 'pyarrow', 'click', 'rich', 'onnx'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_import_starts_no_thread() -> None:
    tasks = "/proc/self/task"
    if not Path(tasks).exists():
        pytest.skip("counts threads through /proc")
    count = f"len(os.listdir({tasks!r}))"
    code = f"import os, numpy; before = {count}; import cmlp; assert {count} == before"
    subprocess.run([sys.executable, "-c", code], check=True)
