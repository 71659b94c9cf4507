"""FullBatch: what the rules that see all rows at once have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cmlp import _core
from cmlp.nn.module import Parameter


class FullBatch:
    """A rule over one group of parameters that may look at all rows several times before it moves."""

    def __init__(self, params: Iterable[Parameter], rules: tuple[Any, Any], settings: dict[str, Any]) -> None:
        name, parameters = type(self).__name__, list(params)
        if any(not isinstance(parameter, Parameter) for parameter in parameters):
            raise ValueError(f"{name}: it takes parameters, not groups of them")
        kinds = {type(parameter._core) for parameter in parameters}
        if len(kinds) != 1:
            raise ValueError(
                f"{name}: {'parameters have different dtypes' if kinds else 'there are no parameters'}"
            )
        places = [(parameter._core, parameter._index) for parameter in parameters]
        if len({(id(core), index) for core, index in places}) != len(places):
            raise ValueError(f"{name}: a parameter is given twice")
        self._rule = rules[kinds != {_core.Network32}](places)
        self.param_groups: list[dict[str, Any]] = [{"params": parameters, **settings}]

    def _settings(self) -> dict[str, Any]:
        return {key: value for key, value in self.param_groups[0].items() if key != "params"}

    def _core_settings(self) -> dict[str, Any]:
        return self._settings()

    @property
    def _core(self) -> Any:
        """The core's rule with the settings as they are now."""
        self._rule.set(**self._core_settings())
        return self._rule

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        for parameter in self.param_groups[0]["params"]:
            parameter.grad[...] = 0

    def __repr__(self) -> str:
        settings = ", ".join(f"{key}={value!r}" for key, value in self._settings().items())
        return f"{type(self).__name__}({settings})"


def named(name: str, params: Iterable[Parameter]) -> FullBatch | None:
    """Return the rule that ``fit(optimizer=name)`` means, or None when it is none of these."""
    from cmlp.optim.lbfgs import LBFGS
    from cmlp.optim.levenberg import LevenbergMarquardt

    if name == "lbfgs":
        return LBFGS(params, line_search_fn="strong_wolfe")
    return LevenbergMarquardt(params) if name == "levenberg_marquardt" else None
