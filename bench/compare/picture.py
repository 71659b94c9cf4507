"""The picture of the comparison: how many times as long as cmlp each peer takes."""

from pathlib import Path

from cases import Case
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from tables import Figures

# Okabe and Ito's colours, which colour-blind readers can distinguish; the marks differ too.
LOOKS = {
    "torch": ("#D55E00", "s"),
    "jax-scan": ("#0072B2", "o"),
    "jax-step": ("#56B4E9", "D"),
    "sklearn": ("#E69F00", "^"),
    "onnxruntime": ("#009E73", "v"),
    "onnxruntime-bound": ("#CC79A7", "P"),
    "numpy": ("#707070", "x"),
}
WIDTH, ROW, EDGE, DOTS = 10.0, 0.46, 0.75, 125  # inches; dots an inch
TITLES = {"train": "A training step", "predict": "A call of predict"}


def draw(figures: Figures, path: Path) -> None:
    """Write the picture: a row of axes for training and for prediction, a column for each thread count."""
    kinds = [kind for kind in TITLES if figures.cases(kind)]
    heights = [ROW * len(figures.cases(kind)) + EDGE for kind in kinds]
    picture = Figure(figsize=(WIDTH, sum(heights) + EDGE), layout="constrained", dpi=DOTS)
    axes = picture.subplots(
        len(kinds), len(figures.threads), squeeze=False, sharey="row", sharex=True, height_ratios=heights
    )
    for kind, row in zip(kinds, axes, strict=True):
        for threads, place in zip(figures.threads, row, strict=True):
            panel(place, figures, kind, threads)
            count = "one thread" if threads == 1 else f"{threads} threads"
            place.set_title(f"{TITLES[kind]}, {count}", fontsize=11)
    for place in axes[-1]:
        place.set_xlabel("time of the peer over the time of cmlp")
    found = {}
    for place in axes.flat:
        found |= {line.get_label(): line for line in place.get_lines() if line.get_marker() != "None"}
    picture.legend(found.values(), found.keys(), loc="outside upper center", ncols=4, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path)


def panel(place: object, figures: Figures, kind: str, threads: int) -> None:
    """Draw the ratios of all peers, a line a case."""
    cases: list[Case] = figures.cases(kind)
    peers = [peer for peer in figures.peers(kind) if not peer.ours]
    for turn, peer in enumerate(peers):
        shift = 0.5 * (turn / max(1, len(peers) - 1) - 0.5)  # a line each: no mark hides another
        points = [
            (ratio, at + shift)
            for at, case in enumerate(cases)
            if (ratio := figures.ratio(case, peer, threads))
        ]
        if points:
            colour, mark = LOOKS[peer.name]
            place.plot(*zip(*points, strict=True), mark, color=colour, label=peer.title, markersize=6)
    place.axvline(1, color="black", linewidth=1.2)
    place.set_xscale("log")
    place.set_yticks(range(len(cases)), [case.name for case in cases], fontsize=9)
    place.set_ylim(len(cases) - 0.5, -0.5)
    place.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}x"))
    place.xaxis.set_minor_formatter(NullFormatter())
    place.grid(alpha=0.3, which="both", axis="x")
    for at in range(1, len(cases)):
        place.axhline(at - 0.5, color="#D0D0D0", linewidth=0.6)
    place.spines[["top", "right"]].set_visible(False)
