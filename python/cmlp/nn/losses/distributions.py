"""Losses that are negative log-likelihoods or divergences of distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp.nn.field_checks import flag, number
from cmlp.nn.fields import Field
from cmlp.nn.losses.base import Loss, Reduction


class KLDivLoss(Loss):
    """``t (log t - y)`` of log-probabilities y (Kullback and Leibler, 1951).

    Parameters
    ----------
    reduction : {"mean", "sum", "none", "batchmean"}
        ``"batchmean"`` is the divergence as defined; ``"mean"`` divides by the classes, too, as in PyTorch.
    log_target : bool, default False
        Targets are log-probabilities, too: ``exp(t) (t - y)``.

    Examples
    --------
    >>> import numpy as np
    >>> from cmlp import nn
    >>> round(nn.KLDivLoss("batchmean")(np.log([[0.5, 0.5]]), [[1.0, 0.0]]), 6)
    0.693147
    """

    _row = "kl_div"
    log_target: Field[bool] = Field(flag)

    def __init__(self, reduction: Reduction = "mean", log_target: bool = False) -> None:
        super().__init__(self._row, reduction=reduction, log_target=log_target)


class PoissonNLLLoss(Loss):
    """``exp(y) - t y`` of the log of the mean; without ``log_input`` ``y - t log(y + eps)`` of the mean.

    Parameters
    ----------
    log_input : bool, default True
    full : bool, default False
        Add Stirling's ``log t! = t log t - t + log(2 pi t) / 2`` where t > 1.
    eps : float, default 1e-8
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> criterion = nn.PoissonNLLLoss()
    >>> criterion([[0.0, 0.0]], [[3.0, 1.0]])
    1.0
    >>> criterion.backward().tolist()
    [[-1.0, 0.0]]
    """

    _row = "poisson_nll"
    log_input: Field[bool] = Field(flag)
    full: Field[bool] = Field(flag)
    eps: Field[float] = Field(number(0))

    def __init__(
        self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(self._row, reduction=reduction, log_input=log_input, full=full, eps=eps)


class GammaDevianceLoss(Loss):
    """``2 (y - log t + t exp(-y) - 1)``: the deviance of a gamma variable, y the log of its mean, t > 0.

    The mean is scikit-learn's ``mean_gamma_deviance(t, exp(y))`` (McCullagh and Nelder, 1989).

    Parameters
    ----------
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> criterion = nn.GammaDevianceLoss()
    >>> criterion([[0.0]], [[1.0]])
    0.0
    """

    _row = "gamma_deviance"

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(self._row, reduction=reduction)


class TweedieLoss(Loss):
    """Deviance of a compound Poisson-gamma variable (a sum of claims, say), y the log of its mean, t >= 0.

    ``2 (t^b / (a b) - t exp(a y) / a + exp(b y) / b)`` with a = 1 - power, b = 2 - power (Jorgensen, 1987).
    The mean is scikit-learn's ``mean_tweedie_deviance(t, exp(y), power=power)``.

    Parameters
    ----------
    power : float, default 1.5
        Between 1, where the variable is Poisson's, and 2, where it is gamma's.
    reduction : {"mean", "sum", "none", "batchmean"}

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.TweedieLoss()([[0.0]], [[0.0]])
    4.0
    """

    _row = "tweedie"
    power: Field[float] = Field(number(1, 2))

    def __init__(self, power: float = 1.5, reduction: Reduction = "mean") -> None:
        super().__init__(self._row, reduction=reduction, power=power)


class GaussianNLLLoss(Loss):
    """``(log v + (y - t)^2 / v) / 2`` of means y and variances v (Nix and Weigend, 1994).

    A network gives both: for targets (batch, k) its output has 2 k columns, k means and then k variances.

    Parameters
    ----------
    full : bool, default False
        Add ``log(2 pi) / 2``.
    eps : float, default 1e-6
        Smaller variances are taken as this; the slope by them is that at eps.
    reduction : {"mean", "sum", "none", "batchmean"}
    log_var : bool, default False
        v are logarithms of variances, which a network may give as they come; ``var`` too.

    Examples
    --------
    >>> from cmlp import nn
    >>> criterion = nn.GaussianNLLLoss()
    >>> criterion([[3.0, 1.0]], [[1.0]])
    2.0
    >>> criterion.backward().tolist()
    [[2.0, -1.5]]
    >>> criterion([[3.0]], [[1.0]], var=[[1.0]])
    2.0
    >>> criterion.backward().tolist(), criterion.backward_var().tolist()
    ([[2.0]], [[-1.5]])
    """

    _row = "gaussian_nll"
    full: Field[bool] = Field(flag)
    eps: Field[float] = Field(number(0))
    log_var: Field[bool] = Field(flag)

    def __init__(
        self, *, full: bool = False, eps: float = 1e-6, reduction: Reduction = "mean", log_var: bool = False
    ) -> None:
        super().__init__(self._row, reduction=reduction, full=full, eps=eps, log_var=log_var)
        self._means: int | None = None

    def __call__(  # type: ignore[override]
        self,
        y: npt.ArrayLike,
        target: npt.ArrayLike,
        var: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Any:
        """Return the value, and keep the gradient for :meth:`backward` and :meth:`backward_var`.

        Parameters
        ----------
        y : array (batch, k), or (batch, 2 k) without ``var``
        target : array (batch, k)
        var : array (batch, k), (batch, 1) or (batch,), or float, optional
            Variances, not negative; without them the second half of y's columns.
        sample_weight : array (batch,), optional
        """
        if var is None:
            self._means = None
            return super().__call__(y, target, sample_weight)
        means, variances = np.asarray(y), np.asarray(var)
        if means.dtype != np.float32:
            means = means.astype(np.float64)
        if not self.settings["log_var"] and (variances < 0).any():
            raise ValueError("GaussianNLLLoss: var has negative entries")
        spread = np.broadcast_to(variances[:, None] if variances.ndim == 1 else variances, means.shape)
        value = super().__call__(np.hstack([means, spread.astype(means.dtype)]), target, sample_weight)
        self._means = means.shape[1]
        return value

    def backward(self) -> npt.NDArray[Any]:
        """Return the gradient by the predictions: (batch, k) after a call with ``var``, else (batch, 2 k)."""
        return super().backward()[:, : self._means]

    def backward_var(self) -> npt.NDArray[Any]:
        """Return the gradient by the variances, (batch, k), before they are joined in a row or column."""
        gradient = super().backward()
        return gradient[:, gradient.shape[1] // 2 :]
