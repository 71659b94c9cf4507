"""Reads results: a file of JSON lines, and a table of earlier results of other packages."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from bench.accuracy.sets import halves

Row = dict[str, Any]
COLUMNS = ("accuracy", "logloss", "ece", "rmse", "fit_seconds", "fit_cpu_seconds", "predict_seconds_per_row")
KEY = ["system", "set", "split"]
ABOUT = ["version", "commit", "cpu", "date"]
NAMES = {"lgbm": "lightgbm", "hgb": "hist", "sk_mlp": "sklearn"}  # of systems in tables of earlier results


def read_results(path: Path) -> list[Row]:
    """Return the lines of a file; none if there is no file. An unfinished last line is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = []
    for at, line in enumerate(lines):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            if at + 1 < len(lines):
                raise ValueError(f"{path}, line {at + 1}: {error}") from error
    return rows


def read_anchors(path: Path) -> list[Row]:
    """Return the rows of a CSV with dataset, task, split, system, scores and fit_seconds, on one thread."""
    table = pd.read_csv(path).rename(columns={"dataset": "set"})
    table["system"] = table["system"].replace(NAMES)
    return table.assign(threads=1, earlier=True).to_dict("records")


def chosen(rows: Iterable[Row], sets: Iterable[str], splits: int, threads: int) -> pd.DataFrame:
    """Return the results of these tables, splits and threads; of equal keys an own one, and the last.

    The columns are system, set, split, task, half, earlier, the scores and times, NaN where unknown, and
    version, commit, cpu and date, empty where unknown.
    """
    wanted = set(sets)
    kept = [
        {"earlier": False, **dict.fromkeys(ABOUT, "")} | row
        for row in rows
        if row["set"] in wanted and row["split"] < splits and row["threads"] == threads
    ]
    table = pd.DataFrame(kept, columns=[*KEY, "task", "earlier", *COLUMNS, *ABOUT])
    table = table.astype({"earlier": bool, **dict.fromkeys(COLUMNS, float)})
    table = table.sort_values("earlier", ascending=False, kind="stable").drop_duplicates(KEY, keep="last")
    return table.assign(half=table["set"].map(halves())).sort_values(KEY).reset_index(drop=True)
