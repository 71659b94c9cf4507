"""Writes the documentation pages that are made, not written: python tests/repo/pages.py FOLDER, docs."""

import sys
from itertools import groupby
from pathlib import Path

INTRODUCTION = """# The catalogue

Everything that has a name, made from the core's lists by `nox -s stubs`; `cmlp info --catalogue` prints the
same (`--json` for programs). What differs from PyTorch is on [a page of its own](pytorch.md).

**Error bound**: what the test allows relative to the exact value, in float32, in float64; of the vector
functions the largest error in units of the last place over all float32 inputs. Every row is held against an
oracle in NumPy float64 by the test that its table names, and where PyTorch has the thing, against PyTorch
too (`nox -s judges`).
"""
PLURAL = {"loss": "losses"}
FACTS = {"bound": "Error bound: {}.", "test": "Test: `{}`."}


def cell(key: str, text: str) -> str:
    """Write a path as code, and escape what a Markdown table would take for its own."""
    if key == "test":
        return f"`{text}`"
    return text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;")


def table(kind: str, rows: list[dict[str, str]]) -> str:
    """Lay out the rows of one kind; what all of them share stands above."""
    from cmlp.catalogue import columns

    shown, shared = columns(rows)
    lines = [f"| {' | '.join(shown)} |".replace("type", "class"), "|" + "---|" * len(shown)]
    lines += [f"| {' | '.join(cell(key, row[key]) for key in shown)} |" for row in rows]
    facts = " ".join(FACTS[key].format(value) for key, value in shared.items())
    return f"\n## {PLURAL.get(kind, kind + 's').capitalize()}\n\n{facts}\n\n" + "\n".join(lines) + "\n"


def catalogue_page() -> str:
    """Every kind's table."""
    from cmlp.catalogue import catalogue

    kinds = groupby(catalogue(), key=lambda row: row["kind"])
    return INTRODUCTION + "".join(table(kind, list(rows)) for kind, rows in kinds)


def main(folder: Path) -> None:
    """Write every page into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalogue.md").write_text(catalogue_page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
