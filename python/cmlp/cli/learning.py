"""The work of `cmlp train`: read, understand, train, judge, write."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from cmlp import nn
from cmlp.cli import fitting, report
from cmlp.cli.fitting import Data, Recipe
from cmlp.cli.store import Model, save_model
from cmlp.cli.ui import CommandError, StoppedError, console, make_table

if TYPE_CHECKING:
    import pandas as pd

    from cmlp.tabular import TableEncoder

COLUMNS_SHOWN = 60


@dataclass(frozen=True)
class Options:
    """What to learn from which table.

    Parameters
    ----------
    table : pathlib.Path
        The file.
    target : str
        The column to learn.
    task : {"auto", "classification", "regression"}
        What it makes.
    validation : float
        Share of the rows to judge by.
    drop, categorical : tuple of str
        Columns to leave out; columns of numbers that are codes.
    out : pathlib.Path
        The model file.
    """

    table: Path
    target: str
    task: str
    validation: float
    drop: tuple[str, ...]
    categorical: tuple[str, ...]
    out: Path


@dataclass(frozen=True)
class Prepared:
    """A table in numbers.

    Parameters
    ----------
    encoder : TableEncoder
        The preprocessing, fitted to the training rows.
    train : tuple of numpy.ndarray
        Their inputs float32 (rows, features), and targets.
    judge : tuple of numpy.ndarray
        The same of the rows the model is judged by.
    """

    encoder: "TableEncoder"
    train: Data
    judge: Data


def run(options: Options, recipe: Recipe) -> None:
    """Do the whole of `cmlp train`.

    Parameters
    ----------
    options : Options
        The data.
    recipe : Recipe
        The network and its training; a batch size of 0 is chosen here.
    """
    data = prepare(options, recipe.seed)
    rows, features = data.train[0].shape
    recipe = recipe if recipe.batch_size else replace(recipe, batch_size=batch_size_for(rows))
    target = data.encoder.target
    net = fitting.build_network(features, target.outputs, recipe)
    console().print(fitting.describe_network(features, target.outputs, recipe), markup=False)
    loss = "cross_entropy" if target.task == "classification" else "mse"
    validation = data.judge if options.validation else None
    outcome = fitting.fit(net, data.train, validation, recipe, loss)
    console().print(fitting.ending(outcome, recipe), markup=False)
    scores, baseline = judge(net, data)
    show_scores(scores, baseline, data, bool(options.validation))
    record = {"data": options.table.name, "rows": rows, "judged_on": len(data.judge[0])}
    record |= {"scores": scores, "baseline": baseline, **fitting.training_record(outcome, recipe)}
    save_model(Model(net, data.encoder, record), options.out)
    console().print(f"written: {options.out}\nnext: cmlp predict {options.out} other.csv", markup=False)
    if outcome.interrupted:
        raise StoppedError("stopped by Ctrl-C; the best epoch so far is written")


def prepare(options: Options, seed: int) -> Prepared:
    """Read the table, say what its columns are, split it and turn it into numbers.

    Parameters
    ----------
    options : Options
        What to learn from which table.
    seed : int
        Draws the rows to judge by.

    Returns
    -------
    Prepared
        The table in numbers.
    """
    from cmlp.tabular import TableEncoder, choose_task, find_target, read_table, split_rows
    from cmlp.tabular.target import labels

    frame = keep_answered(read_table(options.table), options.target)
    series = find_target(frame, options.target)
    task = choose_task(series) if options.task == "auto" else options.task
    groups = labels(series) if task == "classification" else None
    train = split_rows(len(frame), options.validation, seed, groups)
    encoder = TableEncoder().fit(
        frame, options.target, task=task, drop=options.drop, categorical=options.categorical, train_rows=train
    )
    show_columns(encoder, frame, options)
    x, y = encoder.transform(frame), encoder.target.encode(series)
    judged = ~train if options.validation else train
    return Prepared(encoder, (x[train], y[train]), (x[judged], y[judged]))


def keep_answered(frame: "pd.DataFrame", target: str) -> "pd.DataFrame":
    """Leave out the rows whose target is missing, and say so."""
    from cmlp.tabular import find_target

    missing = find_target(frame, target).isna()
    if missing.all():
        raise CommandError(f"target {target!r} has no values: there is nothing to learn")
    if missing.any():
        console().print(f"{int(missing.sum())} of {len(frame)} rows left out: no {target!r}", markup=False)
    return frame[~missing]


def batch_size_for(rows: int) -> int:
    """Rows a step by rows to train on: small sets need many steps, large ones few and fast ones."""
    limits = {1024: 32, 8192: 128, 32768: 256, 131072: 512}
    return next((size for limit, size in limits.items() if rows <= limit), 1024)


def judge(net: nn.Sequential, data: Prepared) -> tuple[report.Scores, report.Scores]:
    """Score a network and the trivial answer on the rows to judge by.

    Parameters
    ----------
    net : cmlp.nn.Sequential
        The trained network.
    data : Prepared
        The table in numbers.

    Returns
    -------
    scores, baseline : dict
        The network's; those of the training rows' class shares, or of their mean.
    """
    (x, y), target = data.judge, data.encoder.target
    outputs = net.predict(x)
    if target.task == "classification":
        shares = report.class_shares(data.train[1], target.outputs, len(y))
        scores = report.classification_scores(y, report.probabilities(outputs))
        return scores, report.classification_scores(y, shares)
    true = target.decode(y[:, 0])
    scores = report.regression_scores(true, target.decode(outputs[:, 0]))
    return scores, report.regression_scores(true, np.full(len(true), target.mean))


def show_columns(encoder: "TableEncoder", frame: "pd.DataFrame", options: Options) -> None:
    """Print what was understood of each column and of the target."""
    shown = encoder.notes[:COLUMNS_SHOWN]
    rows = [(note.name, note.kind, note.missing or "", note.treatment) for note in shown]
    title = f"{options.table}: {len(frame)} rows"
    console().print(make_table(title, ["column", "kind", "missing", "treatment"], rows, "llrl"))
    if len(shown) < len(encoder.notes):
        console().print(f"and {len(encoder.notes) - len(shown)} more columns", markup=False)
    target = encoder.target
    what = f"{len(target.classes)} classes" if target.classes else f"mean {target.mean:.5g}"
    console().print(f"target {target.name!r}: {target.task}, {what}", markup=False)


def show_scores(scores: report.Scores, baseline: report.Scores, data: Prepared, held_out: bool) -> None:
    """Print the scores beside the trivial answer's, and a word when they are no better."""
    trivial = "most frequent class" if data.encoder.target.classes else "the mean"
    where = "validation rows" if held_out else "training rows (none were held out: expect less on others)"
    title = f"On {len(data.judge[0])} {where}"
    console().print(report.score_table(title, scores, baseline, trivial))
    if not report.beats(scores, baseline):
        name = next(iter(scores))
        console().print(Text(f"the model is no better than {trivial} by {name}", style="bold yellow"))
