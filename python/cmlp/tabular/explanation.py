"""Why a model predicts what it does: importances of columns, and what each adds to a row's prediction."""

from collections.abc import Callable
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from cmlp.tabular.columns.categories import dense
from cmlp.tabular.errors import TableError
from cmlp.tabular.fitting import Rows
from cmlp.tabular.results import main_loss
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
        Of the encoder's `places_`.
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
        Of the encoder's `places_`.
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


class ExplainedModel:
    """What a `TabularModel` says of its columns."""

    @property
    def feature_importances_(self: Any) -> NDArray[np.float64]:
        """How much worse held-out rows are predicted when a column is shuffled, as shares, (columns,).

        By permutation, in the log loss or the RMSE; 0 for columns that are left out or do not help.
        Computed at first use; a loaded model has no held-out rows, `cmlp explain` measures on others.
        """
        rows = self._of_fit("_held_out", "feature_importances_")
        if self._importances is None:
            found = permutation_drops(rows.x, self.encoder_.places_, self._worse(rows))
            drops = np.array([max(found.get(str(name), 0.0), 0.0) for name in self.feature_names_in_])
            self._importances = drops / (drops.sum() or 1.0)
        return np.asarray(self._importances)

    def _worse(self: Any, rows: Rows) -> Any:
        value: Any = lambda x: main_loss(self.target_, rows.y, self.outputs(x), rows.weight)  # noqa: E731
        before = value(rows.x)
        return lambda x: value(x) - before

    def explain(self: Any, X: Any, background: Any = None, samples: Any = 16) -> Explanation:
        """Say what each column adds to the prediction of each row: Shapley values, by sampling.

        Parameters
        ----------
        X : table-like
            Rows as for `predict`.
        background : table-like, optional
            Rows that predictions are compared with; by default the rows of X.
        samples : int, default 16
            Background rows and orders of the columns that are tried.

        Returns
        -------
        Explanation
            The columns, the mean prediction of the background, and what each column adds: in the target's
            unit, or to the probability of the second class; of more classes to that of each.

        Examples
        --------
        >>> from cmlp.tabular import TabularRegressor
        >>> table = {"width": [float(k % 10) for k in range(100)], "colour": ["red", "blue"] * 50}
        >>> model = TabularRegressor("fast", epochs=40).fit(table, [3.0 * (k % 10) for k in range(100)])
        >>> found = model.explain({"width": [9.0, 0.0], "colour": ["red", "red"]}, background=table)
        >>> found.columns, bool(found.values[0, 0] > 5), bool(abs(found.values[0, 1]) < 3)
        (['width', 'colour'], True, True)
        """
        if not isinstance(samples, Integral) or int(samples) < 1:
            raise TableError(f"explain: samples is {samples!r}, it must be at least 1 and an integer")
        x = self._encoded(X)
        other = x if background is None else self._encoded(background)
        if not x.shape[0] or not other.shape[0]:
            raise TableError("explain: the table has no rows")
        where = self.encoder_.places_
        base, values = contributions(x, other, where, predicted_value(self), int(samples))
        return Explanation(list(where), base, values)
