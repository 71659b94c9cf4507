"""Every file that the README and the documentation name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
TOP = ("bench", "cmake", "cpp", "docs", "examples", "python", "tests", ".ci")
MADE = ("docs/_build", "build/")  # written by a command that the page gives


def named_paths(text: str) -> set[str]:
    """List the words of a page that start with a top folder, and the root's own files in backquotes."""
    words = re.findall(rf"(?<![\w./-])(?:{'|'.join(map(re.escape, TOP))})/[\w./*-]*", text)
    files = re.findall(r"`(\w+\.(?:toml|txt|json|md|py))`", text)
    return {word.rstrip(".") for word in words + files if not word.startswith(MADE)}


def links(text: str) -> set[str]:
    """List the targets of relative Markdown links, without their anchors."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return {t.split("#")[0] for t in targets if "://" not in t and not t.startswith(("#", "mailto:"))}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_files_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = [path for path in named_paths(text) if not list(ROOT.glob(path.rstrip("/")))]
    missing += [link for link in links(text) if not (page.parent / link).exists()]
    assert not sorted(missing), f"{page.name} names files that are not there"


def test_the_check_sees_paths() -> None:
    text = "`cpp/src/ops.cpp` calls cpp/src/kernels/*.hpp. See [this](docs/a.md#b), `noxfile.py`, [x](https://a.b)"
    assert named_paths(text) == {"cpp/src/ops.cpp", "cpp/src/kernels/*.hpp", "docs/a.md", "noxfile.py"}
    assert links(text) == {"docs/a.md"}
