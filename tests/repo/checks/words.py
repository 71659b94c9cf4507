"""Words that the project does not use, in text and in identifiers, each with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator

INSTEAD = {
    "observed, callback, values passed to a callback": "heard hears hearer hearers",
    "reports, says, passed to": "told tell tells telling",
    "schedule, scheduled values, training run": "course courses",
    "monitor": "watch watches watched watching watcher watchers",
    "infer, fit, compare, score": "judge judges judged judging",
    "full-batch, complete, all, integer": "whole",
    "in parallel, in one step, accumulated": "together",
    "prediction, result, error, reply": "answer answers answered answering",
    "counted, known, recorded, found": "seen met",
    "calls, needs, requests": "ask asks asked asking",
    "interface, file, architecture, space": "door doors room rooms",
    "again, new": "anew",
}
PHRASES = {
    "continue": r"\b(go|goes|going|went|gone) on\b",
    "architecture, design": r"\bthe house\b",
    "plateau": r"\bat rest\b",
    "no improvement": r"\bno better\b",
    "return, restore": r"\b(give|gives|gave|given|giving) back\b",
    "resolve": r"\bfinds? (its|their|one's) way\b",
    "compare with": r"\b(hold|holds|held) against\b",
    "fit the column encoder": r"\blearns? a column\b",
}
WORDS = {word: instead for instead, words in INSTEAD.items() for word in words.split()}
TOKEN = re.compile(r"[A-Z]?[a-z]+")
# Quotations: earlier names in the changelog, the licence, columns and missing values of tables.
ALLOWED = {
    "CHANGELOG.md": {"whole"},
    "LICENSE": {"met"},
    "bench/accuracy/sets.py": {"room"},  # a column of a table
    "python/cmlp/tabular/words.py": {"answer"},
    "python/cmlp/tabular/reading/writing.py": {"tell"},  # of a file
}
SELF = ("tests/repo/checks/words.py", "tests/repo/test_checks.py")


def violations(name: str, text: str) -> Iterator[str]:
    """Yield the words of a text that are to be replaced."""
    if name in SELF:
        return
    allowed = ALLOWED.get(name, set())
    for number, line in enumerate(text.splitlines(), start=1):
        for word in {token.lower() for token in TOKEN.findall(line)} & WORDS.keys() - allowed:
            yield f"{name}:{number}: '{word}': write {WORDS[word]}"
        for instead, phrase in PHRASES.items():
            if match := re.search(phrase, line, re.IGNORECASE):
                yield f"{name}:{number}: '{match[0]}': write {instead}"
