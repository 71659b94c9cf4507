"""`cmlp report`: one page for the browser on a model: its data, training, scores, importances and errors."""

import base64
import html
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from cmlp.cli.evaluate import Evaluation
from cmlp.cli.explain import Dependence, Importance, dependence, draw, importances
from cmlp.cli.options import PATH, reading_options, table_argument
from cmlp.cli.predict import score_label
from cmlp.cli.store import check_folder, load_model
from cmlp.cli.ui import say, show_score

CURVES = 6
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color:
#222 } table { border-collapse: collapse; margin: .5rem 0 1.5rem } td, th { padding: .25rem .8rem;
border-bottom: 1px solid #ddd; text-align: left } th { background: #f4f4f4 } td.n, th.n { text-align: right;
font-variant-numeric: tabular-nums } img { max-width: 100% } h2 { margin-top: 2.5rem; border-bottom: 2px
solid #36c } p.warn { background: #fff3cd; padding: .5rem 1rem } .scroll { overflow-x: auto }
"""


@click.command(short_help="All about a model as one HTML page.")
@click.argument("model", type=PATH)
@table_argument
@click.option("--out", type=PATH, default=Path("report.html"), help="The page to write.")
@reading_options
def report(model: Path, table: tuple[Path, ...], out: Path, missing: tuple[str, ...], sheet: str) -> None:
    """Write one HTML page on MODEL and how it does on TABLE, which has the target.

    The page needs nothing but itself: what the model reads, how it trained, its scores, whether its
    probabilities are true to their word, which columns matter, and its worst rows.
    """
    from cmlp.tabular.reading import read_source

    check_folder(out)
    loaded, source = load_model(model), read_source(*table, missing=missing, sheet=sheet)
    found = importances(loaded, source.table)
    curves = [dependence(loaded, source.table, item.name) for item in found[:CURVES]]
    out.write_text(page(loaded, Evaluation(loaded, source), source.name, found, curves), encoding="utf-8")
    say(f"written: {out}")


def page(model: Any, found: Evaluation, name: str, items: list[Importance], curves: list[Dependence]) -> str:
    """The page as HTML text; whatever comes from a file is escaped."""
    target, record = model.target_, model.record_
    title = f"Predicting {target.name!r}"
    parts = [
        f"<h1>{_text(title)}</h1>",
        _sentence(model, found, name),
        "<h2>Scores</h2>",
        _scores(found, record),
        _classes(found) if target.classes else "",
        "<h2>Columns that matter</h2>",
        f"<p>{_text(items[0].measure)} … when the cells of a column are shuffled, "
        "and how the mean prediction changes with a column.</p>",
        _picture(lambda path: draw(items, curves, path), "Importance of the columns"),
        "<h2>Worst rows</h2>",
        _worst(found),
        "<h2>Training</h2>",
        _training(model),
        "<h2>What the model reads</h2>",
        _table(
            ["column", "type", "what is done"],
            [(c.name, c.kind, c.description) for c in model.encoder_.columns_],
        ),
    ]
    head = f"<meta charset='utf-8'><title>{_text(title)}</title><style>{STYLE}</style>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{''.join(parts)}</body></html>"


def _text(value: object) -> str:
    from cmlp.tabular.errors import printable

    return html.escape(printable(value))


def _sentence(model: Any, found: Evaluation, name: str) -> str:
    target, record = model.target_, model.record_
    task = f"{len(target.classes)} classes" if target.classes else "a quantity"
    text = (
        f"A model of {task}, trained on {record.get('rows', '?')} rows of {record.get('data', 'a table')} "
        f"and scored here on {len(found.y)} rows of {name}."
    )
    warnings = "".join(f"<p class='warn'>{_text(line)}</p>" for line in found.remarks)
    return f"<p>{_text(text)}</p>{warnings}"


def _table(
    headers: Sequence[str], rows: Iterable[Sequence[Any]], numbers: frozenset[int] | set[int] = frozenset()
) -> str:
    def line(tag: str, cells: Sequence[Any]) -> str:
        marks = [" class=n" if k in numbers else "" for k in range(len(cells))]
        written = (f"<{tag}{mark}>{_text(cell)}</{tag}>" for mark, cell in zip(marks, cells, strict=True))
        return f"<tr>{''.join(written)}</tr>"

    body = "".join(line("td", row) for row in rows)
    return f"<div class='scroll'><table>{line('th', headers)}{body}</table></div>"


def _worst(found: Evaluation) -> str:
    if found.target.classes:
        return _table(["row", "is", "predicted as", ""], found.worst(), {0})
    return _table(["row", "is", "predicted as", "error"], found.worst(), {0, 1, 2, 3})


def _scores(found: Evaluation, record: dict[str, Any]) -> str:
    ranges, before, trivial = found.intervals(), record.get("scores", {}), record.get("baseline", {})
    rows = []
    for name, value in found.scores().items():
        interval = " to ".join(show_score(name, v) for v in ranges.get(name, ()))
        others = [show_score(name, scores[name]) if name in scores else "" for scores in (before, trivial)]
        rows.append((score_label(record, name), show_score(name, value), interval, *others))
    return _table(["", "here", "95 % interval", "in training", "trivial prediction"], rows, {1, 2, 3, 4})


def _classes(found: Evaluation) -> str:
    classes = [str(label) for label in found.target.classes]
    counts = zip(classes, found.confusion().tolist(), strict=True)
    rows = [(label, *row) for label, row in counts]
    numbers = set(range(1, len(classes) + 1))
    bins = [(f"{p:.1%}", f"{hit:.1%}", n) for p, hit, n in found.calibration()]
    return (
        "<h2>Confusion</h2><p>Rows are what is true, columns what is predicted.</p>"
        + _table(["is \\ predicted as", *classes], rows, numbers)
        + "<h2>Calibration</h2><p>Of rows predicted with this probability, so many are right.</p>"
        + _table(["probability", "right", "rows"], bins, {0, 1, 2})
    )


def _training(model: Any) -> str:
    record = model.record_
    text = (
        f"{record.get('epochs')} epochs in {record.get('seconds', 0):.1f} s; the weights are those of epoch "
        f"{record.get('best_epoch')}."
    )
    history = model.net_.history
    if history is None or not history.epoch:
        return f"<p>{_text(text)}</p>"
    return f"<p>{_text(text)}</p>" + _picture(
        lambda path: _curve(history.history, path), "Loss over the epochs"
    )


def _curve(history: dict[str, list[float]], path: Any) -> None:
    from matplotlib.figure import Figure

    from cmlp import plot

    figure = Figure(figsize=(8, 3.6), layout="constrained")
    plot.loss_curve({k: v for k, v in history.items() if k in ("loss", "val_loss")}, ax=figure.subplots())
    figure.savefig(path, dpi=110)


def _picture(draw_to: Any, title: str) -> str:
    out = io.BytesIO()
    draw_to(out)
    data = base64.b64encode(out.getvalue()).decode()
    return f"<img alt='{_text(title)}' src='data:image/png;base64,{data}'>"
