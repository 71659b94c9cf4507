"""The committed stubs are what the bindings and the core's lists say."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "cmlp"


def test_stubs_are_fresh(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "tests" / "repo" / "stubs.py", tmp_path], check=True)
    made = sorted(tmp_path.rglob("*.pyi"))
    assert [path.name for path in made] == ["_core.pyi", "activations.pyi", "__init__.pyi"]
    for path in made:
        committed = PACKAGE / path.relative_to(tmp_path)
        assert committed.read_text(encoding="utf-8") == path.read_text(encoding="utf-8"), "run `nox -s stubs`"
