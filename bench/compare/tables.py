"""The figures as tables: lists of cells, for the terminal and for Markdown."""

from collections.abc import Callable, Iterable
from typing import Any

from cases import CASES, Case
from peers import OURS, PEERS, Peer
from report import Table


class Figures:
    """The best times of a run, by kind, case, peer and threads."""

    def __init__(self, run: dict[str, Any]) -> None:
        self.run = run
        self.best = {
            (row["kind"], row["case"], row["peer"], row["threads"]): row["best"] for row in run["results"]
        }
        self.threads = sorted({key[3] for key in self.best})

    def cases(self, kind: str) -> list[Case]:
        """List the cases measured."""
        measured = {key[:2] for key in self.best}
        return [case for case in CASES if case.kind == kind and (kind, case.name) in measured]

    def peers(self, kind: str) -> list[Peer]:
        """List the peers measured, without the variants that have a table of their own."""
        measured = {key[2] for key in self.best if key[0] == kind}
        return [peer for peer in PEERS if peer.name in measured and not peer.variant]

    def time(self, case: Case, peer: str, threads: int) -> float | None:
        """Return seconds of a step or a call."""
        return self.best.get((case.kind, case.name, peer, threads))

    def ratio(self, case: Case, peer: Peer, threads: int) -> float | None:
        """Return the peer's time over that of ours which it is compared with."""
        versus = peer.versus if case.kind == "train" else OURS
        theirs, ours = self.time(case, peer.name, threads), self.time(case, versus, threads)
        return theirs / ours if theirs and ours else None


def number(value: float) -> str:
    """Write three digits, or all before the point."""
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f}"


def factor(value: float | None) -> str:
    """Write a ratio."""
    return "" if value is None else f"{value:.2f}x" if value < 10 else f"{value:.0f}x"


def comparison(figures: Figures, kind: str, threads: int) -> Table:
    """Times of all peers in microseconds, and how many times ours each is."""
    peers = figures.peers(kind)

    def cell(case: Case, peer: Peer) -> str:
        time = figures.time(case, peer.name, threads)
        ratio = None if peer.ours else figures.ratio(case, peer, threads)
        return "" if time is None else number(1e6 * time) + (f" ({factor(ratio)})" if ratio else "")

    rows = [[case.name, *(cell(case, peer) for peer in peers)] for case in figures.cases(kind)]
    what = "A training step" if kind == "train" else "A call of predict"
    count = "one thread" if threads == 1 else f"{threads} threads"
    text = "Microseconds, the best of all rounds; in brackets the ratio to cmlp" + (
        " (JAX jit step: to train_step)." if kind == "train" else "."
    )
    titles = [OURS if kind == "predict" and peer.name == OURS else peer.title for peer in peers]
    return Table(f"{what}, {count}", text, ["net, rows", *titles], rows)


def alone(figures: Figures) -> Table | None:
    """Our own times: speed, shuffled rows, the narrower instruction set, more threads."""
    first, *more = figures.threads
    kinds = [kind for kind in ("train", "predict") if figures.cases(kind)]
    heads = ["", f"us, {first} thread" + "s" * (first > 1), "GFLOP/s", "shuffled", "AVX2"]
    heads += [f"{threads} threads" for threads in more]
    rows = []
    for case in (case for kind in kinds for case in figures.cases(kind)):
        if time := figures.time(case, OURS, first):
            row = [case.key, number(1e6 * time), number(case.flops / time / 1e9)]
            row += [_beside(figures.time(case, f"cmlp-{name}", first), time) for name in ("shuffled", "avx2")]
            rows.append(row + [_beside(figures.time(case, OURS, threads), time) for threads in more])
    isa = figures.run["isas"].get(OURS, "native")
    text = f"The first column is {isa}; the others are in microseconds, with the ratio to it in brackets."
    kept = [at for at in range(len(heads)) if any(row[at] for row in rows)]
    heads, rows = [heads[at] for at in kept], [[row[at] for at in kept] for row in rows]
    return Table("cmlp alone: instruction sets and threads", text, heads, rows) if rows else None


def _beside(time: float | None, first: float) -> str:
    return "" if time is None else f"{number(1e6 * time)} ({time / first:.2f})"


def product_tables(rows: list[dict[str, Any]]) -> Iterable[Table]:
    """GFLOP/s of the products, a table for each instruction set."""
    for isa in dict.fromkeys(row["isa"] for row in rows):
        own = [row for row in rows if row["isa"] == isa]
        peak = next((row["value"] for row in own if row["group"] == "peak"), None)
        text = "No peak is measured." if peak is None else f"The peak of one core is {peak:.0f}."
        yield _pivot(own, "product", f"Products with {isa}, GFLOP/s", "batch x width", text, _valued)


def elementwise_tables(rows: list[dict[str, Any]]) -> Iterable[Table]:
    """GB/s of each listed thing beside a copy, for the first (the native) instruction set."""
    own = [row for row in rows if row["isa"] == rows[0]["isa"]]
    for group in ("activation", "loss", "optimizer"):
        if any(row["group"] == group for row in own):
            title = f"{group.capitalize()}: GB/s with {rows[0]['isa']}"
            text = "In brackets the share of a copy of as many bytes."
            yield _pivot(own, group, title, "name", text, _valued, turned=True)


def _valued(row: dict[str, Any]) -> str:
    share = f" ({100 * row['share']:.0f}%)" if row["share"] else ""
    return number(row["value"]) + share


def _pivot(
    rows: list[dict[str, Any]], group: str, title: str, head: str, text: str,
    write: Callable[[dict[str, Any]], str], turned: bool = False,
) -> Table:  # fmt: skip
    own = [row for row in rows if row["group"] == group]
    down, across = ("name", "shape") if turned else ("shape", "name")
    cells = {(row[down], row[across]): write(row) for row in own}
    downs, acrosses = (list(dict.fromkeys(row[key] for row in own)) for key in (down, across))
    body = [[at, *(cells.get((at, to), "") for to in acrosses)] for at in downs]
    return Table(title, text, [head, *acrosses], body)


def kernel_tables(run: dict[str, Any]) -> list[Table]:
    """All tables of the kernels' figures."""
    rows = run.get("kernels", {}).get("rows", [])
    return [*product_tables(rows), *elementwise_tables(rows), *step_tables(rows)] if rows else []


def step_tables(rows: list[dict[str, Any]]) -> Iterable[Table]:
    """Training steps, predictions and the number of threads, from C++."""
    titles = {
        "step": ("A training step from C++", "In brackets the share of the peak."),
        "bf16": ("A training step in bfloat16, from C++", "Beside the same step in float32."),
        "predict": ("predict_into from C++", "Nothing is allocated or locked."),
        "threads": (
            "The number of threads",
            "Time of a training step with all threads allowed, divided by that with the best fixed number.",
        ),
    }
    for group, (title, text) in titles.items():
        own = [row for row in rows if row["group"] == group]
        if group == "threads":
            text += "".join(
                f" A round trip between two threads takes {number(row['value'])} ns."
                for row in rows
                if row["group"] == "round trip"
            )
        if group != "threads":
            own = [row | {"name": f"{row['isa']}, {row['unit']}"} for row in own]
        if own:
            yield _pivot(own, group, title, "rows" if group == "threads" else "net, rows", text, _valued)


def compare_tables(run: dict[str, Any]) -> list[Table]:
    """All tables of the comparison."""
    figures = Figures(run)
    found = [
        comparison(figures, kind, threads)
        for kind in ("train", "predict")
        for threads in figures.threads
        if figures.cases(kind)
    ]
    own = alone(figures)
    return found + ([own] if own else [])
