"""Why a model predicts what it does: importances of columns, and what each adds to a row's prediction."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from cmlp.tabular.columns.categories import dense
from cmlp.tabular.scores import probabilities

Outputs = Callable[[Any], NDArray[Any]]


class Explanation(NamedTuple):
    """What each column adds to predictions: ``base + values.sum(axis=1)`` is the prediction of each row.

    Parameters
    ----------
    columns : list of str
        The columns that the model reads.
    base : numpy.ndarray
        The mean prediction of the background, () or (classes,).
    values : numpy.ndarray
        (rows, columns) for a quantity, in its unit, and for the probability of the second of two classes;
        (rows, columns, classes) for the probabilities of more.
    """

    columns: list[str]
    base: NDArray[np.float64]
    values: NDArray[np.float64]


def places(encoder: Any) -> dict[str, slice]:
    """Where the features of each column are."""
    ends = np.cumsum([len(column.features) for column in encoder.columns_]).tolist()
    starts = [0, *ends[:-1]]
    names = [column.name for column in encoder.columns_]
    return {name: slice(start, end) for name, start, end in zip(names, starts, ends, strict=True)}


def replaced(x: Any, place: slice, block: Any) -> Any:
    """Features (rows, features) with others of one column, whose place it is."""
    if sp.issparse(x):
        parts = [x[:, : place.start], sp.csr_matrix(block), x[:, place.stop :]]
        return sp.hstack(parts, "csr", np.float32)
    changed = x.copy()
    changed[:, place] = dense(block)
    return changed


def permutation_drops(
    x: Any, where: dict[str, slice], worse: Callable[[Any], float], repeats: int = 3, seed: int = 0
) -> dict[str, float]:
    """How much worse predictions are when the cells of a column are shuffled among the rows.

    Parameters
    ----------
    x : array or CSR matrix
        Encoded rows, (rows, features).
    where : dict of slice
        Of `places`.
    worse : callable
        Of features like x: how much worse the predictions are than those of x.
    repeats, seed : int
        Shuffles a column; what they are drawn from.

    Returns
    -------
    dict of float
        The mean of the repeats by column.
    """
    rng, drops = np.random.default_rng(seed), {}
    for name, place in where.items():
        values = [worse(replaced(x, place, x[rng.permutation(x.shape[0])][:, place])) for _ in range(repeats)]
        drops[name] = float(np.mean(values))
    return drops


def contributions(
    x: Any, background: Any, where: dict[str, slice], value: Outputs, samples: int, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shapley values of columns, by sampling.

    For each sample a background row turns into the row to be explained, column by column in a random order
    (and in the reverse one for the next sample); a column's value is the mean step of the prediction.
    Strumbelj and Kononenko, Knowledge and Information Systems 2014.

    Parameters
    ----------
    x, background : array or CSR matrix
        Encoded rows (rows, features).
    where : dict of slice
        Of `places`.
    value : callable
        Predictions of encoded rows, (rows,) or (rows, classes).
    samples, seed : int
        How many, and what they are drawn from; the same rows and orders for all rows.

    Returns
    -------
    base : numpy.ndarray
        () or (classes,).
    values : numpy.ndarray
        (rows, columns) or (rows, columns, classes).
    """
    rng, rows = np.random.default_rng(seed), x.shape[0]
    columns, order = list(where.values()), np.arange(len(where))
    base, total = 0.0, None
    for sample in range(samples):
        order = order[::-1] if sample % 2 else rng.permutation(len(columns))
        chosen = np.full(rows, rng.integers(background.shape[0]))
        mixed = background[chosen]
        before = np.asarray(value(mixed), np.float64)
        total = np.zeros((len(columns), *before.shape)) if total is None else total
        base = base + before[0] / samples
        for k in order:
            mixed = replaced(mixed, columns[k], x[:, columns[k]])
            after = np.asarray(value(mixed), np.float64)
            total[k] += (after - before) / samples
            before = after
    return np.asarray(base), np.moveaxis(np.asarray(total), 0, 1)


def predicted_value(model: Any) -> Outputs:
    """What is explained: the quantity, the probability of the second of two classes, or those of all."""

    def value(x: Any) -> NDArray[Any]:
        outputs, target = model.outputs(x), model.target_
        if not target.classes:
            return np.asarray(target.decode(outputs[:, 0]))
        shares = probabilities(outputs)
        return shares[:, 1] if len(target.classes) == 2 else shares

    return value
