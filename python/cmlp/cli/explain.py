"""`cmlp explain`: which columns a model uses, and how predictions change with them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from cmlp.cli.options import PATH, reading_options, table_argument
from cmlp.cli.predict import known_targets, positive_class
from cmlp.cli.store import check_folder, load_model
from cmlp.cli.ui import console, make_table, say
from cmlp.tabular.errors import printable

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 2000
REPEATS = 3
SHOWN = 6
POINTS = 9


@click.command(short_help="Which columns a model uses, and how.")
@click.argument("model", type=PATH)
@table_argument
@click.option("--out", type=PATH, help="Draw the curves here, a PNG or SVG file.")
@reading_options
def explain(
    model: Path, table: tuple[Path, ...], out: Path | None, missing: tuple[str, ...], sheet: str
) -> None:
    """Say which columns MODEL uses on TABLE, and how its predictions change with them.

    Importance of a column: how much worse the predictions get when its cells are shuffled among the rows.
    Partial dependence: the mean prediction when every row has one value in the column.
    """
    from cmlp.tabular.reading import read_source

    if out is not None:
        check_folder(out)
    loaded, source = load_model(model), read_source(*table, missing=missing, sheet=sheet)
    found = importances(loaded, source.table)
    rows = [(item.name, f"{item.drop:.4g}", "#" * round(30 * item.share)) for item in found]
    console().print(make_table(f"Columns by importance: {found[0].measure}", ["column", "", ""], rows, "lrl"))
    curves = [dependence(loaded, source.table, item.name) for item in found[:SHOWN]]
    for curve in curves:
        points = [(curve.label(k), f"{value:.4g}") for k, value in enumerate(curve.predictions)]
        title = f"{curve.title()}: mean {curve.what}"
        console().print(make_table(title, ["value", "prediction"], points, "lr"))
    if out is not None:
        draw(found, curves, out)
        say(f"written: {out}")


@dataclass(frozen=True)
class Importance:
    """How much one column matters: the loss of score, as a number and as a share of the largest."""

    name: str
    drop: float
    share: float
    measure: str


@dataclass(frozen=True)
class Dependence:
    """Mean predictions (points,) at values of a column."""

    name: str
    unit: str  # of the values, "" for none
    ordered: bool  # numbers and dates; other values have no order
    what: str
    values: list[Any]
    predictions: list[float]

    def label(self, k: int) -> str:
        """A value as text."""
        value = self.values[k]
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    def title(self) -> str:
        """The column with its unit."""
        return with_unit(self.name[:30], self.unit)


def with_unit(name: str, unit: str) -> str:
    """A column and, if it has one, the unit of its numbers: "weight (kg)"."""
    return f"{name} ({unit})" if unit else name


def unit_of(described: Any) -> str:
    """The unit that a column or target is written with; "" for none."""
    form = getattr(described, "format", None)
    return getattr(form, "unit", "")


def importances(model: Any, table: "pa.Table") -> list[Importance]:
    """Permutation importance of each column in use, the largest first.

    Where the table lacks the target, the measure is how far predictions move.
    """
    from cmlp.tabular.explanation import permutation_drops

    target, table = model.target_, _sample(table)
    x, y = model.encoder_.encode(table)[0], None
    if target.name in table.column_names:
        known, values = known_targets(target, table)
        if len(values):
            x, y = x[known], values
    measure, compare = _measure(model, y, model.outputs(x))
    drops = permutation_drops(x, model.encoder_.places_, lambda other: compare(model.outputs(other)), REPEATS)
    most = max(max(drops.values()), 1e-300)
    found = [Importance(name, drop, max(drop, 0.0) / most, measure) for name, drop in drops.items()]
    return sorted(found, key=lambda item: -item.drop)


def _measure(model: Any, y: Any, plain: Any) -> tuple[str, Any]:
    from cmlp.tabular.results import main_loss

    if y is None:
        return "mean move of the network's outputs", lambda outputs: float(np.abs(outputs - plain).mean())
    name, before = "log loss" if model.target_.classes else "RMSE", main_loss(model.target_, y, plain)
    return f"{name} grows by", lambda outputs: main_loss(model.target_, y, outputs) - before


def dependence(model: Any, table: "pa.Table", name: str) -> Dependence:
    """Partial dependence of the predictions on a column."""
    import pyarrow as pa

    from cmlp.tabular.columns import DateColumn, NumericColumn
    from cmlp.tabular.explanation import replaced
    from cmlp.tabular.scores import probabilities

    table, target = _sample(table, 500), model.target_
    column = next(column for column in model.encoder_.columns_ if column.name == name)
    values, x = _grid(column, table), model.encoder_.encode(table)[0]
    place = model.encoder_.places_[name]
    predictions, k = [], positive_class(model) if target.classes else 0
    for value in values:
        cells = pa.array([value] * len(table))
        outputs = model.outputs(replaced(x, place, column.transform(cells, [])))
        mean = probabilities(outputs)[:, k].mean() if target.classes else target.decode(outputs[:, 0]).mean()
        predictions.append(float(mean))
    quantity = with_unit(target.name, unit_of(target))
    what = f"probability of {target.classes[k]!r}" if target.classes else quantity
    ordered = isinstance(column, NumericColumn | DateColumn)
    return Dependence(name, unit_of(column), ordered, what, values, predictions)


def _grid(column: Any, table: "pa.Table") -> list[Any]:
    """Values of a column to try: quantiles of numbers and dates, the most frequent cells of the others."""
    import pyarrow.compute as pc

    from cmlp.tabular.arrow import simple
    from cmlp.tabular.columns import DateColumn, NumericColumn

    array = simple(table[column.name])
    if isinstance(column, NumericColumn | DateColumn):
        read = column.read(array, [])
        there = np.flatnonzero(~np.isnan(read))
        order = there[np.argsort(read[there], kind="stable")]
        if len(order):
            picks = order[np.linspace(0, len(order) - 1, POINTS).astype(int)]
            if isinstance(column, NumericColumn):
                return sorted(set(read[picks].tolist()))
            return list(dict.fromkeys(array[int(k)].as_py() for k in picks))
    counts = pc.value_counts(array.drop_null()).to_pylist()
    return [pair["values"] for pair in sorted(counts, key=lambda pair: -pair["counts"])[:POINTS]]


def _sample(table: "pa.Table", rows: int = ROWS) -> "pa.Table":
    if len(table) <= rows:
        return table
    return table.take(np.sort(np.random.default_rng(0).permutation(len(table))[:rows]))


def draw(found: list[Importance], curves: list[Dependence], path: Path) -> None:
    """Draw the importances and the curves as one picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3 + 2.6 * ((len(curves) + 2) // 3)), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[1, max(1.0, 0.9 * ((len(curves) + 2) // 3))])
    axes: Any = parts[0].subplots()
    shown = found[:12][::-1]
    axes.barh([printable(item.name)[:30] for item in shown], [item.drop for item in shown])
    axes.set_title(f"Importance: {found[0].measure}")
    grid = parts[1].subplots((len(curves) + 2) // 3, 3, squeeze=False).ravel()
    for axes, curve in zip(grid, curves, strict=False):
        numeric = all(isinstance(value, float) for value in curve.values)
        places = curve.values if numeric else range(len(curve.values))
        axes.plot(places, curve.predictions, marker="o", linestyle="-" if curve.ordered else "")
        axes.set(title=printable(curve.title()), ylabel=printable(curve.what)[:30])
        if not numeric:
            labels = [printable(curve.label(k))[:12] for k in range(len(curve.values))]
            axes.set_xticks(list(places), labels, rotation=30, ha="right")
    for axes in grid[len(curves) :]:
        axes.axis("off")
    figure.savefig(path, dpi=130)
