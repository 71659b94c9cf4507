"""`cmlp info`: what is installed and running, and what is in a model file."""

import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.table import Table

import cmlp
from cmlp.catalogue import KINDS, catalogue, columns
from cmlp.cli.store import load_any
from cmlp.cli.ui import console, make_table, show_score
from cmlp.tabular.errors import listing


@click.command(short_help="What is installed, and what is in a model file.")
@click.argument("model", type=click.Path(path_type=Path), required=False)
@click.option(
    "--catalogue", "everything", is_flag=True, help="List all that has a name: activations, layers ..."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def info(model: Path | None, everything: bool, as_json: bool) -> None:
    """Show versions, instruction sets and threads; of MODEL, its layers, columns and training."""
    if everything:
        if model is not None:
            raise click.UsageError("--catalogue is about what is installed, it takes no MODEL")
        _show_catalogue(as_json)
        return
    facts: dict[str, Any] = system_facts()
    if model is not None:
        facts["model"] = model_facts(load_any(model), model)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    console().print(_pairs("cmlp", _system_rows(facts)))
    if model is not None:
        _show_model(facts["model"])


def system_facts() -> dict[str, Any]:
    """Collect versions, instruction sets (all this machine can run, and the one in use) and threads.

    Returns
    -------
    dict
        JSON types.
    """
    return {
        "cmlp": cmlp.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "isa": cmlp.runtime.isa(),
        "isas": list(cmlp.runtime.isas()),
        "threads": cmlp.get_num_threads(),
    }


def model_facts(model: Any, path: Path) -> dict[str, Any]:
    """Collect what is in a model file.

    Parameters
    ----------
    model : Sequential, estimator, TabularClassifier or TabularRegressor
        What was loaded.
    path : pathlib.Path
        Where from.

    Returns
    -------
    dict
        JSON types: ``layers`` by their place, ``parameters``, ``table`` (None unless the file describes one),
        ``training`` (empty when the file says nothing of it).
    """
    tabular = hasattr(model, "encoder_")
    net = getattr(model, "net_", model)
    shapes = {name: list(value.shape) for name, value in net.state_dict().items()}
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "layers": dict(layer_lines(net)),
        "parameters": net.n_parameters,
        "shapes": shapes,
        "table": table_facts(model) if tabular else None,
        "training": model.record_ if tabular else record_of(net),
    }


def layer_lines(net: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The place and the text of each layer; of an ensemble's networks that are alike, those of the first."""
    for k, layer in enumerate(net):
        if not isinstance(layer, cmlp.nn.Ensemble):
            yield f"{prefix}{k}", str(layer)
            continue
        members = list(layer)
        alike = len({str(member) for member in members}) == 1
        yield f"{prefix}{k}", f"Ensemble of {len(members)} networks{', each with' if alike else ''}"
        for j, member in enumerate(members[:1] if alike else members):
            yield from layer_lines(member, f"{prefix}{k}.{j}.")


def column_type(column: Any) -> str:
    """The type of a column as `cmlp train` calls it and --column takes it."""
    if column.kind != "numeric":
        return str(column.kind)
    return "yes/no" if column.holds == "boolean" else "number"


def record_of(net: cmlp.nn.Sequential) -> dict[str, Any]:
    """What a network's file says of its training: what a command wrote, or the history of `fit`."""
    try:
        record = json.loads(net.metadata.get("cmlp.training", "{}"))
    except ValueError:
        record = {}
    if isinstance(record, dict) and record:
        return record
    history = net.history
    if history is None or not history.epoch:
        return {}
    best = None if history.best_epoch is None else history.best_epoch + 1
    last = {name: values[-1] for name, values in history.history.items() if name not in ("lr", "seconds")}
    return {"epochs": len(history.epoch), "best_epoch": best, "ended": history.stop, "last": last}


def table_facts(model: Any) -> dict[str, Any]:
    """Collect what a model reads from a table and what it predicts.

    Parameters
    ----------
    model : TabularClassifier or TabularRegressor
        The model.

    Returns
    -------
    dict
        JSON types: ``target``, ``task``, ``classes``, ``columns``.
    """
    columns = [
        {"name": column.name, "kind": column_type(column), "treatment": column.description}
        for column in model.encoder_.columns_
    ]
    target = model.target_
    return {
        "target": target.name,
        "task": target.task,
        "classes": list(target.classes),
        "threshold": target.threshold,
        "columns": columns,
    }


def _system_rows(facts: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("cmlp", facts["cmlp"]),
        ("NumPy", facts["numpy"]),
        ("Python", f"{facts['python']} on {facts['machine']}"),
        ("instruction set", f"{facts['isa']} (of {', '.join(facts['isas'])})"),
        ("threads", str(facts["threads"])),
    ]


def _show_model(facts: dict[str, Any]) -> None:
    rows = [("size", f"{facts['bytes']:,} bytes"), ("parameters", f"{facts['parameters']:,}")]
    rows += [(f"layer {place}", layer) for place, layer in facts["layers"].items()]
    table = facts["table"]
    if table is not None:
        classes = f": {listing([str(name) for name in table['classes']], 12)}" if table["classes"] else ""
        rows.append(("predicts", f"{table['target']} ({table['task']}{classes})"))
    console().print(_pairs(facts["file"], rows + _training_rows(facts["training"])))
    if table is not None:
        cells = [(column["name"], column["kind"], column["treatment"]) for column in table["columns"]]
        console().print(make_table("Columns it reads", ["column", "type", "what is done"], cells))


def _training_rows(record: dict[str, Any]) -> list[tuple[str, str]]:
    rows = []
    for key, value in record.items():
        if key == "residuals":
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{name} {_cell(name, part)}" for name, part in value.items())
        rows.append((key.replace("_", " "), _cell(key, value)))
    return rows


def _cell(name: str, value: Any) -> str:
    return show_score(name, value) if isinstance(value, float) else str(value)


def _show_catalogue(as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(catalogue(), indent=2, ensure_ascii=False))
        return
    click.echo(
        "Bounds of the error are relative: in float32, in float64; of functions in units of the last place."
    )
    for kind in KINDS:
        rows = catalogue(kind)
        shown, shared = columns(rows)
        title = "; ".join([kind.capitalize(), *(f"{key} {value}" for key, value in shared.items())])
        headers = ["class" if key == "type" else key for key in shown]
        table = make_table(title, headers, [[row[key] for key in shown] for row in rows])
        for key, column in zip(shown, table.columns, strict=True):
            column.no_wrap = key in ("name", "type", "bound")
        console().print(table)


def _pairs(title: str, rows: list[tuple[str, str]]) -> Table:
    table = make_table(title, ["", ""], rows)
    table.show_header = False
    return table
