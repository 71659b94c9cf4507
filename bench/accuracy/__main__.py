"""Compares the tabular estimators with other packages on real tables: python -m bench.accuracy --help."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.accuracy.page import write_page
from bench.accuracy.results import chosen, read_anchors, read_results
from bench.accuracy.runner import Plan, Run
from bench.accuracy.sets import SETS, halves
from bench.accuracy.systems import OTHERS, PRESETS, System, ours, parse_changes
from bench.accuracy.tables import summary_tables
from bench.compare.machine import processors

PATH = click.Path(path_type=Path)


class Names(click.ParamType):
    """A list of names with commas between, each one of those listed."""

    name = "names"

    def __init__(self, known: list[str]) -> None:
        self.known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        """Return the names."""
        if isinstance(value, list):
            return value
        found = [name for part in value.split(",") if (name := part.strip())]
        for name in found:
            if name not in self.known:
                self.fail(f"{name!r} is unknown; choose from {', '.join(self.known)}", param, ctx)
        return found


class Changes(click.ParamType):
    """Parameters as JSON, with or without a label before."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the label and the parameters."""
        try:
            return value if isinstance(value, tuple) else parse_changes(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def chosen_sets(names: list[str], half: str | None) -> list[str]:
    """Return the tables named, or all, that are of the half."""
    found = [name for name in names or SETS if half in (None, halves()[name])]
    if not found:
        raise click.BadParameter(f"half {half} has none of {', '.join(names)}", param_hint="--sets")
    return found


def chosen_systems(
    others: list[str], presets: list[str], changes: tuple[tuple[str, dict[str, Any]], ...]
) -> list[System]:
    """Return other packages, presets, and each preset with each of the changes."""
    found = [system for system in OTHERS if system.name in others]
    for preset in presets:
        found += [ours(preset), *(ours(preset, label, parameters) for label, parameters in changes)]
    return found


def measure(run: Run, console: Console) -> None:
    """Run what is missing, and report what could not be measured."""
    jobs = run.jobs()
    for name, why in run.skipped.items():
        console.print(f"[yellow]{name} is skipped:[/] {why}")
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=sum(len(job.splits) for job in jobs))
        for job in jobs:
            progress.update(task, description=f"{job.system.title}, {job.table}")
            run.measure(job, lambda: progress.advance(task))
    for error in run.errors:
        console.print(f"[red]failed:[/] {error}")


@click.command()
@click.option("--presets", type=Names(list(PRESETS)), default="fast,default,best", show_default=True)
@click.option(
    "--systems",
    type=Names([system.name for system in OTHERS]),
    default="lightgbm,hist,sklearn",
    show_default=True,
)
@click.option("--sets", "names", type=Names(list(SETS)), default="", help="Only these tables.")
@click.option("--half", type=click.Choice(["A", "B"]), help="Only the tables of one half.")
@click.option("--splits", default=3, show_default=True, type=click.IntRange(1))
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, processors()))
@click.option(
    "--changes",
    multiple=True,
    type=Changes(),
    help="Each preset also with these: 'small={\"hidden\": [64]}'.",
)
@click.option("--results", "file", default="build/bench/accuracy.jsonl", show_default=True, type=PATH)
@click.option("--anchors", type=PATH, help="CSV of earlier results of other packages, for what FILE lacks.")
@click.option("--report", is_flag=True, help="Report the results; measure nothing.")
@click.option("--docs", type=PATH, help="Folder whose accuracy-tables.md takes tables and picture.")
def main(
    presets: list[str], systems: list[str], names: list[str], half: str | None, splits: int, threads: int,
    changes: tuple[tuple[str, dict[str, Any]], ...], file: Path, anchors: Path | None, report: bool,
    docs: Path | None,
) -> None:  # fmt: skip
    """Fit presets and other packages on the same splits of real tables, and report errors and times.

    Results are appended to the file as they come; what it contains already is not measured again.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    sets = chosen_sets(names, half)
    run = Run(Plan(chosen_systems(systems, presets, changes), sets, splits, threads), file)
    if not report:
        measure(run, console)
    rows = [*(read_anchors(anchors) if anchors else []), *read_results(file)]
    results = chosen(rows, sets, splits, threads)
    for table in summary_tables(results):
        table.show(console)
    if docs:
        write_page(results, threads, docs)
    raise SystemExit(1 if run.errors else 0)


if __name__ == "__main__":
    main()
