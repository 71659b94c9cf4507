"""What the pictures of the tour share: colours, fonts, sizes, and one way to save."""

import argparse
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image  # matplotlib needs it, so it is there

# Okabe and Ito's colours, which colour-blind readers can distinguish; lines differ in their dashes too.
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#707070"
COLOURS = [BLUE, RED, GREEN, ORANGE]
DASHES = ["-", "--", "-.", ":"]
MARKERS = ["o", "s", "^", "D"]
SIDES = LinearSegmentedColormap.from_list("sides", ["#56A0CE", "#FFFFFF", "#E8955A"])  # class 0 to class 1

WIDTH = 9.0  # inches; at 125 dots an inch a page shows the text at about its own size
SETTINGS = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "lines.linewidth": 2.0,
    "savefig.dpi": 125,
}
matplotlib.rcParams.update(SETTINGS)


def subplots(rows: int, columns: int, height: float, **options: Any) -> tuple[Figure, Any]:
    """Return a figure of the tour's width and its grid of axes, always of shape (rows, columns)."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def look(k: int, marker: bool = False) -> dict[str, Any]:
    """Return colour, dashes and perhaps the marker of the k-th line of a picture."""
    markers = {"marker": MARKERS[k], "markersize": 5} if marker else {}
    return {"color": COLOURS[k], "linestyle": DASHES[k], **markers}


def scatter(axes: Any, x: np.ndarray, y: np.ndarray, size: float = 26) -> None:
    """Draw points (n, 2) of class 0 as blue circles and of class 1 as orange-red squares."""
    for label, colour, marker in ((0, BLUE, "o"), (1, RED, "s")):
        own = x[y == label]
        axes.scatter(*own.T, s=size, c=colour, marker=marker, edgecolors="white", linewidths=0.6, zorder=3)


def save(figure: Figure, name: str) -> Path:
    """Write NAME.png into the folder that --out names, and say where it is."""
    parser = argparse.ArgumentParser(description=f"Draws {name}.png.")
    parser.add_argument("--out", type=Path, default=Path("cmlp-tour"), help="folder (default: %(default)s)")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    figure.savefig(path)
    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)  # a palette: a third of the bytes
    print(f"wrote {path}")
    return path
