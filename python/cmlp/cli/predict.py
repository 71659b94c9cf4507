"""`cmlp predict`: a model file and a table in, predictions out."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from cmlp.cli.report import Scores, classification_scores, probabilities, regression_scores, show
from cmlp.cli.store import Model, check_folder, load_model
from cmlp.cli.ui import CommandError, console, listing, make_table, notes

if TYPE_CHECKING:
    import pandas as pd

    from cmlp.tabular import TableEncoder

SHOWN = 20


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write here: .csv, .tsv or .parquet, also .gz.")
def predict(model: Path, table: Path, out: Path | None) -> None:
    """Predict the target of MODEL for each row of TABLE.

    Gives the class and the probability of every class, or the value, one line a row of TABLE. Without --out
    they go to the standard output as CSV (a terminal shows the first 20). Columns the model does not know
    are ignored; columns it needs must be there.
    """
    from cmlp.tabular import read_table, table_suffix, write_table

    if out is not None:
        table_suffix(out)
        check_folder(out)
    loaded = load_model(model)
    encoder = _encoder_of(loaded, model)
    frame = read_table(table, encoder.text_columns)
    result = predictions(loaded, encoder, frame)
    _remark(encoder, frame, result)
    if out is None:
        _print(result)
    else:
        write_table(result, out)
        notes().print(f"written: {len(result)} predictions to {out}", markup=False, soft_wrap=True)


def predictions(model: Model, encoder: "TableEncoder", frame: "pd.DataFrame") -> "pd.DataFrame":
    """Predict a table.

    Parameters
    ----------
    model : Model
        The network.
    encoder : TableEncoder
        Its preprocessing.
    frame : pandas.DataFrame
        The table.

    Returns
    -------
    pandas.DataFrame
        The target's column, and for classes ``probability_<class>`` for each of them.
    """
    import pandas as pd

    outputs, target = model.net.predict(encoder.transform(frame)), encoder.target
    if target.task == "regression":
        return pd.DataFrame({target.name: target.decode(outputs[:, 0])})
    shares = probabilities(outputs)
    columns: dict[str, Any] = {target.name: target.decode(shares.argmax(axis=1))}
    columns |= {
        f"probability_{label}": shares[:, k].astype(np.float32) for k, label in enumerate(target.classes)
    }
    return pd.DataFrame(columns)


def score(encoder: "TableEncoder", frame: "pd.DataFrame", result: "pd.DataFrame") -> Scores:
    """Score predictions on the rows of a table that know the answer.

    Parameters
    ----------
    encoder : TableEncoder
        The model's preprocessing.
    frame : pandas.DataFrame
        The table.
    result : pandas.DataFrame
        What `predictions` said of it.

    Returns
    -------
    dict
        The scores; empty when the table has no answers.

    Raises
    ------
    TableError
        If an answer is no class of the model, or no number.
    """
    from cmlp.tabular.values import numbers

    target = encoder.target
    if target.name not in frame.columns or frame[target.name].isna().all():
        return {}
    known = frame[target.name].notna().to_numpy(bool)
    codes = target.encode(frame[target.name][known])
    if target.task == "classification":
        return classification_scores(codes, result.iloc[:, 1:].to_numpy(np.float64)[known])
    return regression_scores(numbers(frame[target.name][known]), result[target.name].to_numpy()[known])


def _encoder_of(model: Model, path: Path) -> "TableEncoder":
    if model.encoder is None:
        raise CommandError(f"{path} does not say how to read a table: only models of `cmlp train` do")
    return model.encoder


def _remark(encoder: "TableEncoder", frame: "pd.DataFrame", result: "pd.DataFrame") -> None:
    from cmlp.tabular import TableError

    unused = encoder.unused(frame.columns)
    if unused:
        notes().print(f"ignored, unknown to the model: {listing(unused)}", markup=False)
    try:
        scores = score(encoder, frame, result)
    except TableError as error:
        notes().print(f"not scored: {error}", markup=False)
        return
    if scores:
        text = ", ".join(f"{name} {show(name, value)}" for name, value in scores.items())
        notes().print(f"the table has {encoder.target.name!r} itself: {text}", markup=False)


def _print(result: "pd.DataFrame") -> None:
    if not sys.stdout.isatty():
        result.to_csv(sys.stdout, index=False)
        return
    shown = result.head(SHOWN).to_numpy(object)
    rows = [[f"{value:.4g}" if isinstance(value, float) else value for value in row] for row in shown]
    console().print(make_table("", list(result.columns), rows))
    if len(result) > SHOWN:
        console().print(f"{len(result) - SHOWN} more rows; --out FILE writes them all", markup=False)
