"""Writes docs/trust.md from JUnit files of pytest: python tests/trust/trust_page.py RESULTS.xml ...

A test states its figures by pytest's `record_property("mutated files", 3000)`: numbers of the tests of a
promise are added, those whose name starts with "largest" are compared, texts listed. For each promise with
tests in the files, figures.json gets the date, the numbers of tests and the figures.
"""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from promises import PROMISES, Promise

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/trust.md"
FIGURES = Path(__file__).with_name("figures.json")
START = "<!-- made by nox -s trust -->"
COLUMNS = ("promise", "tested by", "last run", "peers")


def outcome(case: ElementTree.Element) -> str:
    """Return what happened to a test case."""
    for kind, name in (("failure", "failed"), ("error", "failed"), ("skipped", "skipped")):
        if case.find(kind) is not None:
            return name
    return "passed"


def ran(promise: Promise, case: ElementTree.Element) -> bool:
    """Whether a test case is one of a promise's tests."""
    file = case.get("classname", "").replace(".", "/") + ".py"
    return file in promise.tests or f"{file}::{case.get('name', '').split('[')[0]}" in promise.tests


def combined(name: str, values: list[str]) -> str | float:
    """Return one figure of several tests."""
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        return ", ".join(dict.fromkeys(values))
    return max(numbers) if name.startswith("largest") else sum(numbers)


def figures(promise: Promise, cases: list[ElementTree.Element]) -> dict[str, Any]:
    """Return the number of tests by outcome and the figures of one promise's tests; empty if none ran."""
    own = [case for case in cases if ran(promise, case)]
    outcomes = [outcome(case) for case in own]
    counts = {name: outcomes.count(name) for name in ("passed", "failed", "skipped") if name in outcomes}
    stated: dict[str, list[str]] = {}
    for stated_property in (p for case in own for p in case.iter("property")):
        stated.setdefault(stated_property.get("name", ""), []).append(stated_property.get("value", ""))
    return counts and {**counts, "figures": {name: combined(name, stated[name]) for name in stated}}


def written(name: str, value: str | float) -> str:
    """Write one figure: "3 000 mutated files", "largest delay in ms: 12", "compiler: gcc 12"."""
    if isinstance(value, str) or name.startswith("largest"):
        return f"{name}: {value if isinstance(value, str) else f'{value:.4g}'}"
    return f"{value:,.0f} {name}".replace(",", " ")


def last_run(found: dict[str, Any]) -> str:
    """Write the cell of the last run."""
    counts = [f"{found[name]} {name}" for name in ("passed", "failed", "skipped") if name in found]
    stated = [written(name, value) for name, value in found["figures"].items()]
    return "; ".join([*stated, f"tests: {', '.join(counts)} ({found['date']})"])


def page(kept: dict[str, Any]) -> str:
    """Return the text of the page: the part above the mark as it is, then one table a section."""
    lines = [PAGE.read_text(encoding="utf-8").partition(START)[0] + START]
    for section, promises in PROMISES.items():
        lines += ["", f"## {section}", "", f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
        lines += [f"| {p.says} | {p.how} | {last_run(kept[p.says])} | {p.peers} |" for p in promises]
    return "\n".join(lines) + "\n"


def read(file: Path) -> dict[str, Any]:
    """Return the figures of every promise whose tests are in a JUnit file, with the date of the run."""
    root = ElementTree.parse(file)
    date = next(root.iter("testsuite")).get("timestamp", "")[:10]
    cases = list(root.iter("testcase"))
    found = {p.says: figures(p, cases) for promises in PROMISES.values() for p in promises}
    return {says: {"date": date, **values} for says, values in found.items() if values}


def main(files: list[Path]) -> None:
    """Renew the figures of the promises that the files have, and the page."""
    kept = json.loads(FIGURES.read_text(encoding="utf-8"))
    for file in files:
        kept |= read(file)
    kept = {p.says: kept[p.says] for promises in PROMISES.values() for p in promises if p.says in kept}
    FIGURES.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(kept), encoding="utf-8")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
