"""The committed stub of the extension module is what the bindings say."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_stub_is_fresh(tmp_path: Path) -> None:
    made = tmp_path / "_core.pyi"
    subprocess.run([sys.executable, ROOT / "tests" / "repo" / "stubs.py", made], check=True)
    committed = ROOT / "python" / "cmlp" / "_core.pyi"
    assert committed.read_text(encoding="utf-8") == made.read_text(encoding="utf-8"), "run `nox -s stubs`"
