"""The README's Python runs as it stands, its blocks one after the other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_python_blocks_run(tmp_path: Path, monkeypatch, capsys) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert blocks
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(blocks), "README.md", "exec"), {})
    assert "accuracy" in capsys.readouterr().out
