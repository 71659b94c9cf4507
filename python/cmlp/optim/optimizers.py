"""Optimizers: update rules of the core over groups of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

from cmlp import _core
from cmlp.nn.module import Parameter

Params = Iterable[Parameter] | Iterable[Mapping[str, Any]]


class ParamGroup(MutableMapping[str, Any]):
    """Settings of one group of parameters; writing one takes effect with the next step.

    ``group["lr"] = 0.01`` as in PyTorch. ``group["params"]`` are its parameters.
    """

    def __init__(self, optimizer: Optimizer, index: int, parameters: list[Parameter]) -> None:
        self._optimizer = optimizer
        self._index = index
        self._parameters = parameters

    def __getitem__(self, key: str) -> Any:
        if key == "params":
            return self._parameters
        if key not in self._optimizer._setting_names:
            raise KeyError(key)
        return self._optimizer._core.setting(key, self._index)

    def __setitem__(self, key: str, value: float) -> None:
        self._optimizer._core.set_setting(key, float(value), self._index)

    def __delitem__(self, key: str) -> None:
        raise TypeError("settings of an optimizer cannot be removed")

    def __iter__(self) -> Iterator[str]:
        return iter(["params", *self._optimizer._setting_names])

    def __len__(self) -> int:
        return 1 + len(self._optimizer._setting_names)

    def __repr__(self) -> str:
        settings = ", ".join(f"{key}={self[key]:g}" for key in self._optimizer._setting_names)
        return f"ParamGroup({len(self._parameters)} parameters, {settings})"


class Optimizer:
    """An update rule by the name of its row, with its state; base of all optimizer classes.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts with ``"params"`` and settings of that group
        ``net.parameters()``.
    name : str
        One of :func:`cmlp.optimizers`.
    **settings : float
        Defaults for all groups; names as in the rule's row.

    Raises
    ------
    ValueError
        For no parameters, an unknown name or setting, or a setting out of range.
    """

    def __init__(self, params: Params, name: str, **settings: float) -> None:
        self.name = name
        row = next((row for row in _core.optimizers() if row["name"] == name), None)
        self._setting_names: list[str] = list(row["parameters"]) if row else []
        groups = [self._group(item, settings) for item in _as_groups(params)]
        members = [([(p._core, p._index) for p in parameters], values) for parameters, values in groups]
        kinds = {type(p._core) for parameters, _ in groups for p in parameters}
        places = [(id(core), index) for parameters, _ in members for core, index in parameters]
        if len(set(places)) != len(places):
            raise ValueError(f"{type(self).__name__}: a parameter is given twice")
        if len(kinds) != 1:
            problem = "parameters have different dtypes" if kinds else "there are no parameters"
            raise ValueError(f"{type(self).__name__}: {problem}")
        core: Any = _core.Optimizer32 if kinds == {_core.Network32} else _core.Optimizer64
        self._core: _core.Optimizer32 | _core.Optimizer64 = core(name, members)
        self.param_groups = [ParamGroup(self, i, parameters) for i, (parameters, _) in enumerate(groups)]

    def _group(
        self, item: Mapping[str, Any], defaults: dict[str, float]
    ) -> tuple[list[Parameter], dict[str, float]]:
        """Return the parameters of a group and its settings by the rule's names."""
        own = self._named({key: value for key, value in item.items() if key != "params"})
        parameters = list(item.get("params", ()))
        for parameter in parameters:
            if not isinstance(parameter, Parameter):
                raise ValueError(f"{type(self).__name__}: {parameter!r} is not a Parameter")
        return parameters, {**defaults, **own}

    @staticmethod
    def _named(settings: dict[str, Any]) -> dict[str, float]:
        """Return PyTorch's arguments as numbers by the rule's names: betas are two of them."""
        named = dict(settings)
        if "betas" in named:
            named["beta1"], named["beta2"] = named.pop("betas")
        if isinstance(named.get("eps_mode"), str):
            named["eps_mode"] = _EPS_MODES[named["eps_mode"]]
        return {key: float(value) for key, value in named.items()}

    def step(self) -> None:
        """Update every parameter once, from the gradients as they are."""
        self._core.step()

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad[...] = 0

    @property
    def lr(self) -> float:
        """Learning rate of the first group."""
        return float(self.param_groups[0]["lr"])

    @lr.setter
    def lr(self, value: float) -> None:
        for group in self.param_groups:
            group["lr"] = value

    def state_dict(self) -> dict[str, Any]:
        """Return the steps taken, the settings of each group and copies of the state arrays."""
        return {
            "name": self.name,
            "steps": self._core.steps,
            "groups": [{key: group[key] for key in self._setting_names} for group in self.param_groups],
            "state": [np.array(array) for array in self._core.state()],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`state_dict` returned; the same steps follow, bit for bit.

        Raises
        ------
        ValueError
            When it is of another rule or of other parameters.
        """
        if state["name"] != self.name or len(state["groups"]) != len(self.param_groups):
            raise ValueError(
                f"load_state_dict: the state is of '{state['name']}' with {len(state['groups'])} groups"
            )
        for group, settings in zip(self.param_groups, state["groups"], strict=True):
            group.update(settings)
        own = self._core.state()
        if [array.shape for array in own] != [np.shape(array) for array in state["state"]]:
            raise ValueError("load_state_dict: the state is of other parameters")
        for array, value in zip(own, state["state"], strict=True):
            array[...] = value
        self._core.steps = state["steps"]

    def __repr__(self) -> str:
        groups = "".join(f"\n  {group!r}" for group in self.param_groups)
        return f"{type(self).__name__}({groups}\n)"


_EPS_MODES = {"torch": 0.0, "keras": 1.0}


def _as_groups(params: Params) -> list[Mapping[str, Any]]:
    items = list(params)
    if items and isinstance(items[0], Mapping):
        return items  # type: ignore[return-value]
    return [{"params": items}]


class SGD(Optimizer):
    """Stochastic gradient descent with momentum: ``v = momentum v + g; w -= lr v``.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 0.001
    momentum : float, default 0
    dampening : float, default 0
        Share of each gradient after the first that is held back from ``v``.
    weight_decay : float, default 0
        Added to the gradient as ``weight_decay * w``.
    nesterov : bool, default False
        Step along ``g + momentum v`` (Sutskever et al., ICML 2013); needs momentum and no dampening.
    maximize : bool, default False

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[0.5]]
    >>> optim.SGD(layer.parameters(), lr=1.0).step()
    >>> layer.weight.data.tolist()
    [[0.5]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"SGD: nesterov needs momentum above 0 and no dampening, they are {momentum} and {dampening}"
            )
        super().__init__(
            params,
            "sgd",
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=float(nesterov),
            maximize=float(maximize),
        )


class _AdamRule(Optimizer):
    """What Adam and AdamW share: everything but where the weights decay."""

    def __init__(
        self,
        params: Params,
        name: str,
        lr: float,
        betas: tuple[float, float],
        eps: float,
        weight_decay: float,
        maximize: bool,
        eps_mode: str,
    ) -> None:
        title = type(self).__name__
        if eps_mode not in _EPS_MODES:
            raise ValueError(f"{title}: eps_mode is '{eps_mode}'; choose from {', '.join(_EPS_MODES)}")
        settings = {
            "betas": betas,
            "eps_mode": eps_mode,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, name, lr=lr, **self._named(settings))


class Adam(_AdamRule):
    """``w -= lr m_hat / (sqrt(v_hat) + eps)``, m and v running means of g and g^2: Kingma and Ba, ICLR 2015.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 0.001
    betas : (float, float), default (0.9, 0.999)
    eps : float, default 1e-8
    weight_decay : float, default 0
        Added to the gradient as ``weight_decay * w``.
    maximize : bool, default False
    eps_mode : {"torch", "keras"}
        Where eps stands: added to ``sqrt(v / (1 - beta2^s))`` ("torch"), or to ``sqrt(v)`` with the
        corrections taken into the step size, as Keras and scikit-learn do ("keras"; the paper's "epsilon
        hat").

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[0.5]]
    >>> optim.Adam(layer.parameters(), lr=0.25).step()
    >>> layer.weight.data.tolist()
    [[0.75]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        eps_mode: str = "torch",
    ) -> None:
        super().__init__(params, "adam", lr, betas, eps, weight_decay, maximize, eps_mode)


class AdamW(_AdamRule):
    """Adam after ``w *= 1 - lr weight_decay``: Loshchilov and Hutter, ICLR 2019.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 0.001
    betas : (float, float), default (0.9, 0.999)
    eps : float, default 1e-8
    weight_decay : float, default 0.01
    maximize : bool, default False
    eps_mode : {"torch", "keras"}
        As in :class:`Adam`.

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[0.0]]
    >>> optim.AdamW(layer.parameters(), lr=0.5, weight_decay=0.5).step()
    >>> layer.weight.data.tolist()
    [[0.75]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        *,
        maximize: bool = False,
        eps_mode: str = "torch",
    ) -> None:
        super().__init__(params, "adamw", lr, betas, eps, weight_decay, maximize, eps_mode)
