"""L-BFGS: a quasi-Newton method for full batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

from cmlp import _core
from cmlp.nn.parameter import Parameter
from cmlp.optim.full_batch import FullBatch


class LBFGS(FullBatch):
    """``w -= lr * H g``, H the inverse Hessian as the last ``history_size`` changes of w and g show it.

    Limited-memory BFGS: Liu and Nocedal, Mathematical Programming 45, 1989. ``step(closure)`` is PyTorch's.
    In ``net.fit`` an epoch is one such step over all rows at once, natively: up to ``max_iter`` iterations,
    each of them one pass over the rows or more (``batch_size`` must not be less than the rows, and dropout
    masks stay the same for an epoch). The recorded loss is that before the step; the fit stops as
    ``converged`` when a step no longer moves, by ``tolerance_grad`` or ``tolerance_change``; a time limit
    counts between iterations. ``fit(optimizer="lbfgs")`` means ``line_search_fn="strong_wolfe"``.

    The numbers of the rule are in float64, whatever the parameters' dtype. There is one group of parameters.

    Parameters
    ----------
    params : iterable of Parameter
    lr : float, default 1
    max_iter : int, default 20
        Iterations in a step.
    max_eval : int, default max_iter * 5 // 4
        Evaluations after which a step ends.
    tolerance_grad : float, default 1e-7
        Largest gradient that counts as a minimum.
    tolerance_change : float, default 1e-9
        Least change of the loss and of the parameters; smaller ones end a step.
    history_size : int, default 100
        Steps that are remembered.
    line_search_fn : {None, "strong_wolfe"}

    Raises
    ------
    ValueError
        For no parameters, parameters of two dtypes, another line search.

    Examples
    --------
    >>> import numpy as np
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> optimizer = optim.LBFGS(layer.parameters(), line_search_fn="strong_wolfe")
    >>> x, y, criterion = np.ones((1, 1)), np.full((1, 1), 3.0), nn.MSELoss()
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = criterion(layer(x), y)
    ...     layer.backward(criterion.backward())
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> layer.weight.data.round(4).tolist()
    [[3.0]]
    """

    name = "lbfgs"
    _rules = (_core.LBFGS32, _core.LBFGS64)

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: Literal["strong_wolfe"] | None = None,
    ) -> None:
        _check_line_search(line_search_fn)
        settings = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, settings)

    def _state(self) -> Any:
        return self._made.state()

    def _set_state(self, state: Any) -> None:
        self._made.set_state(state)

    def _core_settings(self) -> dict[str, Any]:
        settings = self._settings()
        settings["strong_wolfe"] = _check_line_search(settings.pop("line_search_fn"))
        return settings

    def step(self, closure: Callable[[], float]) -> float:
        """Take at most ``max_iter`` iterations.

        Parameters
        ----------
        closure : callable
            Sets the gradients to zero, evaluates the network forward and back, and returns the loss.

        Returns
        -------
        float
            The loss before.
        """
        return float(self._core.step(closure))


def _check_line_search(name: str | None) -> bool:
    """Return whether there is a line search; raise ValueError for one that there is not."""
    if name not in (None, "strong_wolfe"):
        raise ValueError(f"LBFGS: line_search_fn is {name!r}; choose from None, 'strong_wolfe'")
    return name is not None
