"""The picture: error relative to LightGBM against the time of a fit."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.accuracy.summary import MEASURES, geometric_mean, ratios
from bench.accuracy.systems import REFERENCE, order, title

# Okabe and Ito's colours, which colour-blind readers can distinguish; the marks differ too.
LOOKS = {
    "lightgbm": ("#707070", "X"),
    "hist": ("#E69F00", "D"),
    "sklearn": ("#CC79A7", "^"),
    "realmlp": ("#0072B2", "s"),
    "cmlp-fast": ("#009E73", "v"),
    "cmlp-default": ("#D55E00", "o"),
    "cmlp-best": ("#56B4E9", "P"),
}
SHARE = 0.75  # of LightGBM's splits: means over fewer are of other tables
WIDTH, HEIGHT, DOTS = 11.0, 4.4, 125  # inches; dots an inch


def points(found: pd.DataFrame, seconds: pd.Series) -> dict[str, tuple[float, float]]:
    """Return for each system with enough splits the geometric means of seconds and of ratios of one measure.

    seconds: by system, set and split.
    """
    placed = {}
    counts = found["system"].value_counts()
    enough = [name for name in counts.index if counts[name] >= SHARE * counts[REFERENCE]]
    for name in order([name for name in enough if name in LOOKS]):
        own = found[found["system"] == name]
        times = seconds.loc[name].reindex(pd.MultiIndex.from_frame(own[["set", "split"]]))
        placed[name] = (geometric_mean(times), geometric_mean(own["ratio"]))
    return placed


def draw(results: pd.DataFrame, path: Path) -> None:
    """Write the picture, a panel for each measure."""
    found = ratios(results)
    places = results.set_index(["system", "set", "split"])
    seconds = places["fit_cpu_seconds"].fillna(places["fit_seconds"])
    measures = [measure for measure in MEASURES if (found["measure"] == measure).any()]
    picture = Figure(figsize=(WIDTH, HEIGHT), layout="constrained", dpi=DOTS)
    axes = picture.subplots(1, len(measures), squeeze=False)[0]
    for place, measure in zip(axes, measures, strict=True):
        panel(place, points(found[found["measure"] == measure], seconds))
        place.set_title(measure, fontsize=11)
    axes[0].set_ylabel("error relative to LightGBM, geometric mean")
    labelled = {
        line.get_label(): line for place in axes for line in place.get_lines() if line.get_marker() != "None"
    }
    picture.legend(
        labelled.values(), labelled.keys(), loc="outside upper center", ncols=len(LOOKS), frameon=False
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path)


def panel(place: Axes, placed: dict[str, tuple[float, float]]) -> None:
    """Draw the points of one measure, with a line through cmlp's presets."""
    place.axhline(1, color="#B0B0B0", linewidth=1)
    own = [point for name, point in placed.items() if name.startswith("cmlp")]
    if own:
        place.plot(*zip(*own, strict=True), color="#B0B0B0", linestyle=":", marker="None")
    for name, (seconds, ratio) in placed.items():
        colour, mark = LOOKS[name]
        place.plot([seconds], [ratio], mark, color=colour, label=title(name), markersize=8)
    place.set_xscale("log")
    place.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    place.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    place.xaxis.set_minor_formatter(NullFormatter())
    place.set_xlabel("processor seconds of a fit, geometric mean")
    place.grid(alpha=0.25)
