"""Writes the generated documentation pages: python tests/repo/pages.py FOLDER, for example docs."""

import sys
import textwrap
from itertools import groupby
from pathlib import Path

WIDTH = 116  # columns
INTRODUCTION = """# The catalogue

Every named thing of the package, generated from the core's lists by `nox -s stubs`. `cmlp info --catalogue`
prints the same (`--json` for programs). Differences from PyTorch are on [another page](pytorch.md).

**Error bound**: the largest error that the test allows relative to the exact value, in float32 and in
float64, for any parameter, rounded to the dtype. For vector functions it is the largest error in units of the
last place (ULP) over all float32 inputs. The test named with each kind compares every entry with a reference
in NumPy float64. `nox -s comparisons` also compares it with PyTorch, if PyTorch has it.
"""
HASHES = """# Hashes of reference trainings

Each training has a fixed network, fixed data from the library's own random numbers, and a fixed recipe. The
hash (CRC-64/XZ) covers the bits of its weights, of the loss of each epoch and of its predictions. A machine
that keeps the [numeric guarantees](numbers.md) computes these hashes with every instruction set and any
number of threads:

```sh
cmlp verify
```

The page is generated from [trainings.def](../cpp/include/cmlp/lists/trainings.def) by `nox -s stubs`. The C++
tests compare the hashes with every instruction set, `nox -s aarch64` with NEON under qemu. The hashes of
`activations`, `losses` and `optimizers` change when their list grows. A release that changes any of the
others says so in the [changelog](../CHANGELOG.md).

| training | hash | what is in it |
|---|---|---|
"""
PLURAL = {"loss": "losses"}
FACTS = {"bound": "Error bound: {}.", "test": "Test: `{}`."}


def escaped(text: str) -> str:
    """Escape what Markdown would interpret."""
    return text.replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;")


def item(row: dict[str, str], shown: list[str]) -> str:
    """Write one entry as a list item: class, name, arguments, formula, source, bound, test."""
    title = [f"**{escaped(row['type'] or row['name'])}**"]
    if row["type"] and row["name"] != row["type"]:
        title.append(f"`{row['name']}`")
    arguments = f" ({escaped(row['parameters'])})" if row["parameters"] else ""
    text = f"{' '.join(title)}{arguments}: {escaped(row['formula'])}."
    if row["source"]:
        text += f" Source: {escaped(row['source'])}."
    text += "".join(" " + fact.format(row[key]) for key, fact in FACTS.items() if key in shown)
    return textwrap.fill(text, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def section(kind: str, rows: list[dict[str, str]]) -> str:
    """List the entries of one kind; what all of them share is said once, above them."""
    from cmlp.catalogue import columns

    shown, shared = columns(rows)
    facts = " ".join(FACTS[key].format(value) for key, value in shared.items())
    items = "\n".join(item(row, shown) for row in rows)
    return f"\n## {PLURAL.get(kind, kind + 's').capitalize()}\n\n{facts}\n\n{items}\n"


def catalogue_page() -> str:
    """Return the page with all kinds."""
    from cmlp.catalogue import catalogue

    kinds = groupby(catalogue(), key=lambda row: row["kind"])
    return INTRODUCTION + "".join(section(kind, list(rows)) for kind, rows in kinds)


def hashes_page() -> str:
    """Return the page with the hashes of the reference trainings."""
    from cmlp import _core

    rows = _core.reference_trainings()
    return HASHES + "".join(f"| {escaped(name)} | `{value}` | {what} |\n" for name, value, what in rows)


def main(folder: Path) -> None:
    """Write every page into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalogue.md").write_text(catalogue_page(), encoding="utf-8")
    (folder / "hashes.md").write_text(hashes_page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
