"""Compares cmlp with other packages on the same nets: python bench/compare --help."""

import json
import statistics
from datetime import date
from pathlib import Path
from typing import Any

import click
from cases import CASES, Case
from machine import machine, processors
from page import write_page
from peers import PEERS, Peer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from runner import Comparison, Plan
from tables import compare_tables, kernel_tables


def chosen_peers(names: tuple[str, ...]) -> list[Peer]:
    """Return the peers named and those of ours that they are compared with; all of them without a name."""
    selected = set(names) or {peer.name for peer in PEERS}
    selected |= {peer.versus for peer in PEERS if peer.name in selected}
    return [peer for peer in PEERS if peer.name in selected]


def measure(plan: Plan, console: Console) -> dict[str, Any]:
    """Run the plan and return all that belongs into the JSON."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Comparison(plan) as comparison, Progress(*columns, console=console, transient=True) as progress:
        for name, why in comparison.absent.items():
            console.print(f"[yellow]{name} is skipped:[/] {why}")
        task = progress.add_task("", total=plan.rounds * len(comparison.turns()))
        comparison.run(lambda text: progress.update(task, description=text, advance=1))
    results = list(comparison.results.values())
    for row in results:
        row |= {"best": min(row["times"]), "median": statistics.median(row["times"])}
    return {
        "date": date.today().isoformat(),
        "machine": machine(),
        "versions": comparison.versions,
        "isas": comparison.isas,
        "settings": {"rounds": plan.rounds, "seconds": plan.seconds, "repetitions": plan.repetitions},
        "absent": comparison.absent,
        "errors": comparison.errors,
        "results": results,
    }


PATH = click.Path(path_type=Path)


def chosen_cases(names: tuple[str, ...], kind: str | None) -> list[Case]:
    """Return the cases of that kind whose names begin so; all of them without names."""
    cases = [case for case in CASES if kind in (None, case.kind) and case.name.startswith(names or "")]
    if not cases:
        raise click.BadParameter(f"choose from {', '.join(case.name for case in CASES)}", param_hint="--case")
    return cases


@click.command()
@click.option("--threads", multiple=True, type=click.IntRange(1, processors()), help="May be given again.")
@click.option("--rounds", default=20, show_default=True, type=click.IntRange(1), help="Turns of every peer.")
@click.option("--seconds", default=0.07, show_default=True, help="How long a repetition lasts.")
@click.option("--repetitions", default=2, show_default=True, type=click.IntRange(1), help="In a turn.")
@click.option("--case", "names", multiple=True, help="Only cases whose name begins so: 4-16-3.")
@click.option("--kind", type=click.Choice(["train", "predict"]), help="Only training, or only prediction.")
@click.option("--peer", "peers", multiple=True, type=click.Choice([peer.name for peer in PEERS]))
@click.option("--kernels", type=PATH, help="JSON of cmlp_bench to report as well.")
@click.option("--out", default="bench.json", show_default=True, type=PATH)
@click.option("--from", "old", type=PATH, help="Report this JSON; measure nothing.")
@click.option("--docs", type=PATH, help="Folder whose performance.md takes tables and picture.")
def main(
    threads: tuple[int, ...], rounds: int, seconds: float, repetitions: int, names: tuple[str, ...],
    kind: str | None, peers: tuple[str, ...], kernels: Path | None, out: Path, old: Path | None,
    docs: Path | None,
) -> None:  # fmt: skip
    """Time cmlp and other packages on the same nets, in turn, each in a process of its own."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    cases = chosen_cases(names, kind)
    plan = Plan(chosen_peers(peers), cases, sorted(set(threads or (1,))), rounds, seconds, repetitions)
    run = json.loads(old.read_text(encoding="utf-8")) if old else measure(plan, console)
    if kernels:
        run["kernels"] = json.loads(kernels.read_text(encoding="utf-8"))
    for error in run["errors"]:
        console.print(f"[red]failed:[/] {error}")
    for table in [*kernel_tables(run), *compare_tables(run)]:
        table.show(console)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    write_page(run, docs or out.parent)
    raise SystemExit(1 if run["errors"] else 0)


if __name__ == "__main__":
    main()
