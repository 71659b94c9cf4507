"""What an optimizer steps: groups of parameters, found again in the core when their layers join a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from cmlp import _core
from cmlp.nn.parameter import Member, Parameter, members_of
from cmlp.nn.placement import Placed


class OverParameters:
    """A core object over parameters, made again with its state when the parameters are in another network.

    Reading a setting as an attribute gives that of the first group; writing one changes all groups.
    """

    param_groups: list[Any] = []  # noqa: RUF012  each has one of its own
    _members: list[list[Member]]
    _gradients: list[npt.NDArray[Any]]  # of all parameters, views
    _followed_at: int

    # ---- what the classes below say

    def _remake(self, before: list[list[Member]]) -> None:
        """Make the core's object over ``self._members`` with the state it had over ``before``."""
        raise NotImplementedError

    def _is_setting(self, name: str) -> bool:
        """Whether a group has a setting of that name."""
        return bool(self.param_groups) and name != "params" and name in self.param_groups[0]

    # ---- where the parameters are

    def _find(self, groups: list[list[Parameter]]) -> list[list[Member]]:
        """Return the members of each group; raise ValueError unless of one dtype, each there once."""
        name = type(self).__name__
        flat = members_of([p for group in groups for p in group], name)
        if not flat:
            raise ValueError(f"{name}: there are no parameters in params")
        if len({(id(core), index) for core, index in flat}) != len(flat):
            raise ValueError(f"{name}: a parameter is given twice")
        members = iter(flat)
        return [[next(members) for _ in group] for group in groups]

    def _begin(self, groups: list[list[Parameter]]) -> None:
        moves = Placed._moves
        self._take(groups, self._find(groups))
        self._followed_at = moves

    def _take(self, groups: list[list[Parameter]], members: list[list[Member]]) -> None:
        """Be over these parameters, which are these members of networks."""
        self._members = members
        self._gradients = [parameter.grad for group in groups for parameter in group]

    def _follow(self) -> None:
        """Find the parameters again, if any module has moved since the last time."""
        if self._followed_at == Placed._moves:
            return
        moves = Placed._moves
        groups = [group["params"] for group in self.param_groups]
        before, members = self._members, self._find(groups)
        if members != before:
            self._take(groups, members)
            self._remake(before)
        self._followed_at = moves

    @property
    def _is_single(self) -> bool:
        """Whether the parameters are float32."""
        return isinstance(next(core for group in self._members for core, _ in group), _core.Network32)

    # ---- gradients, settings, copies

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        self._follow()
        cores = {id(core): core for group in self._members for core, _ in group}
        with ExitStack() as changes:
            for core in cores.values():
                changes.enter_context(core.changing("zero_grad"))
            for gradient in self._gradients:
                gradient[...] = 0

    def __copy__(self) -> Any:
        name = type(self).__name__
        raise TypeError(
            f"{name}: a shallow copy would step the same parameters with the same state; use "
            "copy.deepcopy((net, optimizer)), or load_state_dict(optimizer.state_dict())"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and self._is_setting(name):
            for group in self.param_groups:
                group[name] = value
        elif (
            type(self).__module__.startswith("cmlp.")
            and not name.startswith("_")
            and not hasattr(type(self), name)
        ):
            raise AttributeError(f"'{type(self).__name__}' has no setting '{name}'")
        else:
            super().__setattr__(name, value)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if not name.startswith("_") and self._is_setting(name):
                return self.param_groups[0][name]
            raise AttributeError(f"'{type(self).__name__}' has no attribute '{name}'")


def parameters_in(params: Any, name: str) -> list[Parameter]:
    """Return one parameter or several as a list; raise unless they are parameters."""
    if isinstance(params, Parameter):
        return [params]
    if not isinstance(params, Iterable):
        hint = "; give net.parameters()" if hasattr(params, "parameters") else ""
        raise TypeError(f"{name}: params is {params!r}, it must be parameters{hint}")
    parameters = list(params)
    for parameter in parameters:
        if isinstance(parameter, Mapping):
            raise ValueError(f"{name}: it takes parameters, not groups of them, in params")
        if not isinstance(parameter, Parameter):
            raise ValueError(f"{name}: params has {parameter!r}, it is not a Parameter")
    return parameters


def short_repr(parameters: list[list[Parameter]]) -> list[str]:
    """Return how repr shows each group: all parameters are ``params``, a group's are a part of it."""
    if len(parameters) == 1:
        return ["params"]
    shown, first = [], 0
    for group in parameters:
        shown.append(f"params[{first}:{first + len(group)}]")
        first += len(group)
    return shown
