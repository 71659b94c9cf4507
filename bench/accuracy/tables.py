"""The summary as tables, for the terminal and for the page."""

import math
from collections.abc import Callable

import pandas as pd

from bench.accuracy.summary import (
    MEASURES,
    Difference,
    difference,
    geometric_mean,
    mean_ranks,
    ratios,
    summarise,
)
from bench.accuracy.systems import REFERENCE, order, title
from bench.compare.report import Table

HALVES = ("A", "B")


def number(value: float, digits: int = 2) -> str:
    """Write a number; nothing for NaN."""
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def digits(value: float) -> str:
    """Write about two digits of a positive number, without an exponent."""
    if math.isnan(value) or value <= 0:
        return ""
    return f"{value:.{max(0, 1 - math.floor(math.log10(value)))}f}"


def names(found: pd.DataFrame) -> list[str]:
    """List the systems of a table in the order of the columns."""
    return order(list(found["system"].unique()))


def error_table(found: pd.DataFrame, measure: str) -> Table:
    """Errors relative to LightGBM over all tables, and over each half."""
    heads = ["system", "tables", "median", "geometric mean", "wins", "mean rank"]
    heads += [f"half {half}: median / mean" for half in HALVES]
    ranks, rows = mean_ranks(found), []
    for name in names(found):
        own = found[found["system"] == name]
        total = summarise(own)
        wins = "" if name == REFERENCE else f"{total.wins} of {total.sets}"
        row = [title(name), str(total.sets), number(total.median), number(total.mean), wins]
        row.append(number(ranks.get(name, math.nan)))
        for half in HALVES:
            part = summarise(own[own["half"] == half])
            row.append(f"{number(part.median)} / {number(part.mean)}" if part.sets else "")
        rows.append(row)
    text = (
        "Relative to LightGBM on the same split; below 1 is less error. Wins are tables with less error than "
        "LightGBM; the mean rank is over the splits that all systems have."
    )
    return Table(f"{measure[0].upper()}{measure[1:]}", text, heads, rows)


def pair_text(pair: Difference) -> str:
    """Write the ratio with its interval, and whether that contains 1."""
    if math.isnan(pair.noise):
        return f"{pair.ratio:.3f}"
    low, high = (pair.ratio * math.exp(sign * pair.noise) for sign in (-1, 1))
    return f"{pair.ratio:.3f} ({low:.2f} to {high:.2f})" + (", within noise" if pair.within_noise else "")


def difference_table(found: pd.DataFrame, measure: str) -> Table | None:
    """cmlp's systems against every system without changes, on the same splits."""
    columns = [name for name in names(found) if "+" not in name]
    own = [name for name in names(found) if name.startswith("cmlp")]

    def cell(name: str, other: str) -> str:
        pair = None if name == other else difference(found, name, other)
        return pair_text(pair) if pair else ""

    rows = [[title(name), *(cell(name, other) for other in columns)] for name in own]
    text = (
        "Geometric mean over the tables of the row's error over the column's; in brackets two standard "
        "errors of the splits to both sides, without brackets there is one split of each table."
    )
    heads = [measure, *map(title, columns)]
    return Table(f"Pairs of systems: {measure}", text, heads, rows) if own else None


def calibration_table(results: pd.DataFrame) -> Table | None:
    """Expected calibration error of each system."""
    known = results.dropna(subset="ece")
    rows = []
    for name in names(known):
        own = known[known["system"] == name].groupby(["set", "half"])["ece"].mean().reset_index()
        parts = [own["ece"].median(), own["ece"].mean()]
        parts += [own["ece"][own["half"] == half].mean() for half in HALVES]
        rows.append([title(name), str(len(own)), *(number(100 * part) for part in parts)])
    heads = ["system", "tables", "median", "mean", *(f"half {half}: mean" for half in HALVES)]
    text = (
        "Percent, over the tables with classes: mean difference of the predicted class's probability and of "
        "the share of rows where it is right, in 15 bins of that probability."
    )
    return Table("Calibration error", text, heads, rows) if rows else None


def time_table(results: pd.DataFrame) -> Table:
    """Times of fits and predictions."""
    heads = ["system", "tables", "fit, s", "median", "longest", "processor time, s", "prediction, us a row"]
    rows = []
    for name in names(results):
        own = (
            results[results["system"] == name]
            .groupby("set")[["fit_seconds", "fit_cpu_seconds", "predict_seconds_per_row"]]
            .mean()
        )
        fit, cpu = own["fit_seconds"], own["fit_cpu_seconds"].dropna()
        values = [geometric_mean(fit), fit.median(), fit.max(), geometric_mean(cpu)]
        values.append(1e6 * own["predict_seconds_per_row"].median())
        rows.append([title(name), str(len(own)), *map(digits, values)])
    text = (
        "A fit of the rows of training and validation: geometric mean, median and longest of the tables, and "
        "the geometric mean of the processor time; prediction of all test rows in one call, median."
    )
    return Table("Time", text, heads, rows)


def set_table(found: pd.DataFrame, measure: str) -> Table:
    """The ratio of each table."""
    columns = [name for name in names(found) if name != REFERENCE]
    cells = found.groupby(["set", "system"])["ratio"].apply(geometric_mean)
    about = (
        found[found["system"] == REFERENCE].groupby("set").agg(half=("half", "first"), base=("value", "mean"))
    )
    rows = [
        [str(name), row.half, f"{row.base:.4g}", *(_cell(cells.get, (name, to)) for to in columns)]
        for name, row in about.iterrows()
    ]
    heads = ["table", "half", "LightGBM's error", *map(title, columns)]
    return Table(f"Each table: {measure}", "Mean of the splits, relative to LightGBM.", heads, rows)


def _cell(get: Callable[..., float], key: tuple[object, str]) -> str:
    return number(get(key, math.nan))


def summary_tables(results: pd.DataFrame) -> list[Table]:
    """All tables of the results; those of errors need LightGBM's."""
    found = ratios(results)
    parts = {measure: found[found["measure"] == measure] for measure in MEASURES}
    parts = {measure: part for measure, part in parts.items() if len(part)}
    tables: list[Table | None] = [error_table(part, measure) for measure, part in parts.items()]
    tables += [difference_table(part, measure) for measure, part in parts.items()]
    tables += [calibration_table(results), time_table(results)]
    tables += [set_table(part, measure) for measure, part in parts.items()]
    return [table for table in tables if table is not None]
