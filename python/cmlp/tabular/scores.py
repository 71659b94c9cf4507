"""How good a model is, beside a prediction that needs no model."""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmlp import nn

Scores = dict[str, float]
Weight = NDArray[np.float64] | None

HIGHER_IS_BETTER = {"accuracy", "balanced accuracy", "AUC", "average precision", "F1", "R2"}
CLASSIFICATION = ("accuracy", "balanced accuracy", "log loss", "AUC", "average precision", "F1")
REGRESSION = ("RMSE", "MAE", "R2")


def probabilities(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Softmax of a network's outputs, (rows, classes), in float64."""
    return _softmax().predict(logits)


@functools.cache
def _softmax() -> nn.Sequential:
    return nn.Sequential(nn.Softmax(), dtype="float64")


def rarest(codes: NDArray[np.int64]) -> int:
    """Which of two classes is the rarer one."""
    return int(np.bincount(codes, minlength=2)[:2].argmin())


def classification_scores(
    codes: NDArray[np.int64],
    shares: NDArray[np.float64],
    *,
    predicted: NDArray[np.int64] | None = None,
    positive: int = 1,
    weight: Weight = None,
) -> Scores:
    """Score class probabilities.

    Parameters
    ----------
    codes : numpy.ndarray
        The true classes, (rows,).
    shares : numpy.ndarray
        Probabilities (rows, classes).
    predicted : numpy.ndarray, optional
        The predicted classes (rows,), by default the most probable ones.
    positive : int
        Of two classes, the one of F1 and average precision.
    weight : numpy.ndarray, optional
        Of each row.

    Returns
    -------
    dict
        ``accuracy`` and ``log loss`` (nats); ``balanced accuracy``, and of two classes that both occur
        ``AUC``, ``average precision`` and ``F1``.
    """
    from sklearn import metrics

    predicted = shares.argmax(axis=1) if predicted is None else predicted
    given = np.maximum(shares[np.arange(len(codes)), codes], np.finfo(np.float64).tiny)
    scores = {
        "accuracy": float(np.average(predicted == codes, weights=weight)),
        "log loss": float(-np.average(np.log(given), weights=weight)),
    }
    present = np.unique(codes)
    hits = [np.average(predicted[codes == k] == k) for k in present]
    scores["balanced accuracy"] = float(np.mean(hits))
    if shares.shape[1] == 2 and len(present) == 2:
        true, p = codes == positive, shares[:, positive]
        scores["AUC"] = float(metrics.roc_auc_score(true, p, sample_weight=weight))
        scores["average precision"] = float(metrics.average_precision_score(true, p, sample_weight=weight))
        scores["F1"] = float(
            metrics.f1_score(true, predicted == positive, sample_weight=weight, zero_division=0.0)
        )
    return scores


def regression_scores(
    true: NDArray[np.float64], predicted: NDArray[np.float64], weight: Weight = None
) -> Scores:
    """Score predicted quantities.

    Parameters
    ----------
    true, predicted : numpy.ndarray
        (rows,), in the target's own unit.
    weight : numpy.ndarray, optional
        Of each row.

    Returns
    -------
    dict
        ``RMSE`` and ``MAE`` in the target's unit, and ``R2``: the share of the variance explained,
        1 at best, 0 for the mean of the very rows that are scored (left out when they are all the same).
    """
    unit = _unit(np.concatenate([true, predicted]))
    true = true / unit
    error = predicted / unit - true
    square = float(np.average(error**2, weights=weight))
    scores = {
        "RMSE": float(np.sqrt(square)) * unit,
        "MAE": float(np.average(np.abs(error), weights=weight)) * unit,
    }
    spread = float(np.average((true - np.average(true, weights=weight)) ** 2, weights=weight))
    return {**scores, "R2": 1.0 - square / spread} if spread > 0 else scores


def _unit(values: NDArray[np.float64]) -> float:
    """1, or the largest of values whose squares float64 cannot hold."""
    peak = float(np.abs(values).max(initial=0.0))
    return 1.0 if 1e-150 < peak < 1e150 or peak == 0 else peak


def class_shares(train_codes: NDArray[np.int64], classes: int, rows: int) -> NDArray[np.float64]:
    """The trivial classifier: each class with its share of the training rows, (rows, classes)."""
    shares = np.bincount(train_codes, minlength=classes) / len(train_codes)
    return np.tile(shares, (rows, 1))


def best_threshold(
    codes: NDArray[np.int64], shares: NDArray[np.float64], positive: int, metric: str
) -> float:
    """The probability of class 1 from which on predicting it gives the best score on some rows.

    Parameters
    ----------
    codes, shares : numpy.ndarray
        The true classes (rows,) and probabilities (rows, 2).
    positive : int
        The class of F1.
    metric : str
        ``accuracy``, ``balanced accuracy`` or ``F1``.

    Returns
    -------
    float
        Halfway between two probabilities of the rows.
    """
    order = np.argsort(-shares[:, 1], kind="stable")
    p, is_one = shares[order, 1], codes[order] == 1
    # Cutting after k rows predicts class 1 for the first k.
    ones = np.concatenate([[0], np.cumsum(is_one)]).astype(float)
    zeros = np.arange(len(p) + 1) - ones
    total_one, total_zero = ones[-1], zeros[-1]
    hit_one, hit_zero = ones, total_zero - zeros
    with np.errstate(invalid="ignore", divide="ignore"):
        if metric == "accuracy":
            value = hit_one + hit_zero
        elif metric == "balanced accuracy":
            value = hit_one / total_one + hit_zero / total_zero
        else:
            hit, others, total = (
                (hit_one, zeros, total_one) if positive == 1 else (hit_zero, total_one - ones, total_zero)
            )
            value = 2 * hit / (hit + others + total)
    edges = np.concatenate([[True], p[1:] != p[:-1], [True]])  # equal probabilities stay on one side
    k = int(np.argmax(np.where(edges, np.nan_to_num(value), -1.0)))
    above, below = (1.0 if k == 0 else p[k - 1]), (0.0 if k == len(p) else p[k])
    return float(min(max((above + below) / 2, 0.0), 1.0))


def beats(model: Scores, baseline: Scores, name: str = "") -> bool:
    """Whether a score of the model (the first, by default) is better than the baseline's."""
    name = name or next(iter(model))
    gain = model[name] - baseline[name]
    return gain > 0 if name in HIGHER_IS_BETTER else gain < 0


def confusion_counts(codes: NDArray[np.int64], predicted: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """Count (classes, classes): row is the true class, column the predicted one."""
    return np.bincount(codes * classes + predicted, minlength=classes**2).reshape(classes, classes)
