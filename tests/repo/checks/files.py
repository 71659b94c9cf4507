"""The files that the checks read."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
BINARY = {".png", ".npz", ".safetensors", ".ico"}


def text_files() -> list[Path]:
    """List the text files that git tracks or would add; without git, those of folders with sources."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        names = done.stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        folders = (path for path in ROOT.iterdir() if path.name[0] != "." and path.name != "build")
        names = [str(path.relative_to(ROOT)) for folder in folders for path in (folder, *folder.rglob("*"))]
    paths = (ROOT / name for name in sorted(set(names)))
    return [path for path in paths if path.is_file() and path.suffix not in BINARY]


def name_of(path: Path) -> str:
    """Return the path from the project's root, with forward slashes."""
    return path.relative_to(ROOT).as_posix()
