"""The results of many fits as the table that scikit-learn's searches give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def cv_results(fits: Sequence[Any]) -> dict[str, Any]:
    """Return ``cv_results_``: a row for each candidate, a split for each of its fits."""
    candidates = 1 + max(fit.candidate for fit in fits)
    rows = [[fit for fit in fits if fit.candidate == candidate] for candidate in range(candidates)]
    params = [row[0].params for row in rows]
    table: dict[str, Any] = {}
    for name in ("fit_time", "score_time"):
        _add(table, name, _values(rows, name))
    for name in sorted({name for each in params for name in each}):
        table[f"param_{name}"] = _masked([each.get(name, np.ma.masked) for each in params])
    table["params"] = params
    scores = _values(rows, "test_score")
    if any(fit.score_time for fit in fits):
        for split, column in enumerate(scores.T):
            table[f"split{split}_test_score"] = column
        _add(table, "test_score", scores)
        table["rank_test_score"] = _ranks(table["mean_test_score"])
    return table


def _values(rows: Sequence[Sequence[Any]], name: str) -> npt.NDArray[np.float64]:
    return np.array([[getattr(fit, name) for fit in row] for row in rows], dtype=float)


def _add(table: dict[str, Any], name: str, values: npt.NDArray[np.float64]) -> None:
    table[f"mean_{name}"], table[f"std_{name}"] = values.mean(axis=1), values.std(axis=1)


def _masked(values: Sequence[Any]) -> Any:
    """Return the values of a parameter, masked where a candidate has none."""
    array: Any = np.ma.MaskedArray(np.empty(len(values), dtype=object), mask=True)
    for at, value in enumerate(values):
        if value is not np.ma.masked:
            array[at] = value
    return array


def _ranks(means: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Return ranks from 1, the largest first, ties alike, nan last."""
    scores = np.where(np.isnan(means), -np.inf, means)
    ranks: npt.NDArray[np.int32] = 1 + (scores > scores[:, None]).sum(axis=1, dtype=np.int32)
    return ranks
