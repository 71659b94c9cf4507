"""Small rules every file keeps: a first line saying what lives here, clean headers, no machine's paths."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("cmake", "cpp", "python", "tests", "bench", "examples", "docs")
TEXT = {".cpp", ".hpp", ".def", ".py", ".cmake", ".in", ".md", ".toml", ".json", ".txt"}
COMMENT = {".cpp": "// ", ".hpp": "// ", ".def": "// ", ".cmake": "# ", ".in": "# "}
MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:tmp|root|home|work|Users)/\w")


def text_files() -> list[Path]:
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    own = [path for path in ROOT.iterdir() if path.is_file()]
    return sorted(path for path in inside + own if path.suffix in TEXT and "_build" not in path.parts)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


FILES = text_files()
HEADERS = [path for path in FILES if path.suffix == ".hpp"]
PUBLIC = [path for path in HEADERS if relative(path).startswith("cpp/include/")]
COMMENTED = [path for path in FILES if path.suffix in COMMENT]


@pytest.mark.parametrize("path", COMMENTED, ids=relative)
def test_first_line_says_what_lives_here(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith(COMMENT[path.suffix])


@pytest.mark.parametrize("path", HEADERS, ids=relative)
def test_headers_are_clean(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "#pragma once" in text
    assert not re.search(r"^\s*using namespace", text, re.MULTILINE)


@pytest.mark.parametrize("path", PUBLIC, ids=relative)
def test_public_headers_define_only_our_macros(path: Path) -> None:
    macros = re.findall(r"^\s*#\s*define\s+(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert [macro for macro in macros if not macro.startswith("CMLP_")] == []


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_paths_of_one_machine(path: Path) -> None:
    assert MACHINE_PATH.findall(path.read_text(encoding="utf-8")) == []
