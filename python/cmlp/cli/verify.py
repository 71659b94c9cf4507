"""`cmlp verify`: whether this machine computes the published bits, and whether a model file is undamaged."""

import json
import platform
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.text import Text

import cmlp
from cmlp import _core
from cmlp.cli.info import model_facts
from cmlp.cli.options import COUNT, PATH
from cmlp.cli.store import load_any
from cmlp.cli.ui import CommandError, check_name, console, make_table, notes, say

DIFFERENT = "DIFFERENT"
PAGE = "docs/hashes.md"


@click.command(short_help="Whether this machine computes the published bits; whether a file is undamaged.")
@click.argument("model", type=PATH, required=False)
@click.option("--threads", type=COUNT, help="Largest number of threads to train with.  [default: all]")
@click.option("--isa", metavar="NAME", multiple=True, help="An instruction set; without it all there are.")
@click.option("--training", metavar="NAME", multiple=True, help="A training; without it all there are.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def verify(
    model: Path | None, threads: int | None, isa: tuple[str, ...], training: tuple[str, ...], as_json: bool
) -> None:
    """Train the reference networks and compare the bits with the published hashes; of MODEL, the checksum.

    Weights, losses and predictions of each training have the same bits on every machine, with any
    instruction set and any number of threads. The exit code is 1 if they differ, or if MODEL is damaged.
    """
    if model is not None:
        if threads is not None or isa or training:
            raise click.UsageError("--threads, --isa and --training are about this machine; give no MODEL")
        _show_file(file_facts(model), as_json)
        return
    isas = tuple(check_name("instruction set", name, cmlp.runtime.isas()) for name in isa)
    known = [name for name, _, _ in _core.reference_trainings()]
    names = tuple(check_name("training", name, known) for name in training)
    counts = thread_counts(threads or cmlp.get_num_threads())
    facts = machine_facts(names or tuple(known), isas or tuple(cmlp.runtime.isas()), counts, _reporter())
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        _show_machine(facts)
    if not facts["same"]:
        raise CommandError(f"this machine does not compute the bits of {PAGE}; please report it")


def thread_counts(largest: int) -> list[int]:
    """List 1, 2, 3, 4, 8, 16 ... up to the largest number of threads, and that number."""
    counts = [1, 2, 3, *(2**k for k in range(2, 11))]
    return sorted({count for count in counts if count < largest} | {largest})


def machine_facts(
    names: tuple[str, ...], isas: tuple[str, ...], counts: list[int], report: Callable[[str], None]
) -> dict[str, Any]:
    """Run reference trainings with each instruction set and number of threads.

    Parameters
    ----------
    names, isas : tuple of str
        Which trainings, and with which instruction sets.
    counts : list of int
        With how many threads.
    report : callable
        Called with a line before each training.

    Returns
    -------
    dict
        JSON types: ``trainings`` with their ``hash`` and ``runs``; ``same``: whether all have their hash.
    """
    trainings: list[dict[str, Any]] = []
    for name, published, definition in _core.reference_trainings():
        if name in names:
            report(f"{name}: {definition}")
            runs = [_run(name, published, isa, count) for isa in isas for count in counts]
            trainings.append({"name": name, "definition": definition, "hash": published, "runs": runs})
    return {
        "cmlp": cmlp.__version__,
        "machine": platform.machine(),
        "isas": list(isas),
        "threads": counts,
        "trainings": trainings,
        "same": all(run["same"] for training in trainings for run in training["runs"]),
    }


def file_facts(path: Path) -> dict[str, Any]:
    """Load a model file, which compares its checksum with its content, and say what it holds.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    dict
        JSON types: ``kind``, ``parameters``, ``layers``, and the ``checksum`` in the file, None for one of
        a version before checksums.
    """
    model = load_any(path)
    facts = model_facts(model, path)
    with path.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        metadata = json.loads(file.read(size)).get("__metadata__", {})
    return {
        "file": str(path),
        "bytes": facts["bytes"],
        "checksum": metadata.get("cmlp.checksum"),
        "kind": type(model).__name__,
        "parameters": facts["parameters"],
        "layers": len(facts["layers"]),
    }


def _run(name: str, published: str, isa: str, threads: int) -> dict[str, Any]:
    before = cmlp.runtime.isa()
    cmlp.runtime.set_isa(isa)
    try:
        found = _core.in_team(threads, lambda: _core.training_hash(name))
    finally:
        cmlp.runtime.set_isa(before)
    return {"isa": isa, "threads": threads, "hash": found, "same": found == published}


def _reporter() -> Callable[[str], None]:
    """Return the function that shows which training runs: on a terminal, nothing elsewhere."""
    to = notes()
    return (lambda line: say(line, style="dim", to=to)) if to.is_terminal else (lambda _: None)


def _show_machine(facts: dict[str, Any]) -> None:
    headers = ["training", "published hash", *facts["isas"]]
    rows = [
        [training["name"], training["hash"], *(_cell(training["runs"], isa) for isa in facts["isas"])]
        for training in facts["trainings"]
    ]
    console().print(make_table("Reference trainings", headers, rows))
    runs = [run for training in facts["trainings"] for run in training["runs"]]
    counts = ", ".join(map(str, facts["threads"]))
    say(f"{sum(run['same'] for run in runs)} of {len(runs)} runs have the published bits (threads: {counts})")


def _cell(runs: list[dict[str, Any]], isa: str) -> Text:
    different = [str(run["threads"]) for run in runs if run["isa"] == isa and not run["same"]]
    if not different:
        return Text("ok", style="green")
    return Text(f"{DIFFERENT} (threads: {', '.join(different)})", style="bold red")


def _show_file(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    say(f"{facts['file']}: {facts['kind']}, {facts['layers']} layers, {facts['parameters']:,} parameters")
    if facts["checksum"] is None:
        say("it has no checksum, as files of versions before checksums: damage would not be found")
    else:
        say(f"undamaged: its content has the checksum {facts['checksum']}")
