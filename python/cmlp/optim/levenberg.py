"""Levenberg-Marquardt: least squares of small networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cmlp import _core
from cmlp.nn.field_checks import any_number
from cmlp.nn.parameter import Parameter
from cmlp.optim.full_batch import FullBatch


class LevenbergMarquardt(FullBatch):
    """``w -= (J^T J + damping I)^-1 J^T e``, e the errors of all rows and outputs and J their Jacobian by w.

    Marquardt, Journal of SIAM 11(2), 1963; with the rule of Hagan and Menhaj, IEEE Transactions on Neural
    Networks 5(6), 1994: the damping is divided by ``factor`` after a step that makes the loss smaller;
    otherwise it is multiplied by ``factor`` and the step is tried again.

    It works in ``net.fit`` alone. An epoch is one such step over all rows. It takes the loss
    :class:`cmlp.nn.MSELoss`, at most 2000 parameters (an epoch's time grows with rows times outputs times
    their square, and with their cube), and no layers whose output depends on chance or on other rows
    (dropout, batch norms). Rows with a sample weight count by it in J and e. The fit stops as ``converged``
    when the gradient is small or no damping up to ``max_damping`` leads downhill.

    Parameters
    ----------
    params : iterable of Parameter
    damping : float, default 1e-3
        At first; relative to the sum of squares over rows, not to their mean.
    factor : float, default 10
    max_damping : float, default 1e10
    tolerance_grad : float, default 1e-10
        Largest gradient of the loss that counts as a minimum.

    Raises
    ------
    ValueError
        For no parameters, too many, or parameters of two dtypes; in ``fit`` for settings out of range,
        another loss, or layers it cannot train.

    Examples
    --------
    >>> import numpy as np
    >>> from cmlp import nn, optim
    >>> x = np.linspace(-2, 2, 40).reshape(-1, 1)
    >>> net = nn.Sequential(nn.Linear(1, 6), nn.Tanh(), nn.Linear(6, 1), dtype="float64", seed=0)
    >>> rule = optim.LevenbergMarquardt(net.parameters())
    >>> history = net.fit(x, np.sin(x), loss="mse", optimizer=rule, epochs=50)
    >>> history.history["loss"][-1] < 1e-3
    True
    """

    name = "levenberg_marquardt"
    _rules = (_core.LevenbergMarquardt32, _core.LevenbergMarquardt64)

    def __init__(
        self,
        params: Iterable[Parameter],
        damping: float = 1e-3,
        factor: float = 10.0,
        max_damping: float = 1e10,
        tolerance_grad: float = 1e-10,
    ) -> None:
        settings = {"factor": factor, "max_damping": max_damping, "tolerance_grad": tolerance_grad}
        super().__init__(params, settings)
        self.damping = damping

    @property
    def damping(self) -> float:
        """The present value; a fit continues from here."""
        return float(self._core.damping)

    @damping.setter
    def damping(self, value: float) -> None:
        self._core.damping = any_number("LevenbergMarquardt: damping", value)

    def _state(self) -> Any:
        return {"damping": self._made.damping}

    def _set_state(self, state: Any) -> None:
        self._made.damping = state["damping"]

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, damping={self.damping!r})"
