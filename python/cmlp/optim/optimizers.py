"""Optimizer: an update rule of the core over groups of parameters, each with its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

from cmlp import _core
from cmlp.nn.module import Parameter

Params = Iterable[Parameter] | Iterable[Mapping[str, Any]]

# PyTorch's arguments that are several settings of a row, and those that are words.
_TUPLES = {
    "betas": ("beta1", "beta2", "beta3"),
    "etas": ("eta_minus", "eta_plus"),
    "step_sizes": ("step_min", "step_max"),
    "ns_coefficients": ("ns_a", "ns_b", "ns_c"),
}
_WORDS = {
    "eps_mode": ("torch", "keras"),
    "velocity_mode": ("torch", "keras"),
    "adjust_lr_fn": ("original", "match_rms_adamw"),
}

_SETTINGS: dict[str, list[str]] = {row["name"]: list(row["parameters"]) for row in _core.optimizers()}


class ParamGroup(MutableMapping[str, Any]):
    """Settings of one group of parameters; writing one takes effect with the next step.

    ``group["lr"] = 0.01`` and ``group["betas"] = (0.9, 0.99)`` as in PyTorch, or each number by the name in
    its rule's row: ``group["beta1"]``. ``group["params"]`` are its parameters, ``group["initial_lr"]`` is the
    rate its schedules start from, once there are schedulers (``"initial_"`` and any setting that has one).
    ``group["dropout"]`` is the factor of p of all dropout layers of their network, at first 1.
    """

    def __init__(self, optimizer: Optimizer, index: int, parameters: list[Parameter]) -> None:
        self._optimizer = optimizer
        self._index = index
        self._parameters = parameters

    def __getitem__(self, key: str) -> Any:
        if key == "params":
            return self._parameters
        if key in _TUPLES and (names := self._optimizer._names_in(key)):
            return tuple(self[name] for name in names)
        if key == "dropout" and self._parameters:
            return self._parameters[0]._core.dropout
        if key not in self._optimizer._setting_names:
            return self._initial(key)[self._index]
        return self._optimizer._core.setting(key, self._index)

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "dropout":
            for parameter in self._parameters:
                parameter._core.dropout = float(value)
            return
        if key not in self._optimizer._setting_names and key.startswith("initial_"):
            setting = key.removeprefix("initial_")
            values = [group[setting] for group in self._optimizer.param_groups]
            self._optimizer._initial.setdefault(setting, values)[self._index] = float(value)
            return
        for name, number in self._optimizer._named({key: value}).items():
            self._optimizer._core.set_setting(name, number, self._index)

    def _initial(self, key: str) -> list[float]:
        """Return the values that schedules start from, of all groups, by "initial_lr" or so."""
        setting = key.removeprefix("initial_")
        if setting == key or setting not in self._optimizer._initial:
            raise KeyError(key)
        return self._optimizer._initial[setting]

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
        Defaults for all groups; names as in the rule's row, or PyTorch's (``betas``).

    Raises
    ------
    ValueError
        For no parameters, an unknown name or setting, or a setting out of range.
    """

    def __init__(self, params: Params, name: str, **settings: Any) -> None:
        self.name = name
        self._initial: dict[str, list[float]] = {}  # setting: what its schedules start from, by group
        self._setting_names = _SETTINGS.get(name, [])
        self._defaults = self._named(settings)
        groups = [self._group(item) for item in _as_groups(params)]
        kind = self._kind([p for parameters, _ in groups for p in parameters])
        core: Any = _core.Optimizer32 if kind is _core.Network32 else _core.Optimizer64
        self._core: _core.Optimizer32 | _core.Optimizer64 = core(
            name, [(members_of(parameters), values) for parameters, values in groups]
        )
        self.param_groups = [ParamGroup(self, i, parameters) for i, (parameters, _) in enumerate(groups)]

    def _kind(self, parameters: list[Parameter]) -> type:
        """Return the kind of network of all; raise ValueError unless there is one, and each is there once."""
        if len({(id(p._core), p._index) for p in parameters}) != len(parameters):
            raise ValueError(f"{type(self).__name__}: a parameter is given twice")
        kinds = {type(p._core) for p in parameters}
        if len(kinds) != 1:
            problem = "parameters have different dtypes" if kinds else "there are no parameters"
            raise ValueError(f"{type(self).__name__}: {problem}")
        return kinds.pop()

    def _group(self, item: Mapping[str, Any]) -> tuple[list[Parameter], dict[str, float]]:
        """Return the parameters of a group and its settings by the rule's names."""
        own = self._named({key: value for key, value in item.items() if key != "params"})
        params = item.get("params", ())
        parameters = [params] if isinstance(params, Parameter) else list(params)
        for parameter in parameters:
            if not isinstance(parameter, Parameter):
                raise ValueError(f"{type(self).__name__}: {parameter!r} is not a Parameter")
        return parameters, {**self._defaults, **own}

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Take on another group; its state begins with the next step, schedulers made before leave it alone.

        Parameters
        ----------
        param_group : dict
            ``"params"`` and the settings in which the group differs from the optimizer's own.

        Raises
        ------
        ValueError
            For a parameter that is there already or of another dtype, or an unknown setting.

        Examples
        --------
        >>> from cmlp import nn, optim
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
        >>> sgd = optim.SGD(net[1].parameters(), lr=0.1)
        >>> sgd.add_param_group({"params": net[0].parameters(), "lr": 0.01})
        >>> [group["lr"] for group in sgd.param_groups]
        [0.1, 0.01]
        """
        parameters, values = self._group(param_group)
        if not parameters:
            raise ValueError(f"{type(self).__name__}: there are no parameters")
        self._kind([p for group in self.param_groups for p in group["params"]] + parameters)
        self._core.add_group(members_of(parameters), values)
        self.param_groups.append(ParamGroup(self, len(self.param_groups), parameters))
        for setting, initial in self._initial.items():
            initial.append(float(self.param_groups[-1][setting]))

    def _networks(self) -> list[Any]:
        """Return the networks of all parameters, each once."""
        members = [parameter._core for group in self.param_groups for parameter in group["params"]]
        return list({id(core): core for core in members}.values())

    def _names_in(self, key: str) -> list[str]:
        """Return the settings of the rule that one of PyTorch's tuples holds."""
        return [name for name in _TUPLES[key] if name in self._setting_names]

    def _named(self, settings: Mapping[str, Any]) -> dict[str, float]:
        """Return PyTorch's arguments as numbers by the rule's names: betas are two of them."""
        named: dict[str, float] = {}
        for key, value in settings.items():
            if key in _TUPLES and (names := self._names_in(key)):
                if len(value) != len(names):
                    raise ValueError(
                        f"{type(self).__name__}: {key} has {len(value)} values, not {len(names)}"
                    )
                named.update(zip(names, map(float, value), strict=True))
            elif key in _WORDS and (value is None or isinstance(value, str)):
                named[key] = float(self._word(key, value or _WORDS[key][0]))
            else:
                named[key] = float(value)
        return named

    def _word(self, key: str, value: str) -> int:
        if value not in _WORDS[key]:
            choices = ", ".join(_WORDS[key])
            raise ValueError(f"{type(self).__name__}: {key} is '{value}'; choose from {choices}")
        return _WORDS[key].index(value)

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Call ``closure``, if given; update every parameter once; return what the closure returned."""
        value = None if closure is None else closure()
        self._core.step()
        return value

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
        """Return all that decides the steps to come, state arrays copied.

        That is also what schedules start from, and the training passes of the networks so far, from which
        dropout draws in steps of one's own and in ``train_step``.
        """
        return {
            "name": self.name,
            "steps": self._core.steps,
            "groups": [{key: group[key] for key in self._setting_names} for group in self.param_groups],
            "initial": {setting: list(values) for setting, values in self._initial.items()},
            "state": [np.array(array) for array in self._core.state()],
            "memory": [list(self._core.memory(i)) for i, _ in enumerate(self.param_groups)],
            "joined": [self._core.joined(i) for i, _ in enumerate(self.param_groups)],
            "passes": [network.step for network in self._networks()],
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
        own: list[Any] = list(self._core.state())
        if [array.shape for array in own] != [np.shape(array) for array in state["state"]]:
            raise ValueError("load_state_dict: the state is of other parameters")
        for array, value in zip(own, state["state"], strict=True):
            array[...] = value
        for i, (numbers, steps) in enumerate(zip(state["memory"], state["joined"], strict=True)):
            self._core.set_memory(numbers, i)
            self._core.set_joined(steps, i)
        self._core.steps = state["steps"]
        initial = state.get("initial", {})  # states of versions before 0.2 have none
        self._initial = {setting: list(values) for setting, values in initial.items()}
        for network, passes in zip(self._networks(), state.get("passes", ()), strict=False):
            network.step = passes

    def __repr__(self) -> str:
        groups = "".join(f"\n  {group!r}" for group in self.param_groups)
        return f"{type(self).__name__}({groups}\n)"


def members_of(parameters: list[Parameter]) -> list[tuple[Any, int]]:
    """Return the parameters as the core knows them: network and index."""
    return [(parameter._core, parameter._index) for parameter in parameters]


def _as_groups(params: Params) -> list[Mapping[str, Any]]:
    items = list(params)
    if items and isinstance(items[0], Mapping):
        return items  # type: ignore[return-value]
    return [{"params": items}]
