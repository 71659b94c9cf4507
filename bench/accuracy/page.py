"""Writes docs/accuracy-tables.md (only between its marks if it has them), and its picture."""

import textwrap
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from bench.accuracy.sets import TASKS
from bench.accuracy.summary import ratios
from bench.accuracy.systems import title
from bench.accuracy.tables import names, summary_tables
from bench.compare.report import GeneratedPart

FIGURES = GeneratedPart(
    "Accuracy on tables", "<!-- figures: made by nox -s accuracy -->\n", "<!-- end of figures -->\n"
)
PAGE, PICTURE = "accuracy-tables.md", "pictures/accuracy-time.png"


def listed(values: Iterable[object]) -> str:
    """Join the distinct known values."""
    return ", ".join(dict.fromkeys(str(value) for value in values if value))


def versions(own: pd.DataFrame) -> str:
    """Name the version of each system; for cmlp's estimators one version and its commits."""
    others = own[own["commit"] == ""]
    found = [
        f"{title(name)} {listed(others.loc[others['system'] == name, 'version'])}" for name in names(others)
    ]
    ours = own[own["commit"] != ""]
    if len(ours):
        found.append(f"cmlp {listed(ours['version'])} ({listed(ours['commit'])})")
    return ", ".join(found)


def conditions(results: pd.DataFrame, threads: int) -> str:
    """Describe tables, splits, machine and versions."""
    tasks = results.drop_duplicates("set")["task"].value_counts()
    kinds = ", ".join(f"{tasks[task]} {task}" for task in TASKS if task in tasks)
    count = "1 thread" if threads == 1 else f"{threads} threads"
    text = f"{results['set'].nunique()} tables ({kinds}), {results['split'].nunique()} splits, {count}; "
    text += f"{listed(results['cpu'])}; {listed(sorted(results['date']))}. "
    text += f"{versions(results[~results['earlier']])}."
    earlier = results[results["earlier"]]
    if len(earlier):
        text += f" From an earlier run, in part or all: {', '.join(map(title, names(earlier)))}."
    return textwrap.fill(text, 116) + "\n"


def draw_picture(results: pd.DataFrame, path: Path) -> bool:
    """Draw the picture unless there is nothing to compare or no matplotlib; return whether it was drawn."""
    if ratios(results).empty:
        return False
    try:
        from bench.accuracy.picture import draw
    except ImportError:
        return False
    draw(results, path)
    return True


def write_page(results: pd.DataFrame, threads: int, folder: Path) -> None:
    """Write FOLDER/accuracy-tables.md and draw the picture beside it."""
    drawn = draw_picture(results, folder / PICTURE)
    picture = f"![Error relative to LightGBM against the time of a fit]({PICTURE})\n" if drawn else ""
    parts = [conditions(results, threads), picture]
    parts += [table.markdown() for table in summary_tables(results)]
    FIGURES.write(folder / PAGE, "\n".join(part for part in parts if part))
