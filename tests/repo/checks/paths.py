"""Every file that the README and the documentation name exists."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.files import ROOT

TOP = ("bench", "cmake", "cpp", "docs", "examples", "python", "tests", ".ci")
MADE = ("docs/_build", "build/")  # written by a command on the page


def named_paths(text: str) -> set[str]:
    """List the words of a page that start with a top folder, and the root's own files in backquotes."""
    words = re.findall(rf"(?<![\w./-])(?:{'|'.join(map(re.escape, TOP))})/[\w./*-]*", text)
    files = re.findall(r"`(\w+\.(?:toml|txt|json|md|py))`", text)
    return {word.rstrip(".") for word in words + files if not word.startswith(MADE)}


def links(text: str) -> set[str]:
    """List the targets of relative Markdown links, without their anchors."""
    targets = re.findall(r"\]\(([^)\s]+)\)|^\[\w+\]: (\S+)", text, re.MULTILINE)
    found = {inline or reference for inline, reference in targets}
    return {t.split("#")[0] for t in found if "://" not in t and not t.startswith(("#", "mailto:"))}


def violations(name: str, text: str) -> Iterator[str]:
    """Yield the files that a page names and that do not exist."""
    if not name.endswith(".md"):
        return
    page = ROOT / name
    missing = [path for path in named_paths(text) if not list(ROOT.glob(path.rstrip("/")))]
    missing += [link for link in links(text) if not (page.parent / link).exists()]
    yield from (f"{name}: names {path}, which does not exist" for path in sorted(missing))
