"""The version of the package and those of its tools are the same in every file that states them."""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import cmlp

ROOT = Path(__file__).parents[2]


def written() -> str:
    """Read the version in version.hpp."""
    text = (ROOT / "cpp" / "include" / "cmlp" / "version.hpp").read_text(encoding="utf-8")
    return ".".join(re.search(rf"VERSION_{part} (\d+)", text)[1] for part in ("MAJOR", "MINOR", "PATCH"))


def test_package() -> None:
    assert cmlp.__version__ == version("cmlp") == written()


def test_command_line() -> None:
    command = [sys.executable, "-m", "cmlp", "--version"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == written()


def test_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[?(\d+\.\d+\.\d+)", text, re.MULTILINE)[1] == written()


def test_pre_commit_uses_the_pinned_tools() -> None:
    config = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    tools = re.findall(r"additional_dependencies: \[(.+)\]", config)
    assert tools
    pinned = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert [tool for tool in tools if f'"{tool}"' not in pinned] == []
