"""Losses of values: squares, absolute values and what lies between, quantiles."""

from __future__ import annotations

import numpy.typing as npt

from cmlp.nn.field_checks import column, number
from cmlp.nn.fields import Field
from cmlp.nn.losses.base import Loss, Reduction


class MSELoss(Loss):
    """``(y - t)^2``, averaged over all elements.

    Parameters
    ----------
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> criterion = nn.MSELoss()
    >>> criterion([[1.0, 3.0]], [[1.0, 1.0]])
    2.0
    >>> criterion.backward().tolist()
    [[0.0, 2.0]]
    """

    _row = "mse"

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(self._row, reduction=reduction)


class L1Loss(Loss):
    """``|y - t|``, averaged over all elements; its slope where they are equal is 0.

    Parameters
    ----------
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> criterion = nn.L1Loss()
    >>> criterion([[1.0, 3.0]], [[1.0, 1.0]])
    1.0
    >>> criterion.backward().tolist()
    [[0.0, 0.5]]
    """

    _row = "l1"

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(self._row, reduction=reduction)


class SmoothL1Loss(Loss):
    """``(y - t)^2 / (2 beta)`` where ``|y - t| < beta``, else ``|y - t| - beta / 2`` (Girshick, ICCV 2015).

    Parameters
    ----------
    reduction : {"mean", "sum", "none", "batchmean"}
    beta : float, default 1
        Where the square ends, at least 0; 0 is :class:`L1Loss`.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.SmoothL1Loss(reduction="none")([[0.5, 3.0]], [[0.0, 0.0]]).tolist()
    [[0.125, 2.5]]
    """

    _row = "smooth_l1"
    beta: Field[float] = Field(number(0))

    def __init__(self, reduction: Reduction = "mean", beta: float = 1.0) -> None:
        super().__init__(self._row, reduction=reduction, beta=beta)


class HuberLoss(Loss):
    """``(y - t)^2 / 2`` where ``|y - t| <= delta``, else ``delta (|y - t| - delta / 2)`` (Huber, 1964).

    Parameters
    ----------
    reduction : {"mean", "sum", "none", "batchmean"}
    delta : float, default 1
        Where the square ends, above 0.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.HuberLoss(reduction="none", delta=2.0)([[1.0, 5.0]], [[0.0, 0.0]]).tolist()
    [[0.5, 8.0]]
    """

    _row = "huber"
    delta: Field[float] = Field(number(0))

    def __init__(self, reduction: Reduction = "mean", delta: float = 1.0) -> None:
        super().__init__(self._row, reduction=reduction, delta=delta)


class LogCoshLoss(Loss):
    """``log(cosh(y - t))``: half the square near 0, ``|y - t| - log 2`` far away; the slope is tanh.

    Parameters
    ----------
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> round(nn.LogCoshLoss()([[1000.0]], [[0.0]]), 6)
    999.306853
    """

    _row = "log_cosh"

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(self._row, reduction=reduction)


class QuantileLoss(Loss):
    """Pinball loss ``max(q (t - y), (q - 1) (t - y))`` (Koenker and Bassett, 1978).

    With several quantiles each column of targets has as many columns of predictions, side by side: for
    targets ``a, b`` and quantiles 0.1, 0.9 they are ``a10, a90, b10, b90``. The mean is over all predictions.

    Parameters
    ----------
    quantiles : float or array, default 0.5
        Each in (0, 1).
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> criterion = nn.QuantileLoss([0.25, 0.5], reduction="sum")
    >>> criterion([[1.0, 4.0]], [[3.0]])
    1.0
    >>> criterion.backward().tolist()
    [[-0.25, 0.5]]
    """

    _row = "quantile"
    quantiles: Field[npt.ArrayLike] = Field(column, core="weight")

    def __init__(self, quantiles: npt.ArrayLike = 0.5, reduction: Reduction = "mean") -> None:
        super().__init__(self._row, reduction=reduction, quantiles=quantiles)
