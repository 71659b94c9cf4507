"""Losses of yes or no: on probabilities, on log-odds, on signed scores."""

from __future__ import annotations

import numpy.typing as npt

from cmlp.nn.field_checks import column, number, optional
from cmlp.nn.fields import Field
from cmlp.nn.losses.base import Loss, Reduction


class BCELoss(Loss):
    """``-(t log y + (1 - t) log(1 - y))`` of probabilities y; each logarithm is held at -100, as in PyTorch.

    Parameters
    ----------
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> round(nn.BCELoss()([[0.5]], [[1.0]]), 6)
    0.693147
    """

    _row = "bce"

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(self._row, reduction=reduction)


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of log-odds y, without the overflow of ``exp``.

    ``pos_weight t softplus(-y) + (1 - t) softplus(y)``

    Parameters
    ----------
    reduction : {"mean", "sum", "none", "batchmean"}
    pos_weight : float or array (out,), optional
        Factor of the positive part, for all columns or for each; the mean does not divide by it.

    Examples
    --------
    >>> from cmlp import nn
    >>> criterion = nn.BCEWithLogitsLoss()
    >>> criterion([[700.0]], [[0.0]])
    700.0
    >>> criterion.backward().tolist()
    [[1.0]]
    >>> nn.BCEWithLogitsLoss(pos_weight=3.0)([[-700.0]], [[1.0]])
    2100.0
    """

    _row = "bce_with_logits"
    pos_weight: Field[npt.ArrayLike | None] = Field(optional(column), core="weight", quiet=True)

    def __init__(self, reduction: Reduction = "mean", pos_weight: npt.ArrayLike | None = None) -> None:
        super().__init__(self._row, reduction=reduction, pos_weight=pos_weight)


class BinaryFocalLoss(Loss):
    """Focal loss of log-odds y: ``a (1 - p)^gamma (-log p)``, p the probability of t (Lin et al., ICCV 2017).

    a is alpha where t = 1 and 1 - alpha where t = 0. For t between, ``-log p`` is the binary cross-entropy,
    and p and a are mixed in proportion, as in torchvision's ``sigmoid_focal_loss``.

    Parameters
    ----------
    alpha : float or None, default 0.25
        None: a = 1.
    gamma : float, default 2
        At least 0; 0 is binary cross-entropy.
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.BinaryFocalLoss()([[1e30]], [[1.0]])
    0.0
    >>> nn.BinaryFocalLoss()([[-800.0]], [[1.0]])
    200.0
    """

    _row = "binary_focal"
    alpha: Field[float | None] = Field(
        optional(number(0, 1)), to_core=lambda alpha: -1.0 if alpha is None else alpha
    )
    gamma: Field[float] = Field(number(0))

    def __init__(self, alpha: float | None = 0.25, gamma: float = 2.0, reduction: Reduction = "mean") -> None:
        super().__init__(self._row, reduction=reduction, alpha=alpha, gamma=gamma)


class SoftMarginLoss(Loss):
    """``log(1 + exp(-t y))`` for targets -1 and 1, without the overflow of ``exp``.

    Parameters
    ----------
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.SoftMarginLoss()([[-1000.0]], [[1.0]])
    1000.0
    """

    _row = "soft_margin"

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(self._row, reduction=reduction)


class HingeLoss(Loss):
    """``max(0, 1 - t y)`` for targets -1 and 1 (Cortes and Vapnik, 1995); the slope at the corner is 0.

    Parameters
    ----------
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.HingeLoss(reduction="none")([[0.5, 2.0, 0.5]], [[1.0, 1.0, -1.0]]).tolist()
    [[0.5, 0.0, 1.5]]
    """

    _row = "hinge"

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(self._row, reduction=reduction)


class SquaredHingeLoss(Loss):
    """``max(0, 1 - t y)^2`` for targets -1 and 1.

    Parameters
    ----------
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.SquaredHingeLoss(reduction="none")([[0.5, 2.0, 0.5]], [[1.0, 1.0, -1.0]]).tolist()
    [[0.25, 0.0, 2.25]]
    """

    _row = "squared_hinge"

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(self._row, reduction=reduction)
