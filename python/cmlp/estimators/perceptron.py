"""The perceptron as scikit-learn's tools take it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

import cmlp
from cmlp.estimators._sklearn_compat import BaseEstimator, ClassifierMixin


class Perceptron(ClassifierMixin, BaseEstimator, cmlp.Perceptron):
    """:class:`cmlp.Perceptron` as a scikit-learn estimator: for pipelines, searches, ``clone``.

    Parameters, rules and attributes are the same; parameters are checked by ``fit``.

    Parameters
    ----------
    rule, learning_rate, epochs, shuffle, seed, tolerance, keep_path
        As there.

    Examples
    --------
    >>> from cmlp.estimators import Perceptron
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> Perceptron("pocket", shuffle=True).fit(X, y == 0).score(X, y == 0)
    1.0
    """

    def __init__(
        self,
        rule: str = "rosenblatt",
        *,
        learning_rate: float | None = None,
        epochs: int = 100,
        shuffle: bool = False,
        seed: int = 0,
        tolerance: float = 1e-6,
        keep_path: Any = False,
    ) -> None:
        self.rule = rule
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.shuffle = shuffle
        self.seed = seed
        self.tolerance = tolerance
        self.keep_path = keep_path

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from zero weights; what was learned before is forgotten."""
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        return super().fit(X, y)

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:
        """Return ``w.x + b`` of each row: (rows,) for two classes, else (rows, classes)."""
        check_is_fitted(self)
        return super().decision_function(validate_data(self, X, reset=False))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of the rows (weighted) whose class is predicted as y has it."""
        return float(ClassifierMixin.score(self, X, y, sample_weight))

    __repr__ = BaseEstimator.__repr__
