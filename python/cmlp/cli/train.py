"""`cmlp train`: a table and a column's name in, a model file out; `learning` does the work."""

from pathlib import Path
from typing import Any

import click

import cmlp
from cmlp.cli.learning import Options, run
from cmlp.cli.options import COUNT, PATH, SHARE, parse_types, parse_widths, reading_options, table_argument
from cmlp.cli.store import check_folder, check_model_name
from cmlp.cli.ui import check_name
from cmlp.tabular.recipe import PRESETS, TASKS
from cmlp.tabular.scores import CLASSIFICATION, REGRESSION

TASK_HELP = "auto: text, true/false and up to 20 integers are classes; other numbers are a quantity."
COLUMN_HELP = (
    "Type of a column: number, category, date, duration, text, list, yes/no or drop. May be repeated."
)
PRESET_HELP = "fast: one network; default: three; best: eight, three recipes compared."
METRICS = (*CLASSIFICATION, *REGRESSION)


@click.command(short_help="Train on a table to predict one of its columns.")
@table_argument
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict.")
@click.option("--out", type=PATH, default=Path("model.safetensors"), help="Model file to write.")
@click.option("--task", type=click.Choice(TASKS), default="auto", help=TASK_HELP)
@click.option("--column", multiple=True, metavar="NAME=TYPE", help=COLUMN_HELP)
@click.option("--drop", multiple=True, metavar="COLUMN", help="Leave a column out. May be repeated.")
@click.option("--categorical", multiple=True, metavar="COLUMN", help="A column of codes, not quantities.")
@reading_options
@click.option("--test", type=PATH, help="Another file of rows with the target, to score the model on.")
@click.option(
    "--validation", type=SHARE, default=0.2, help="Share of the rows held out for scores; 0 for none."
)
@click.option(
    "--cv", type=click.IntRange(min=2), metavar="K", help="K networks, each row is held out from one."
)
@click.option("--group", metavar="COLUMN", help="Rows with one value of this column stay in one part.")
@click.option("--time", metavar="COLUMN", help="The latest rows by this column validate.")
@click.option("--weights", metavar="COLUMN", help="Weight of each row.")
@click.option("--class-weight", type=click.Choice(["balanced"]), help="Rows of rare classes count more.")
@click.option("--metric", type=click.Choice(METRICS), metavar="NAME", help="The score to choose the epoch by "
              f"(and of two classes the threshold): {', '.join(METRICS)}.  [default: the loss]")  # fmt: skip
@click.option("--preset", type=click.Choice(list(PRESETS)), default="default", help=PRESET_HELP)
@click.option(
    "--time-limit", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop training then."
)
@click.option(
    "--hidden",
    metavar="WIDTHS",
    help="Widths of the hidden layers; none: a linear model.  [default: 128,128,128]",
)
@click.option(
    "--activation",
    metavar="NAME",
    help="Activation of the hidden layers.  [default: selu for classes, mish for a quantity]",
)
@click.option("--optimizer", metavar="NAME", help="How the weights are updated.  [default: adamw]")
@click.option(
    "--lr",
    type=click.FloatRange(min=0, min_open=True),
    help="Learning rate.  [default: 0.04 for classes, 0.2 for a quantity]",
)
@click.option(
    "--epochs", type=COUNT, help="Passes over the rows, at most.  [default: 48 to 256, by the number of rows]"
)
@click.option("--batch-size", type=COUNT, help="Rows a step.  [default: 32 to 1024, by the number of rows]")
@click.option("--dropout", type=SHARE, help="Share of the hidden values to drop in training.  "
              "[default: 0.15]")  # fmt: skip
@click.option(
    "--patience", type=COUNT, help="Stop after so many epochs without improvement.  [default: never]"
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the split and of all that is random.")
@click.option("--threads", type=COUNT, help="CPU threads; they never change the result.  [default: all]")
def train(hidden: str | None, threads: int | None, column: tuple[str, ...], **options: Any) -> None:
    """Train on TABLE to predict its column --target from the others.

    TABLE is a file (CSV with any separator and encoding, TSV, Parquet, Feather, ORC, Excel, ODS, JSON; also
    compressed), several files, a folder of them, or - for the standard input.

    Says what each column is taken for, trains networks with different rows held out, compares the
    model with a trivial prediction, and writes it with its preprocessing. Ctrl-C ends the training early:
    the best epoch so far is reported and written, and the exit code is 130.
    """
    for kind, valid in (("activation", cmlp.activations()), ("optimizer", cmlp.optimizers())):
        if options[kind] is not None:
            check_name(kind, options[kind], valid)
    names = ("time_limit", "cv", "metric", "validation", "class_weight", "preset", "activation", "dropout",
             "optimizer", "lr", "epochs", "batch_size", "patience")  # fmt: skip
    parameters = {name: options.pop(name) for name in names}
    parameters |= {
        "hidden": None if hidden is None else parse_widths(hidden),
        "random_state": options.pop("seed"),
    }
    parameters["types"] = parse_types(column, options.pop("drop"), options.pop("categorical"))
    check_model_name(options["out"])
    check_folder(options["out"])
    if threads is not None:
        cmlp.set_num_threads(threads)
    run(Options(**options), parameters)
