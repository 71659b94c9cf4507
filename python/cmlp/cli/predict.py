"""`cmlp predict`: a model file and a table in, predictions out."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from cmlp.cli.options import PATH, parse_quantiles, reading_options, table_argument
from cmlp.cli.store import check_folder, load_model
from cmlp.cli.ui import OptionError, console, make_table, remark, say, show_score
from cmlp.tabular.errors import listing

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 20


@click.command(short_help="Predict the target for each row of a table.")
@click.argument("model", type=PATH)
@table_argument
@click.option("--out", type=PATH, help="Write here: .csv, .tsv or .parquet, also .gz.")
@click.option(
    "--id", "ids", multiple=True, metavar="COLUMN", help="Copy a column of TABLE beside the predictions."
)
@click.option("--class", "only", flag_value="class", help="Classes alone, without probabilities.")
@click.option("--proba", "only", flag_value="proba", help="Probabilities alone.")
@click.option(
    "--quantiles", metavar="Q,...", help="Of a quantity: values that so many of the held-out rows stay below."
)
@reading_options
def predict(
    model: Path,
    table: tuple[Path, ...],
    out: Path | None,
    ids: tuple[str, ...],
    only: str | None,
    quantiles: str | None,
    missing: tuple[str, ...],
    sheet: str,
) -> None:
    """Predict the target of MODEL for each row of TABLE.

    Gives the class and the probability of every class, or the value, one line a row of TABLE (files as for
    `cmlp train`). Without --out they go to the standard output as CSV (a terminal shows the first 20).
    Columns the model does not know are ignored; columns it needs must be there. Large files are read in
    pieces.
    """
    from cmlp.tabular.reading.batches import read_batches
    from cmlp.tabular.reading.writing import TableWriter, table_suffix

    if out is not None:
        table_suffix(out)
        check_folder(out)
    wanted = [] if quantiles is None else parse_quantiles(quantiles)
    loaded = load_model(model)
    _check_options(loaded, ids, only, wanted)
    found = _Found(loaded)
    rows = 0
    with TableWriter(out) as writer:
        for source in read_batches(*table, missing=missing, sheet=sheet):
            result = predictions(loaded, source.table, ids, only, wanted, found)
            rows += len(result)
            if out is None and sys.stdout.isatty():
                _show(result, len(source.table))
                break
            writer.write(result)
    found.say()
    if out is not None:
        remark(f"written: {rows} predictions to {out}")


def _check_options(model: Any, ids: tuple[str, ...], only: str | None, quantiles: list[float]) -> None:
    if only and not model.target_.classes:
        raise OptionError(f"--{only} is for classes; the model predicts a quantity")
    if quantiles and "residuals" not in model.record_:
        raise OptionError(
            "--quantiles is for a quantity predicted by a model that was trained with validation rows"
        )
    for name in ids:
        if name in _names(model.target_, only, quantiles):
            raise OptionError(f"--id {name!r}: the predictions have a column of that name")


def _names(target: Any, only: str | None, quantiles: list[float]) -> list[str]:
    """Names of the columns of predictions."""
    labels = [] if only == "proba" else [target.name]
    if not target.classes:
        return labels + [f"{target.name}_q{q:g}" for q in quantiles]
    return labels + [f"probability_{label}" for label in target.classes if only != "class"]


class _Found:
    """What is said on the standard error stream after the predictions: unknown columns, bad cells, scores."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._remarks: dict[str, None] = {}
        self._true: list[Any] = []
        self._outputs: list[Any] = []

    def add(self, table: "pa.Table", outputs: Any, remarks: list[str]) -> None:
        target = self._model.target_
        unused = [name for name in self._model.encoder_.unused(table.column_names) if name != target.name]
        if unused:
            self._remarks[f"ignored, unknown to the model: {listing(unused, 12)}"] = None
        self._remarks |= dict.fromkeys(remarks)
        if target.name in table.column_names:
            self._keep_true(table, outputs)

    def _keep_true(self, table: "pa.Table", outputs: Any) -> None:
        from cmlp.tabular import TableError

        try:
            known, y = known_targets(self._model.target_, table)
        except TableError as error:
            self._remarks[f"not scored: {error}"] = None
            return
        self._true.append(y)
        self._outputs.append(outputs[known])

    def say(self) -> None:
        from cmlp.tabular.results import score

        lines = list(self._remarks)
        for line in lines[:SHOWN]:
            remark(line)
        if len(lines) > SHOWN:
            remark(f"and {len(lines) - SHOWN} more remarks of this kind")
        if sum(map(len, self._true)):
            model = self._model
            y, outputs = np.concatenate(self._true), np.concatenate(self._outputs)
            scores = score(model.target_, y, outputs, None, positive_class(model))
            labels = {name: score_label(model.record_, name) for name in scores}
            text = ", ".join(f"{labels[name]} {show_score(name, value)}" for name, value in scores.items())
            remark(f"the table has {model.target_.name!r} itself: {text}")


def positive_class(model: Any) -> int:
    """Which of two classes F1 and average precision are of: the rarer one of the training rows."""
    rare = model.record_.get("rare_class")
    return model.target_.classes.index(rare) if rare in model.target_.classes else 1


def score_label(record: dict[str, Any], name: str) -> str:
    """A score's name; that of F1 says of which class."""
    return f"F1 of {record['rare_class']!r}" if name == "F1" and "rare_class" in record else name


def known_targets(target: Any, table: "pa.Table") -> tuple[Any, Any]:
    """Which rows of a table have the target (rows,), and those targets encoded."""
    from cmlp.tabular.arrow import simple

    cells = target.read(simple(table[target.name]))
    known = np.asarray(cells.is_valid())
    return known, target.encode(cells.drop_null())


def predictions(
    model: Any,
    table: "pa.Table",
    ids: tuple[str, ...],
    only: str | None,
    quantiles: list[float],
    found: _Found,
) -> "pa.Table":
    """Predict a table: its ids, the target, and for classes ``probability_<class>`` of each of them."""
    import pyarrow as pa

    from cmlp.tabular import find_column
    from cmlp.tabular.scores import probabilities

    copied = {name: find_column(table, name) for name in ids}
    x, remarks = model.encoder_.encode(table)
    outputs, target = model.outputs(x), model.target_
    found.add(table, outputs, remarks)
    if not target.classes:
        values = [target.decode(outputs[:, 0]), *(model.quantile(outputs[:, 0], q) for q in quantiles)]
    else:
        shares = probabilities(outputs)
        values = [] if only == "proba" else [target.decode(target.choose(shares)).tolist()]
        values += [] if only == "class" else list(shares.T.astype(np.float32))
    names = _names(target, only, quantiles)
    return pa.table(copied | {name: pa.array(v) for name, v in zip(names, values, strict=True)})


def _show(result: "pa.Table", rows: int) -> None:
    cells = [
        [f"{v:.4g}" if isinstance(v, float) else v for v in row.values()]
        for row in result[:SHOWN].to_pylist()
    ]
    console().print(make_table("", result.column_names, cells))
    if rows > SHOWN:
        say("more rows follow; --out FILE writes them all")
