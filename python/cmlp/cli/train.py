"""`cmlp train`: a table and a column's name in, a model file out; `learning` does the work."""

from pathlib import Path
from typing import Any

import click

import cmlp
from cmlp.cli.fitting import Recipe
from cmlp.cli.learning import Options, run
from cmlp.cli.store import check_folder
from cmlp.cli.ui import OptionError, check_name

COUNT = click.IntRange(min=1)
SHARE = click.FloatRange(0, 1, max_open=True)
TASK_HELP = "auto: text, true/false and up to 20 whole numbers are classes; other numbers are a quantity."


@click.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--target", required=True, metavar="COLUMN", help="The column to learn.")
@click.option(
    "--task", type=click.Choice(["auto", "classification", "regression"]), default="auto", help=TASK_HELP
)
@click.option(
    "--hidden", default="128,128", metavar="WIDTHS", help="Widths of the hidden layers; none: a linear model."
)
@click.option("--activation", default="relu", metavar="NAME", help="Activation of the hidden layers.")
@click.option("--optimizer", default="adam", metavar="NAME", help="How the weights are updated.")
@click.option("--lr", type=click.FloatRange(min=0, min_open=True), default=3e-3, help="Learning rate.")
@click.option("--epochs", type=COUNT, default=200, help="Passes over the rows, at most.")
@click.option("--batch-size", type=COUNT, help="Rows a step.  [default: 32 to 1024, by the number of rows]")
@click.option("--dropout", type=SHARE, default=0.2, help="Share of the hidden values to drop in training.")
@click.option("--validation", type=SHARE, default=0.2, help="Share of the rows to judge by; 0 for none.")
@click.option("--patience", type=COUNT, default=20, help="Stop after so many epochs without a better one.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the split and of all that is random.")
@click.option("--threads", type=COUNT, help="CPU threads; they never change the result.  [default: all]")
@click.option("--drop", multiple=True, metavar="COLUMN", help="Leave a column out; may be given again.")
@click.option(
    "--categorical",
    multiple=True,
    metavar="COLUMN",
    help="A column of codes, not numbers; may be repeated.",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("model.safetensors"), help="Model file.")
def train(hidden: str, threads: int | None, **options: Any) -> None:
    """Learn the column --target of TABLE (.csv, .tsv, .csv.gz, .parquet) from its other columns.

    Says what it makes of each column, trains until the validation rows stop getting better, sets the
    model beside the trivial answer, and writes it with its preprocessing. Ctrl-C ends the training early:
    the best epoch so far is reported and written, and the exit code is 130.
    """
    data = {name: options.pop(name) for name in ("table", "target", "task", "validation", "drop")}
    data |= {name: options.pop(name) for name in ("categorical", "out")}
    check_name("activation", options["activation"], cmlp.activations())
    check_name("optimizer", options["optimizer"], cmlp.optimizers())
    options["batch_size"] = options["batch_size"] or 0
    recipe = Recipe(parse_widths(hidden), **options)
    check_folder(data["out"])
    if threads is not None:
        cmlp.set_num_threads(threads)
    run(Options(**data), recipe)


def parse_widths(text: str) -> tuple[int, ...]:
    """Read the widths of the hidden layers.

    Parameters
    ----------
    text : str
        Such as ``128,64``; ``none`` for no hidden layer.

    Returns
    -------
    tuple of int
        The widths.
    """
    if text.strip().lower() == "none":
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise OptionError(f"--hidden {text!r}: give widths such as 128,64, or none")
    return tuple(int(part) for part in parts)
