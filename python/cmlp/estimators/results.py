"""What many fits come to: each of them, the best, the table that scikit-learn's searches give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Split = tuple[npt.NDArray[Any], npt.NDArray[Any]]  # rows to train on, rows to score


@dataclass
class Fit:
    """One fit of :func:`fit_many`.

    Attributes
    ----------
    estimator : MLPClassifier or MLPRegressor
        As if it had been fitted by itself; not fitted where there is an ``error``.
    params : dict
        Of the grid.
    candidate, fold : int
        Which of the grid's settings, which of the splits.
    seed : int or None
        Its ``random_state``; None where this is a RandomState.
    test_score : float
        Of the rows that the fold holds out; nan without folds.
    fit_time, score_time : float
        Seconds.
    error : Exception or None
        What the fit raised.
    """

    estimator: Any
    params: dict[str, Any]
    candidate: int
    fold: int
    seed: int | None
    test_score: float = np.nan
    fit_time: float = 0.0
    score_time: float = 0.0
    error: Exception | None = None


class ManyFits(Sequence[Fit]):
    """What :func:`fit_many` did: a sequence of its fits, candidate by candidate, then by fold, then by seed.

    Attributes
    ----------
    fits : list of Fit
    splits : list of (train, test)
        Indices of the rows of each fold; one with no test rows without ``cv``.
    cv_results_ : dict of ndarray
        As scikit-learn's searches have it: a split for each fold and seed, fold by fold.
    best_index_, best_params_, best_score_
        The candidate with the largest mean test score.
    best_estimators_ : list
        Its estimators, one for each fold and seed.
    """

    def __init__(self, fits: list[Fit], splits: list[Split]) -> None:
        self.fits: list[Fit] = fits
        self.splits: list[Split] = splits
        self.cv_results_: dict[str, Any] = cv_results(fits)

    def __len__(self) -> int:
        return len(self.fits)

    def __getitem__(self, index: Any) -> Any:
        return self.fits[index]

    def __iter__(self) -> Iterator[Fit]:
        return iter(self.fits)

    def __repr__(self) -> str:
        return f"ManyFits({len(self.fits)} fits of {len(self.cv_results_['params'])} candidates)"

    @property
    def best_index_(self) -> int:
        """The candidate of rank 1."""
        if "rank_test_score" not in self.cv_results_:
            raise AttributeError("fit_many: without cv there are no test scores, and none is the best")
        return int(self.cv_results_["rank_test_score"].argmin())

    @property
    def best_params_(self) -> dict[str, Any]:
        """Its parameters."""
        params: dict[str, Any] = self.cv_results_["params"][self.best_index_]
        return params

    @property
    def best_score_(self) -> float:
        """Its mean test score."""
        return float(self.cv_results_["mean_test_score"][self.best_index_])

    @property
    def best_estimators_(self) -> list[Any]:
        """Its estimators."""
        return [fit.estimator for fit in self.fits if fit.candidate == self.best_index_]


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
    if any(fit.score_time for fit in fits):  # there were folds
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
