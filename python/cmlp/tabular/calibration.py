"""Probabilities that are true to their word: the temperature of a softmax, from rows that were held out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# The limits of the logarithm of the factor, and how exactly it is found.
RANGE, STEPS = (-3.0, 2.0), 40


def temperature(logits: NDArray[Any], codes: NDArray[np.int64], weight: NDArray[np.float64] | None) -> float:
    """Find the factor of the logits with the least log loss.

    Guo, Pleiss, Sun and Weinberger, ICML 2017. The loss is convex in the factor; golden-section search.

    Parameters
    ----------
    logits : numpy.ndarray
        Of held-out rows, (rows, classes).
    codes : numpy.ndarray
        Their classes, (rows,).
    weight : numpy.ndarray or None
        (rows,).

    Returns
    -------
    float
        1 / temperature, positive.

    Examples
    --------
    >>> import numpy as np
    >>> from cmlp.tabular.calibration import temperature
    >>> logits, codes = np.tile([[2.0, 0.0]], (4, 1)), np.array([0, 0, 0, 1])
    >>> bool(abs(temperature(logits, codes, None) - np.log(3) / 2) < 1e-4)
    True
    """
    ratio = (np.sqrt(5) - 1) / 2
    low, high = RANGE
    for _ in range(STEPS):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if log_loss(logits * np.exp(left), codes, weight) < log_loss(logits * np.exp(right), codes, weight):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def log_loss(logits: NDArray[Any], codes: NDArray[np.int64], weight: NDArray[np.float64] | None) -> float:
    """Mean of -log of the probability of the true class."""
    top = logits.max(axis=1, keepdims=True)
    spread = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0] - logits[np.arange(len(codes)), codes]
    return float(np.average(spread, weights=weight))
