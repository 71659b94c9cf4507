"""The base of all losses: call one on predictions and targets, ask it for the gradient."""

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
    reduction : {"mean", "sum", "none", "batchmean"}
        ``"mean"`` divides by the sum of the weights times the values averaged over, ``"batchmean"`` by the
        sum of the weights alone: weight 2 is the row twice, 0 the row absent.
    weight : array (columns,), optional
        A number a column, for losses that take one: class weights, factors of the positive part, quantiles.
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
        column = [] if self.weight is None else [float(w) for w in np.asarray(self.weight).ravel()]
        return _core.Loss(self.name, self.settings, self.reduction, column)

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
        target : array (batch, targets), (batch,)
            What they should be; class indices are integers of shape (batch,).
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
