"""Writes the figures and their picture as Markdown: a new page, or the part of a page between two marks."""

import textwrap
from pathlib import Path
from typing import Any

from report import GeneratedPart
from tables import Figures, compare_tables, kernel_tables

FIGURES = GeneratedPart(
    "Performance", "<!-- figures: made by nox -s bench -->\n", "<!-- end of figures -->\n"
)
PICTURE = "pictures/performance.png"


def conditions(run: dict[str, Any]) -> str:
    """Describe the machine, the date and the versions of a run."""
    machine, settings = run["machine"], run["settings"]
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    text = (
        f"{machine['cpu']}, {machine['processors']} processors, {machine['system']}, "
        f"{run['isas'].get('cmlp', '')}; {run['date']}. {versions}; Python {machine['python']}. "
        f"Best of {settings['rounds']} rounds of {settings['repetitions']} repetitions of "
        f"{1000 * settings['seconds']:.0f} ms."
    )
    return textwrap.fill(text, 116) + "\n"


def figures_text(run: dict[str, Any], picture: bool) -> str:
    """Return conditions, picture and tables as Markdown."""
    kernels = kernel_tables(run)
    tables = [*compare_tables(run), *kernels]
    drawn = f"![Time of each peer over the time of cmlp]({PICTURE})\n" if picture else ""
    lost = [f"- {name} was not measured: {why}\n" for name, why in run["absent"].items()]
    lost += [f"- failed: {error}\n" for error in run["errors"]]
    parts = [conditions(run), drawn, "".join(lost), *(table.markdown() for table in tables)]
    return "\n".join(part for part in parts if part)


def write_page(run: dict[str, Any], folder: Path) -> None:
    """Write FOLDER/performance.md (only between its marks if it has them) and draw the picture."""
    figures = Figures(run)
    drawn = draw_picture(figures, folder / PICTURE)
    FIGURES.write(folder / "performance.md", figures_text(run, drawn))


def draw_picture(figures: Figures, path: Path) -> bool:
    """Draw the picture unless there is nothing to compare or no matplotlib; return whether it was drawn."""
    kinds = [kind for kind in ("train", "predict") if figures.cases(kind)]
    if not any(not peer.ours for kind in kinds for peer in figures.peers(kind)):
        return False
    try:
        from picture import draw
    except ImportError:
        return False
    draw(figures, path)
    return True
