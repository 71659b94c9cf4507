"""Checks the text of files: `python tests/repo/checks [FILE ...]`, by default all; part of `nox -s lint`.

Prints one line per violation and exits with 1 if there is any.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from checks import imports, layering, namespace, paths, text, words
from checks.files import name_of, text_files

RULES = (text, words, layering, namespace, imports, paths)


def main(arguments: list[str]) -> int:
    """Apply every rule to every file; return the exit status."""
    files = [Path(argument).resolve() for argument in arguments] or text_files()
    found = 0
    for path in files:
        content = path.read_text(encoding="utf-8")
        for rule in RULES:
            for violation in rule.violations(name_of(path), content):
                print(violation)
                found += 1
    print(f"{len(files)} files, {found} violations")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
