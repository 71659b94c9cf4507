"""FullBatch: what the rules that see all rows at once have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from cmlp.nn.field_checks import any_number
from cmlp.nn.parameter import Member, Parameter
from cmlp.optim.members import OverParameters, parameters_in


class FullBatch(OverParameters):
    """A rule over one group of parameters that may look at all rows several times before it moves."""

    name: ClassVar[str] = ""
    param_groups: list[dict[str, Any]]
    _rules: ClassVar[tuple[Any, Any]]  # the core's classes for float32 and float64

    def __init__(self, params: Iterable[Parameter], settings: dict[str, Any]) -> None:
        label = type(self).__name__
        parameters = parameters_in(params, label)
        self._begin([parameters])
        self._made = self._make()
        self.param_groups = [{"params": parameters, **settings}]

    def _make(self) -> Any:
        return self._rules[not self._is_single](self._members[0])

    def _state(self) -> Any:
        """Return what the core's rule remembers."""
        raise NotImplementedError

    def _set_state(self, state: Any) -> None:
        """Put it back."""
        raise NotImplementedError

    def _remake(self, before: list[list[Member]]) -> None:
        state = self._state()
        self._made = self._make()
        self._set_state(state)

    def _settings(self) -> dict[str, Any]:
        return {key: value for key, value in self.param_groups[0].items() if key != "params"}

    def _core_settings(self) -> dict[str, Any]:
        return self._settings()

    @property
    def _core(self) -> Any:
        """The core's rule with the settings as they are now."""
        self._follow()
        self._made.set(**self._core_settings())
        return self._made

    def state_dict(self) -> dict[str, Any]:
        """Return the settings and what is remembered."""
        self._follow()
        return {"name": self.name, "groups": [self._settings()], "state": self._state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`state_dict` returned; the same steps follow, bit for bit.

        Raises
        ------
        ValueError
            When it is of another rule or of other parameters; nothing is changed then.
        """
        groups, remembered = state["groups"], state["state"]
        if state["name"] != self.name or len(groups) != 1 or not isinstance(remembered, Mapping):
            raise ValueError(f"load_state_dict: the state is of '{state['name']}' with {len(groups)} groups")
        self._follow()
        before = self._settings()
        if unknown := sorted(groups[0].keys() - before.keys()):
            raise ValueError(f"load_state_dict: {type(self).__name__} has no {', '.join(unknown)}")
        for name, value in groups[0].items():
            if isinstance(before[name], int | float):
                any_number(f"load_state_dict: {name}", value)
        try:
            self._set({**before, **groups[0]})
            self._set_state(remembered)
        except Exception:
            self._set(before)
            raise

    def _set(self, settings: Mapping[str, Any]) -> None:
        """Take settings that the core takes, or raise."""
        self.param_groups[0].update(settings)
        self._made.set(**self._core_settings())

    def __getstate__(self) -> dict[str, Any]:
        return {"parameters": list(self.param_groups[0]["params"]), "state": self.state_dict()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        FullBatch.__init__(self, state["parameters"], state["state"]["groups"][0])
        self.load_state_dict(state["state"])

    def __repr__(self) -> str:
        settings = "".join(f", {key}={value!r}" for key, value in self._settings().items())
        return f"{type(self).__name__}(params{settings})"
