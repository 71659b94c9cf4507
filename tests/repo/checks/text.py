"""Rules of one file's text: its first line, clean headers, short lines, no path of one machine."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST_LINE = 120
COMMENT = {".cpp": "// ", ".hpp": "// ", ".def": "// ", ".cmake": "# ", ".in": "# "}
MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:tmp|root|home|work|Users)/\w")


def suffix(name: str) -> str:
    """Return the last suffix of a file's name, with its dot."""
    return name[name.rfind(".") :] if "." in name else ""


def violations(name: str, text: str) -> Iterator[str]:
    """Yield what breaks a rule in the text of the file ``name`` (its path from the root)."""
    if suffix(name) in COMMENT and not text.startswith(COMMENT[suffix(name)]):
        yield f"{name}:1: the first line is a comment that says what the file holds"
    if suffix(name) == ".hpp":
        yield from header(name, text)
    for number, line in enumerate(text.splitlines(), start=1):
        in_table = suffix(name) == ".md" and line.startswith("|")  # a row has one line
        if len(line) > LONGEST_LINE and not in_table:
            yield f"{name}:{number}: {len(line)} columns, at most {LONGEST_LINE}"
        if match := MACHINE_PATH.search(line):
            yield f"{name}:{number}: {match[0]}... is a path of one machine"


def header(name: str, text: str) -> Iterator[str]:
    """Yield what breaks a rule of C++ headers."""
    if "#pragma once" not in text:
        yield f"{name}:1: a header has `#pragma once`"
    if re.search(r"^\s*using namespace", text, re.MULTILINE):
        yield f"{name}: `using namespace` in a header"
    if name.startswith("cpp/include/"):
        macros = re.findall(r"^\s*#\s*define\s+(\w+)", text, re.MULTILINE)
        yield from (
            f"{name}: the macro {each} does not begin with CMLP_" for each in macros if each[:5] != "CMLP_"
        )
