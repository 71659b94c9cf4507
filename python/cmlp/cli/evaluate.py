"""`cmlp evaluate`: how good a model is on a table that has the target."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from cmlp.cli.options import PATH, reading_options, table_argument
from cmlp.cli.predict import known_targets, positive_class, score_label
from cmlp.cli.store import load_model
from cmlp.cli.ui import CommandError, console, make_table, remark, say, show_score

if TYPE_CHECKING:
    from cmlp.tabular.reading import Source

RESAMPLES = 200
WORST = 5
MOST_CLASSES = 20


@click.command(short_help="Score a model on a table that has the target.")
@click.argument("model", type=PATH)
@table_argument
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def evaluate(
    model: Path, table: tuple[Path, ...], missing: tuple[str, ...], sheet: str, as_json: bool
) -> None:
    """Score MODEL on TABLE, which has the target.

    Prints every score with a 95 % interval (bootstrap over the rows), the confusion of classes, whether
    probabilities are true to their word, and the worst rows.
    """
    from cmlp.tabular.reading import read_source

    loaded, source = load_model(model), read_source(*table, missing=missing, sheet=sheet)
    if as_json:
        click.echo(json.dumps(Evaluation(loaded, source).facts(), indent=2))
        return
    show_evaluation(loaded, source)


class Evaluation:
    """A model's predictions on the rows of a table that have the target.

    Parameters
    ----------
    model : TabularClassifier or TabularRegressor
        The model.
    source : Source
        The table.
    """

    def __init__(self, model: Any, source: "Source") -> None:
        from cmlp.tabular import find_column

        self.model: Any = model
        self.target: Any = model.target_
        table = source.table
        find_column(table, self.target.name)
        self.y: Any
        self.remarks: Any
        known, self.y = known_targets(self.target, table)
        if not len(self.y):
            raise CommandError(f"{source.name}: no row has a value in {self.target.name!r}")
        x, self.remarks = model.encoder_.encode(table)
        self.rows: Any = np.flatnonzero(known)
        self.outputs: Any = model.outputs(x)[known]
        self.without: int = int((~known).sum())

    def scores(self, rows: Any = slice(None)) -> dict[str, float]:
        """Scores of some rows."""
        from cmlp.tabular.results import score

        return score(self.target, self.y[rows], self.outputs[rows], None, positive_class(self.model))

    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % intervals of the scores: percentiles over resampled rows."""
        rng, n = np.random.default_rng(0), len(self.y)
        samples = [self.scores(rng.integers(0, n, n)) for _ in range(RESAMPLES if n > 1 else 0)]
        found = {}
        for name in self.scores():
            values = [sample[name] for sample in samples if name in sample]
            if values:
                low, high = np.percentile(values, [2.5, 97.5])
                found[name] = (float(low), float(high))
        return found

    def predicted(self) -> NDArray[Any]:
        """Predicted labels or values, (rows,)."""
        if self.target.classes:
            return np.asarray(self.target.decode(self.target.choose(self.shares())))
        return np.asarray(self.target.decode(self.outputs[:, 0]))

    def true(self) -> NDArray[Any]:
        """True labels or values, (rows,)."""
        return np.asarray(self.target.decode(self.y if self.target.classes else self.y[:, 0]))

    def shares(self) -> NDArray[np.float64]:
        """Probabilities, (rows, classes)."""
        from cmlp.tabular.scores import probabilities

        return probabilities(self.outputs)

    def confusion(self) -> NDArray[np.int64]:
        """Counts (classes, classes): row is the true class, column the predicted one."""
        from cmlp.tabular.scores import confusion_counts

        return confusion_counts(self.y, self.target.choose(self.shares()), len(self.target.classes))

    def calibration(self) -> list[tuple[float, float, int]]:
        """Mean probability of the predicted class, share of hits and rows, in five bins."""
        shares = self.shares()
        best = shares.argmax(axis=1)
        p, hit = shares.max(axis=1), best == self.y
        edges = np.quantile(p, np.linspace(0, 1, 6))
        bins = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, 4)
        return [(float(p[bins == k].mean()), float(hit[bins == k].mean()), int((bins == k).sum()))
                for k in range(5) if (bins == k).any()]  # fmt: skip

    def worst(self) -> list[tuple[int, Any, Any, str]]:
        """The worst rows: number, true and predicted value, and how sure or how far."""
        true, predicted = self.true(), self.predicted()
        if self.target.classes:
            p = self.shares()[np.arange(len(self.y)), self.y]
            rows = [k for k in np.argsort(p)[:WORST] if true[k] != predicted[k]]
            return [
                (int(self.rows[k]) + 1, true[k], predicted[k], f"{p[k]:.2%} for the true class") for k in rows
            ]
        error = predicted - true
        rows = list(np.argsort(-np.abs(error))[:WORST])
        return [
            (int(self.rows[k]) + 1, f"{true[k]:.6g}", f"{predicted[k]:.6g}", f"{error[k]:+.4g}") for k in rows
        ]

    def facts(self) -> dict[str, Any]:
        """All of it as JSON types."""
        found: dict[str, Any] = {"rows": len(self.y), "scores": self.scores(), "intervals": self.intervals()}
        if self.target.classes:
            found |= {"classes": list(self.target.classes), "confusion": self.confusion().tolist()}
            found["calibration"] = self.calibration()
        found["worst"] = [{"row": row, "true": str(t), "predicted": str(p)} for row, t, p, _ in self.worst()]
        return found


def show_evaluation(model: Any, source: "Source") -> None:
    """Print an evaluation."""
    found = Evaluation(model, source)
    for line in found.remarks:
        remark(line)
    scores, ranges = found.scores(), found.intervals()
    rows = []
    for name, value in scores.items():
        interval = " to ".join(show_score(name, v) for v in ranges.get(name, ()))
        rows.append((score_label(model.record_, name), show_score(name, value), interval))
    rest = f" ({found.without} without the target are left out)" if found.without else ""
    console().print(
        make_table(f"{source.name}: {len(found.y)} rows{rest}", ["", "score", "95 % interval"], rows, "lrr")
    )
    if found.target.classes:
        _show_classes(found)
    worst = [(row, t, p, how) for row, t, p, how in found.worst()]
    if worst:
        console().print(make_table("Worst rows", ["row", "is", "predicted as", ""], worst, "rllr"))


def _show_classes(found: Evaluation) -> None:
    classes, counts = found.target.classes, found.confusion()
    if len(classes) <= MOST_CLASSES:
        rows = [
            (label, *("." if n == 0 else str(n) for n in row))
            for label, row in zip(classes, counts, strict=True)
        ]
        headers = ["is \\ predicted as", *map(str, classes)]
        console().print(make_table("Confusion", headers, rows, "l" + "r" * len(classes)))
    bins = [(f"{p:.1%}", f"{hit:.1%}", n) for p, hit, n in found.calibration()]
    title = "Calibration: of rows predicted with this probability, so many are right"
    console().print(make_table(title, ["probability", "right", "rows"], bins, "rrr"))
    if found.target.threshold != 0.5:
        say(f"{classes[1]!r} is predicted from a probability of {found.target.threshold:.3g} on")
