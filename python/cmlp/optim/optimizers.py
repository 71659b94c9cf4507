"""Optimizer: an update rule of the core over groups of parameters, each with its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, overload

import numpy as np

from cmlp import _core
from cmlp._foreign_names import unknown
from cmlp.nn.parameter import Member, Parameter
from cmlp.optim._state import load_state
from cmlp.optim.members import OverParameters, parameters_in, short_repr
from cmlp.optim.settings import SETTINGS, TUPLES, arguments_of, as_given, as_numbers, from_arguments, names_in

Params = Iterable[Parameter] | Iterable[Mapping[str, Any]]


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
        rule = self._optimizer.name
        if key in TUPLES and (names := names_in(key, rule)):
            return tuple(self[name] for name in names)
        if key == "dropout" and self._parameters:
            return self._parameters[0]._core.dropout
        if key not in SETTINGS[rule]:
            return self._initial(key)[self._index]
        return as_given(key, self._optimizer._core.setting(key, self._index))

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "dropout":
            for parameter in self._parameters:
                parameter._core.dropout = float(value)
            return
        if key == "params":
            raise TypeError("the parameters of a group cannot be replaced; use add_param_group")
        if key not in SETTINGS[self._optimizer.name] and key.startswith("initial_"):
            setting = key.removeprefix("initial_")
            values = [group[setting] for group in self._optimizer.param_groups]
            self._optimizer._initial.setdefault(setting, values)[self._index] = float(value)
            return
        for name, number in self._optimizer._numbers({key: value}).items():
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
        return iter(["params", *SETTINGS[self._optimizer.name]])

    def __len__(self) -> int:
        return 1 + len(SETTINGS[self._optimizer.name])

    def __repr__(self) -> str:
        settings = ", ".join(f"{key}={self[key]!r}" for key in SETTINGS[self._optimizer.name])
        return f"ParamGroup({len(self._parameters)} parameters, {settings})"


class Optimizer(OverParameters):
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

    name: str = ""
    param_groups: list[ParamGroup]

    def __init_subclass__(cls, rule: str = "", **options: Any) -> None:
        """Make the arguments of a subclass's constructor the settings of the rule."""
        super().__init_subclass__(**options)
        if rule:
            cls.__init__ = from_arguments(cls.__init__, rule, Optimizer.__init__)  # type: ignore[method-assign]

    def __init__(self, params: Params, name: str, **settings: Any) -> None:
        if name not in SETTINGS:
            raise ValueError(unknown("optimizer", name, SETTINGS))
        self.name = name
        self._initial: dict[str, list[float]] = {}  # setting: what its schedules start from, by group
        self._defaults = self._numbers(settings)
        self._build([self._group(item) for item in _as_groups(params, type(self).__name__)])

    def _build(self, groups: list[tuple[list[Parameter], dict[str, float]]]) -> None:
        self._begin([parameters for parameters, _ in groups])
        self._made = self._make([settings for _, settings in groups])
        self.param_groups = [ParamGroup(self, i, parameters) for i, (parameters, _) in enumerate(groups)]

    def _make(self, settings: list[dict[str, float]]) -> _core.Optimizer32 | _core.Optimizer64:
        """Return the core's optimizer over the members there are."""
        core: Any = _core.Optimizer32 if self._is_single else _core.Optimizer64
        made: _core.Optimizer32 | _core.Optimizer64 = core(
            self.name, list(zip(self._members, settings, strict=True))
        )
        return made

    @property
    def _core(self) -> _core.Optimizer32 | _core.Optimizer64:
        self._follow()
        return self._made

    def _remake(self, before: list[list[Member]]) -> None:
        old: Any = self._made
        names = SETTINGS[self.name]
        self._made = self._make([{n: old.setting(n, i) for n in names} for i in range(len(before))])
        _core.move_state(self._made, self._members, old, before)

    def _group(self, item: Mapping[str, Any]) -> tuple[list[Parameter], dict[str, float]]:
        """Return the parameters of a group and its settings by the rule's names."""
        own = self._numbers({key: value for key, value in item.items() if key != "params"})
        return parameters_in(item.get("params", ()), type(self).__name__), {**self._defaults, **own}

    def _numbers(self, settings: Mapping[str, Any]) -> dict[str, float]:
        return as_numbers(settings, self.name, type(self).__name__)

    def _is_setting(self, name: str) -> bool:
        return self.name in SETTINGS and (
            name in SETTINGS[self.name] or (name in TUPLES and bool(names_in(name, self.name)))
        )

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
            raise ValueError(f"{type(self).__name__}: there are no parameters in params")
        core: Any = self._core
        groups = [*(group["params"] for group in self.param_groups), parameters]
        members = self._find(groups)
        core.add_group(members[-1], values)
        self._take(groups, members)
        self.param_groups.append(ParamGroup(self, len(self.param_groups), parameters))
        for setting, initial in self._initial.items():
            initial.append(float(self.param_groups[-1][setting]))

    def _networks(self) -> list[Any]:
        """Return the networks of all parameters, each once."""
        members = [parameter._core for group in self.param_groups for parameter in group["params"]]
        return list({id(core): core for core in members}.values())

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Call ``closure``, if given; update every parameter once; return what the closure returned."""
        if closure is not None and not callable(closure):
            raise TypeError(f"step: closure is {closure!r}, it must be a function or None")
        value = None if closure is None else closure()
        self._core.step()
        return value

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
            "groups": [{key: group[key] for key in SETTINGS[self.name]} for group in self.param_groups],
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
            When it is of another rule or of other parameters; nothing is changed then.
        """
        load_state(self, state)

    def __getstate__(self) -> dict[str, Any]:
        left_out = ("_made", "_members", "_gradients", "_followed_at", "param_groups")
        kept = {key: value for key, value in self.__dict__.items() if key not in left_out}
        groups = [list(group["params"]) for group in self.param_groups]
        return {"attributes": kept, "parameters": groups, "state": self.state_dict()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state["attributes"])
        settings = [self._numbers(group) for group in state["state"]["groups"]]
        self._build(list(zip(state["parameters"], settings, strict=True)))
        self.load_state_dict(state["state"])

    def __repr__(self) -> str:
        """Return the call that makes an equal one over ``params``, the list of its parameters."""
        names = arguments_of(type(self), self.name)
        shown = short_repr([group["params"] for group in self.param_groups])
        rule = [] if type(self) is not Optimizer else [repr(self.name)]
        if len(shown) == 1:
            settings = [f"{name}={self.param_groups[0][name]!r}" for name in names]
            return f"{type(self).__name__}({', '.join(['params', *rule, *settings])})"
        groups = [
            f"{{'params': {params}, {', '.join(f'{name!r}: {group[name]!r}' for name in names)}}}"
            for params, group in zip(shown, self.param_groups, strict=True)
        ]
        return f"{type(self).__name__}({', '.join(['[' + ', '.join(groups) + ']', *rule])})"


def _as_groups(params: Any, name: str) -> list[Mapping[str, Any]]:
    items = list(params) if isinstance(params, Iterable) and not isinstance(params, Mapping) else params
    if isinstance(items, list) and items and isinstance(items[0], Mapping):
        return items
    return [{"params": parameters_in(items, name)}]
