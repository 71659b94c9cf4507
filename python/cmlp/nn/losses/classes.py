"""Losses over classes: targets are class indices (batch,) or a share of each class (batch, classes)."""

from __future__ import annotations

import numpy.typing as npt

from cmlp.nn.field_checks import any_number, column, integer, number, one_of, optional
from cmlp.nn.fields import Field
from cmlp.nn.losses.base import Loss, Reduction


class CrossEntropyLoss(Loss):
    """``log(sum_j exp(y_j)) - sum_j t_j y_j`` over each row; y are unnormalised log-probabilities.

    Parameters
    ----------
    weight : array (classes,), optional
        With class indices the mean divides by the sum of the rows' class weights, as in PyTorch.
    reduction : {"mean", "sum", "none", "batchmean"}
    label_smoothing : float, default 0
        Share of each target spread evenly over the classes (Szegedy et al., CVPR 2016).
    ignore_index : int, default -100
        Rows with this class index count as absent; when all do, the mean is 0.

    Examples
    --------
    >>> from cmlp import nn
    >>> criterion = nn.CrossEntropyLoss()
    >>> round(criterion([[0.0, 0.0]], [1]), 6)
    0.693147
    >>> criterion.backward().tolist()
    [[0.5, -0.5]]
    >>> criterion([[0.0, 0.0], [0.0, 9.0]], [1, -100]) == criterion([[0.0, 0.0]], [1])
    True
    """

    _row = "cross_entropy"
    weight: Field[npt.ArrayLike | None] = Field(optional(column), quiet=True)
    label_smoothing: Field[float] = Field(number(0, 1))
    ignore_index: Field[int] = Field(integer, quiet=True)

    def __init__(
        self,
        weight: npt.ArrayLike | None = None,
        reduction: Reduction = "mean",
        label_smoothing: float = 0.0,
        *,
        ignore_index: int = -100,
    ) -> None:
        settings = {"label_smoothing": label_smoothing, "ignore_index": ignore_index}
        super().__init__(self._row, reduction=reduction, weight=weight, **settings)


class NLLLoss(Loss):
    """``-sum_j t_j y_j`` over each row; y are log-probabilities, as ``LogSoftmax`` gives them.

    Parameters
    ----------
    weight : array (classes,), optional
        With class indices the mean divides by the sum of the rows' class weights, as in PyTorch.
    ignore_index : int, default -100
        Rows with this class index count as absent; when all do, the mean is 0.
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> criterion = nn.NLLLoss()
    >>> criterion([[-0.5, -1.0], [-2.0, -0.25]], [0, 1])
    0.375
    >>> criterion.backward().tolist()
    [[-0.5, -0.0], [-0.0, -0.5]]
    """

    _row = "nll"
    weight: Field[npt.ArrayLike | None] = Field(optional(column), quiet=True)
    ignore_index: Field[int] = Field(integer, quiet=True)

    def __init__(
        self, weight: npt.ArrayLike | None = None, *, ignore_index: int = -100, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(self._row, reduction=reduction, weight=weight, ignore_index=ignore_index)


class FocalLoss(Loss):
    """``alpha_t (1 - p_t)^gamma (-log p_t)`` over each row, p = softmax(y) (Lin et al., ICCV 2017).

    Parameters
    ----------
    alpha : array (classes,), optional
        A factor for each class; the mean does not divide by it.
    gamma : float, default 2
        At least 0; 0 is cross-entropy.
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> round(nn.FocalLoss()([[0.0, 0.0]], [1]), 6)
    0.173287
    """

    _row = "focal"
    alpha: Field[npt.ArrayLike | None] = Field(optional(column), core="weight", quiet=True)
    gamma: Field[float] = Field(number(0))

    def __init__(
        self, alpha: npt.ArrayLike | None = None, gamma: float = 2.0, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(self._row, reduction=reduction, alpha=alpha, gamma=gamma)


class MultiMarginLoss(Loss):
    """``sum_(j != t) max(0, margin - y_t + y_j)^p / classes`` over each row (Crammer and Singer, 2001).

    Parameters
    ----------
    p : {1, 2}
    margin : float, default 1
    weight : array (classes,), optional
        A factor for each class of the target; the mean does not divide by it, as in PyTorch.
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.MultiMarginLoss()([[1.0, 0.5, 3.0, -4.0]], [0])
    0.875
    """

    _row = "multi_margin"
    p: Field[int] = Field(one_of(1, 2))
    margin: Field[float] = Field(any_number)
    weight: Field[npt.ArrayLike | None] = Field(optional(column), quiet=True)

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: npt.ArrayLike | None = None,
        *,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(self._row, reduction=reduction, weight=weight, p=p, margin=margin)
