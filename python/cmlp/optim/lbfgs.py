"""L-BFGS: a quasi-Newton method for full batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from cmlp import _core
from cmlp.nn.module import Parameter


class LBFGS:
    """``w -= lr * H g``, H the inverse Hessian as the last ``history_size`` changes of w and g show it.

    Limited-memory BFGS: Liu and Nocedal, Mathematical Programming 45, 1989.

    Each step evaluates the closure several times on the same data; ``fit`` has no place for it. Its numbers
    are in float64, whatever the parameters' dtype. There is one group of parameters.

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
        Least change of the loss and of the parameters to go on for.
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

    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        parameters = list(params)
        if any(not isinstance(parameter, Parameter) for parameter in parameters):
            raise ValueError("LBFGS: it takes parameters, not groups of them")
        kinds = {type(parameter._core) for parameter in parameters}
        if len(kinds) != 1:
            raise ValueError(
                f"LBFGS: {'parameters have different dtypes' if kinds else 'there are no parameters'}"
            )
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(f"LBFGS: line_search_fn is {line_search_fn!r}; choose from None, 'strong_wolfe'")
        make: Any = _core.LBFGS32 if kinds == {_core.Network32} else _core.LBFGS64
        self._rule = make([(parameter._core, parameter._index) for parameter in parameters])
        self.param_groups: list[dict[str, Any]] = [
            {
                "params": parameters,
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            }
        ]

    @property
    def _core(self) -> NoReturn:
        raise ValueError("LBFGS: it needs a closure; call step(closure) in a loop of your own")

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
        group = {key: value for key, value in self.param_groups[0].items() if key != "params"}
        search = group.pop("line_search_fn")
        return float(self._rule.step(closure, **group, strong_wolfe=search is not None))

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        for parameter in self.param_groups[0]["params"]:
            parameter.grad[...] = 0

    def state_dict(self) -> dict[str, Any]:
        """Return the settings and what is remembered."""
        settings = {key: value for key, value in self.param_groups[0].items() if key != "params"}
        return {"name": "lbfgs", "groups": [settings], "state": self._rule.state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`state_dict` returned; the same steps follow, bit for bit.

        Raises
        ------
        ValueError
            When it is of another rule or of other parameters.
        """
        if state["name"] != "lbfgs":
            raise ValueError(f"load_state_dict: the state is of '{state['name']}'")
        self._rule.set_state(state["state"])
        self.param_groups[0].update(state["groups"][0])

    def __repr__(self) -> str:
        settings = {key: value for key, value in self.param_groups[0].items() if key != "params"}
        return f"LBFGS({', '.join(f'{key}={value!r}' for key, value in settings.items())})"
