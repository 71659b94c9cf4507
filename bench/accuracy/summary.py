"""The arithmetic: errors relative to LightGBM, their summary over the tables, and pairs of systems.

A ratio of errors is of one system on one split of one table; the same split of LightGBM is its denominator.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.accuracy.systems import REFERENCE

MEASURES = ("class error", "RMSE", "log-loss")
CLIP = (0.1, 10.0)  # so that a table where one system fails does not determine a geometric mean
SMALLEST = 1e-4  # added to class errors, which may be 0
CELL = ["set", "split"]


def errors(results: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each result and measure: system, set, split, half, measure, value."""
    value = {
        "class error": 1 - results["accuracy"] + SMALLEST,
        "RMSE": results["rmse"],
        "log-loss": results["logloss"],
    }
    about = results[["system", *CELL, "half"]]
    parts = [about.assign(measure=name, value=value[name]) for name in MEASURES]
    return pd.concat(parts, ignore_index=True).dropna(subset="value").reset_index(drop=True)


def ratios(results: pd.DataFrame, reference: str = REFERENCE) -> pd.DataFrame:
    """Return the errors that the reference has as well, with a column ratio, clipped to [0.1, 10]."""
    found = errors(results)
    base = found[found["system"] == reference].set_index(["measure", *CELL])["value"]
    found = found.join(base.rename("base"), on=["measure", *CELL]).dropna(subset="base")
    return found.assign(ratio=(found["value"] / found["base"]).clip(*CLIP)).reset_index(drop=True)


def geometric_mean(values: pd.Series) -> float:
    """Return the geometric mean; NaN of no values."""
    return float(np.exp(np.log(values).mean())) if len(values) else math.nan


@dataclass(frozen=True)
class Summary:
    """One system in one measure: the tables it has, and its ratios over all their splits."""

    sets: int
    median: float
    mean: float  # geometric
    wins: int  # tables whose geometric mean over the splits is below 1


def summarise(found: pd.DataFrame) -> Summary:
    """Summarise the ratios of one system in one measure."""
    per_set = found.groupby("set")["ratio"].apply(geometric_mean)
    median = float(found["ratio"].median()) if len(found) else math.nan
    return Summary(len(per_set), median, geometric_mean(found["ratio"]), int((per_set < 1).sum()))


def mean_ranks(found: pd.DataFrame) -> dict[str, float]:
    """Return each system's mean rank in one measure over the splits that all systems have; 1 is best."""
    grid = found.pivot(index=CELL, columns="system", values="value").dropna()
    return {str(name): float(rank) for name, rank in grid.rank(axis=1).mean().items()}


@dataclass(frozen=True)
class Difference:
    """Two systems compared on the splits that both have."""

    ratio: float  # geometric mean of the one's errors over the other's, each table counting once
    noise: float  # two standard errors of the logarithm; NaN if each table has one split

    @property
    def within_noise(self) -> bool:
        """Whether other splits of the same tables may turn it around."""
        return abs(math.log(self.ratio)) <= self.noise


def difference(found: pd.DataFrame, system: str, other: str) -> Difference | None:
    """Compare two systems in one measure; None if they share no split.

    The standard error is that of the mean over the tables: the variance of the splits is pooled over them.
    """
    logs = np.log(found.pivot(index=CELL, columns="system", values="ratio"))
    if not {system, other} <= set(logs.columns):
        return None
    paired = (logs[system] - logs[other]).dropna()
    if paired.empty:
        return None
    by_set = paired.groupby(level="set")
    means, counts = by_set.mean(), by_set.size()
    free = int((counts - 1).sum())
    residual = paired - by_set.transform("mean")
    variance = float((residual**2).sum()) / free if free else math.nan
    error = math.sqrt(variance * float((1 / counts).sum())) / len(means)
    return Difference(math.exp(means.mean()), 2 * error)
