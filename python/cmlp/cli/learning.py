"""The work of `cmlp train`: read, infer the columns, train, score, write."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import cmlp
from cmlp.cli.progress import progress
from cmlp.cli.ui import CommandError, OptionError, StoppedError, console, make_table, say, show_score

if TYPE_CHECKING:
    import pyarrow as pa

    from cmlp.tabular.habits import Habits
    from cmlp.tabular.jobs import Prepared
    from cmlp.tabular.reading import Source

COLUMNS_SHOWN = 60
EARLY = {"patience": "no improvement", "time": "the time limit", "Ctrl-C": "Ctrl-C"}


@dataclass(frozen=True)
class Options:
    """What to learn from which table.

    Parameters
    ----------
    table : tuple of pathlib.Path
        The files.
    target : str
        The column to predict.
    task : {"auto", "classification", "regression"}
        What it makes.
    out : pathlib.Path
        The model file.
    missing : tuple of str
        Words that mean that a cell is missing.
    sheet : str
        The sheet of a spreadsheet.
    test : pathlib.Path or None
        Another file to score the model on.
    group, time, weights : str or None
        Columns that say how rows are split and what they weigh.
    """

    table: tuple[Path, ...]
    target: str
    task: str
    out: Path
    missing: tuple[str, ...] = ()
    sheet: str = ""
    test: Path | None = None
    group: str | None = None
    time: str | None = None
    weights: str | None = None


def run(options: Options, parameters: dict[str, Any]) -> None:
    """Do all of `cmlp train`.

    Parameters
    ----------
    options : Options
        The data.
    parameters : dict
        Of the `TabularClassifier` or `TabularRegressor`.
    """
    from cmlp import NonFiniteError
    from cmlp.tabular.fitting import NoModelError
    from cmlp.tabular.reading import read_source

    source = read_source(*options.table, missing=options.missing, sheet=options.sheet)
    for line in source.remarks:
        say(f"{source.name}: {line}")
    try:
        model = fit(options, parameters, source)
    except NonFiniteError as error:
        raise CommandError(f"{error}; try a smaller --lr") from error
    except NoModelError as error:
        raise StoppedError(f"{error}; nothing was written") from error
    show_scores(model.record_, model.target_.classes)
    for line in model.remarks_:
        say(f"note: {line}", "yellow")
    cmlp.save(model, options.out)
    if options.test is not None:
        from cmlp.cli.evaluate import show_evaluation

        show_evaluation(model, read_source(options.test, missing=options.missing, sheet=options.sheet))
    say(f"written: {options.out}")
    say(f"next: cmlp predict {options.out} other.csv")
    if model.record_["interrupted"]:
        raise StoppedError("stopped by Ctrl-C; the best epoch so far is written")


def fit(options: Options, parameters: dict[str, Any], source: "Source") -> Any:
    """Train the model of a table; says what it finds on the way."""
    from cmlp.tabular import TabularClassifier, TabularRegressor, find_column
    from cmlp.tabular.jobs import Observers
    from cmlp.tabular.labelled import LabelledTable
    from cmlp.tabular.target_cells import choose_task

    table, target = source.table, options.target
    column = find_column(table, target)
    unused = [name for name in (options.weights, options.group) if name is not None]
    types = _input_types(table, target, unused, parameters["types"])
    rows = table.drop_columns(list(dict.fromkeys([target, *unused])))
    if not rows.column_names:
        raise CommandError(f"no column is left to learn from: the table has only {target!r}")
    data = LabelledTable.read(rows, target, column)
    data = data.extended(*_row_columns(table, options, data.habits))
    task = choose_task(data.cells) if options.task == "auto" else options.task
    model = (TabularClassifier if task == "classification" else TabularRegressor)(
        **{**parameters, "types": types}
    )
    observers = Observers(
        prepared=lambda rows: show_columns(rows, source.name, len(table)),
        network=_network,
        trained=_say_end,
    )
    model._fit_labelled(data, observers)
    model.record_ = {"data": Path(source.name).name, **model.record_}
    return model


def _input_types(table: "pa.Table", target: str, unused: list[str], types: dict[str, str]) -> dict[str, str]:
    """The given types of the inputs; refuses one for the target."""
    from cmlp.tabular import find_column

    for name in types:
        find_column(table, name)
    if target in types:
        raise OptionError(
            f"{target!r} is the target: --column, --drop and --categorical are for the other columns, "
            "--task says what the target is"
        )
    return {name: kind for name, kind in types.items() if name not in unused}


def _say_end(members: list[Any], seconds: float) -> None:
    from cmlp.tabular.fitting import describe_end

    first = members[0]
    if len(members) == 1:
        say(describe_end(first.outcome, first.training.recipe.patience))
        return
    epochs = sum(len(member.outcome.history["loss"]) for member in members)
    ends = Counter(member.outcome.end for member in members if member.outcome.end != "epochs")
    early = "".join(f"; {count} of them ended early: {EARLY[end]}" for end, count in ends.items())
    say(
        f"trained {len(members)} networks in {seconds:.1f} s, {epochs} epochs in all; "
        f"each kept its best epoch{early}"
    )


def _network(text: str, epochs: int) -> Any:
    say(text)
    return progress(epochs)


def _row_columns(table: "pa.Table", options: Options, habits: "Habits") -> tuple[Any, Any, Any]:
    """Weights, groups and times of the rows."""
    from cmlp.tabular import find_column
    from cmlp.tabular.arrow import keys, simple
    from cmlp.tabular.labelled import numbers_of

    def numbers(name: str | None) -> Any:
        if name is None:
            return None
        return numbers_of(f"column {name!r}", simple(find_column(table, name)), habits)

    groups = None
    if options.group is not None:
        groups = np.asarray(keys(simple(find_column(table, options.group))).fill_null(""))
    return numbers(options.weights), groups, numbers(options.time)


def show_columns(rows: "Prepared", name: str, total: int) -> None:
    """Print what was found in each column and in the target."""
    from cmlp.tabular.findings import TYPES

    encoder, target = rows.encoder, rows.target
    shown = encoder.notes_[:COLUMNS_SHOWN]
    cells = [
        (
            "!" if note.doubt or note.treatment.startswith("left out") else "",
            note.name,
            note.kind,
            note.missing or "",
            note.example,
            note.treatment,
        )
        for note in shown
    ]
    headers = ["", "column", "type", "missing", "example", "what is done"]
    console().print(make_table(f"{name}: {total} rows", headers, cells, "lllrll"))
    if len(shown) < len(encoder.notes_):
        say(f"and {len(encoder.notes_) - len(shown)} more columns")
    if any(cell[0] for cell in cells):
        *types, last = TYPES
        say(f'! read in doubt or left out; --column "NAME=TYPE" takes it as {", ".join(types)} or {last}')
    if rows.left_out:
        say(f"{rows.left_out} of {total} rows left out: no {target.name!r}, or weight 0")
    what = f"{len(target.classes)} classes" if target.classes else f"mean {target.mean:.5g}"
    what = f"learned as its logarithm, {what}" if target.log else what
    say(f"target {target.name!r}: {target.task}, {what}")


def show_scores(record: dict[str, Any], classes: tuple[Any, ...]) -> None:
    """Print the scores beside those of the baseline, and a warning if they are not better."""
    from cmlp.cli.predict import score_label
    from cmlp.tabular.scores import beats

    scores, baseline = record["scores"], record["baseline"]
    trivial = "most frequent class" if classes else "the mean"
    where = {
        "held out": "validation rows",
        "folds": "rows, each by a model that did not train on it",
        "training rows": "training rows (none were held out: expect less on others)",
    }[record["scored"]]
    title = f"On {record['scored_on']} {where}"
    rows = [
        (score_label(record, n), show_score(n, scores[n]), show_score(n, baseline[n]))
        for n in scores
        if n in baseline
    ]
    console().print(make_table(title, ["", "model", trivial], rows, "lrr"))
    if record.get("threshold", 0.5) != 0.5:
        start = f"{record['threshold']:.3g}"
        say(f"{classes[1]!r} is predicted from a probability of {start} on (chosen on these rows)")
    first = "average precision" if record.get("threshold", 0.5) != 0.5 else next(iter(scores))
    if not beats(scores, baseline, first):
        say(f"the model is not better than {trivial} by {first}", "bold yellow")
