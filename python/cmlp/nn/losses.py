"""Losses: call one on predictions and targets, ask it for the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp import _core


class Loss:
    """A loss by the name of its row; base of all loss classes.

    Parameters
    ----------
    name : str
        One of :func:`cmlp.losses`.
    reduction : {"mean", "sum", "none"}
        ``"mean"`` divides by the sum of the weights: weight 2 is the row twice, 0 the row absent.
    weight : array (classes,), optional
        Class weights, for losses over classes.
    **settings : float
        The loss's own parameters.

    Raises
    ------
    ValueError
        For an unknown name, reduction or parameter; the message lists the valid ones.
    """

    def __init__(
        self, name: str, *, reduction: str = "mean", weight: npt.ArrayLike | None = None, **settings: float
    ) -> None:
        self.name = name
        self.reduction = reduction
        self.weight = weight
        self.settings = settings
        self._core: Any = self._make_core()

    def _make_core(self) -> Any:
        class_weight = [] if self.weight is None else [float(w) for w in np.asarray(self.weight).ravel()]
        return _core.Loss(self.name, self.settings, self.reduction, class_weight)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_core"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._core = self._make_core()

    def __call__(
        self, y: npt.ArrayLike, target: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> float | npt.NDArray[Any]:
        """Return the value, and keep the gradient for :meth:`backward`.

        Parameters
        ----------
        y : array (batch, out)
            Predictions; float32 is computed in float32, anything else in float64.
        target : array (batch, out), (batch,)
            What they should be; class indices are whole numbers of shape (batch,).
        sample_weight : array (batch,), optional

        Returns
        -------
        float, or ndarray for reduction ``"none"``

        Raises
        ------
        ValueError
            When shapes differ or a label is out of range, naming its position.
        """
        value: float | npt.NDArray[Any] = self._core(y, target, sample_weight)
        return value

    def backward(self) -> npt.NDArray[Any]:
        """Return the gradient by the predictions of the last value (``"none"``: of the sum), (batch, out)."""
        gradient: npt.NDArray[Any] = self._core.backward()
        return gradient

    def __repr__(self) -> str:
        settings = "".join(f", {key}={value}" for key, value in self._core.settings.items())
        return f"{type(self).__name__}(reduction={self.reduction!r}{settings})"


class MSELoss(Loss):
    """``(y - t)^2``, averaged over all elements.

    Examples
    --------
    >>> from cmlp import nn
    >>> criterion = nn.MSELoss()
    >>> criterion([[1.0, 3.0]], [[1.0, 1.0]])
    2.0
    >>> criterion.backward().tolist()
    [[0.0, 2.0]]
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__("mse", reduction=reduction)


class BCELoss(Loss):
    """``-(t log y + (1 - t) log(1 - y))`` of probabilities y; each logarithm is held at -100, as in PyTorch.

    Examples
    --------
    >>> from cmlp import nn
    >>> round(nn.BCELoss()([[0.5]], [[1.0]]), 6)
    0.693147
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__("bce", reduction=reduction)


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of log-odds y: ``softplus(y) - t y``, accurate at any magnitude.

    Examples
    --------
    >>> from cmlp import nn
    >>> criterion = nn.BCEWithLogitsLoss()
    >>> criterion([[700.0]], [[0.0]])
    700.0
    >>> criterion.backward().tolist()
    [[1.0]]
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__("bce_with_logits", reduction=reduction)


class CrossEntropyLoss(Loss):
    """``log(sum_j exp(y_j)) - sum_j t_j y_j`` over each row; y are unnormalised log-probabilities.

    Parameters
    ----------
    weight : array (classes,), optional
        With class indices the mean divides by the sum of the rows' class weights, as in PyTorch.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float, default 0
        Share of each target spread evenly over the classes (Szegedy et al., CVPR 2016).

    Examples
    --------
    >>> from cmlp import nn
    >>> criterion = nn.CrossEntropyLoss()
    >>> round(criterion([[0.0, 0.0]], [1]), 6)
    0.693147
    >>> criterion.backward().tolist()
    [[0.5, -0.5]]
    """

    def __init__(
        self, weight: npt.ArrayLike | None = None, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__("cross_entropy", reduction=reduction, weight=weight, label_smoothing=label_smoothing)
