"""How good a model is, next to an answer that needs no model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from cmlp import nn
from cmlp.cli.ui import make_table

Scores = dict[str, float]

HIGHER_IS_BETTER = {"accuracy", "R2"}


def classification_scores(codes: NDArray[np.int64], probabilities: NDArray[np.float64]) -> Scores:
    """Score class probabilities.

    Parameters
    ----------
    codes : numpy.ndarray
        The true classes, (rows,).
    probabilities : numpy.ndarray
        (rows, classes).

    Returns
    -------
    dict
        ``accuracy`` and ``log loss`` (nats).
    """
    given = np.maximum(probabilities[np.arange(len(codes)), codes], np.finfo(np.float64).tiny)
    right = probabilities.argmax(axis=1) == codes
    return {"accuracy": float(right.mean()), "log loss": float(-np.log(given).mean())}


def regression_scores(true: NDArray[np.float64], predicted: NDArray[np.float64]) -> Scores:
    """Score predicted quantities.

    Parameters
    ----------
    true, predicted : numpy.ndarray
        (rows,), in the target's own unit.

    Returns
    -------
    dict
        ``RMSE`` and ``MAE`` in the target's unit, and ``R2``: the share of the variance explained,
        1 at best, 0 for the mean of the very rows that are scored (left out when they are all the same).
    """
    error = predicted - true
    scores = {"RMSE": float(np.sqrt(np.mean(error**2))), "MAE": float(np.abs(error).mean())}
    spread = float(np.mean((true - true.mean()) ** 2))
    return {**scores, "R2": 1.0 - float(np.mean(error**2)) / spread} if spread > 0 else scores


def probabilities(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Softmax of a network's outputs, (rows, classes), in float64."""
    return nn.Sequential(nn.Softmax(), dtype="float64").predict(logits)


def class_shares(train_codes: NDArray[np.int64], classes: int, rows: int) -> NDArray[np.float64]:
    """The trivial classifier: each class with its share of the training rows, (rows, classes)."""
    shares = np.bincount(train_codes, minlength=classes) / len(train_codes)
    return np.tile(shares, (rows, 1))


def score_table(title: str, model: Scores, baseline: Scores, baseline_name: str) -> Table:
    """Lay out a model's scores beside those of the trivial answer.

    Parameters
    ----------
    title : str
        What the scores were taken on.
    model, baseline : dict
        The scores, by the same names.
    baseline_name : str
        The trivial answer, in words.

    Returns
    -------
    rich.table.Table
        One row a score.
    """
    rows = [(name, show(name, model[name]), show(name, baseline[name])) for name in model]
    return make_table(title, ["", "model", baseline_name], rows, "lrr")


def show(name: str, value: float) -> str:
    """Write a score as people read it."""
    return f"{value:.2%}" if name == "accuracy" else f"{value:.5g}"


def beats(model: Scores, baseline: Scores) -> bool:
    """Whether the model's first score is better than the baseline's."""
    name = next(iter(model))
    gain = model[name] - baseline[name]
    return gain > 0 if name in HIGHER_IS_BETTER else gain < 0


def confusion_counts(codes: NDArray[np.int64], predicted: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """Count (classes, classes): row is the true class, column the predicted one."""
    return np.bincount(codes * classes + predicted, minlength=classes**2).reshape(classes, classes)
