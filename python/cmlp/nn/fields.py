"""Fields: what a layer or a loss is made of: check, attribute, repr and the core's description in one row."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, cast, overload

import numpy as np

from cmlp.nn.field_checks import Check

V = TypeVar("V")


def _same(value: Any) -> Any:
    return value


class Field(Generic[V]):
    """One setting: an attribute that is checked when it is set, and takes effect or raises.

    Parameters
    ----------
    check : callable
        ``check(label, value)`` returns the value as it is kept, or raises; see ``field_checks``.
    name : str, optional
        The constructor's argument; by default the attribute's name.
    core : str, optional
        The core's name for it; by default ``name``; "": the core does not know it.
    to_core, from_core : callable, optional
        From the value to the core's, and back.
    fixed : bool, default False
        Whether it decides shapes: it cannot be changed then.
    quiet : bool, default False
        Whether repr leaves it out where it has its default.
    """

    def __init__(
        self,
        check: Check[V],
        *,
        name: str = "",
        core: str | None = None,
        to_core: Callable[[V], Any] = _same,
        from_core: Callable[[Any], Any] = _same,
        fixed: bool = False,
        quiet: bool = False,
    ) -> None:
        self.check: Check[V] = check
        self.name: str = name
        self.core: str | None = core
        self.to_core: Callable[[V], Any] = to_core
        self.from_core: Callable[[Any], Any] = from_core
        self.fixed: bool = fixed
        self.quiet: bool = quiet

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.attribute: str = attribute
        self.name = self.name or attribute
        self.core = self.name if self.core is None else self.core

    @overload
    def __get__(self, thing: None, owner: type) -> Field[V]: ...
    @overload
    def __get__(self, thing: HasFields, owner: type) -> V: ...
    def __get__(self, thing: HasFields | None, owner: type) -> Field[V] | V:
        if thing is None:
            return self
        value: Any = thing._values[self.name]
        kept = value.copy() if isinstance(value, dict | list) else value  # changing it changes nothing
        return cast(V, kept)

    def __set__(self, thing: HasFields, value: Any) -> None:
        kind = type(thing).__name__
        if self.fixed or thing._frozen:
            raise AttributeError(f"{kind}: {self.name} cannot be changed; make a new {kind}")
        thing._change({self.name: self.check(f"{kind}: {self.name}", value)})


class HasFields:
    """What layers and losses are: a table of fields with their values."""

    _frozen = False  # whether it is a part of another layer, which has taken its settings

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Take a value for each field, checked one by one and then as a description of the core's."""
        kind = type(self).__name__
        self._values: dict[str, Any] = {
            name: field.check(f"{kind}: {name}", values[name]) for name, field in table(type(self)).items()
        }
        self._check()

    def _check(self) -> None:
        """Raise unless the values fit each other and the core."""

    def _take_effect(self) -> None:
        """Hand changed values to the core."""

    def _change(self, values: Mapping[str, Any]) -> None:
        """Take other values, or raise and keep those there are."""
        before = self._values
        self._values = {**before, **values}
        try:
            self._check()
            self._take_effect()
        except Exception:
            self._values = before
            raise

    def _core_fields(self) -> dict[str, Any]:
        """Return the values by the core's names."""
        rows = table(type(self)).values()
        return {field.core: field.to_core(self._values[field.name]) for field in rows if field.core}

    def __setattr__(self, name: str, value: Any) -> None:
        own = type(self).__module__.startswith("cmlp.")  # a user's class may have other attributes
        if own and not name.startswith("_") and not hasattr(type(self), name):
            known = ", ".join(field.attribute for field in table(type(self)).values() if not field.fixed)
            more = f"; what can be set: {known}" if known else ""
            raise AttributeError(f"'{type(self).__name__}' has no setting '{name}'{more}")
        super().__setattr__(name, value)

    def _arguments(self) -> list[str]:
        """Return the constructor's arguments that make an equal one: ``["p=0.5"]``."""
        shown = []
        for name, field in table(type(self)).items():
            value = self._values[name]
            if not (field.quiet and is_default(value, _defaults(type(self))[name])):
                shown.append(f"{name}={plain(value)!r}")
        return shown

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._arguments())})"


_TABLES: dict[type, dict[str, Field[Any]]] = {}
_DEFAULTS: dict[type, dict[str, Any]] = {}


def table(cls: type) -> dict[str, Field[Any]]:
    """Return the fields of a class by name, those of its base first."""
    if cls not in _TABLES:
        _TABLES[cls] = _find_fields(cls)
    return _TABLES[cls]


def _find_fields(cls: type) -> dict[str, Field[Any]]:
    names = [key for base in reversed(cls.__mro__) for key, x in vars(base).items() if isinstance(x, Field)]
    fields = [inspect.getattr_static(cls, name) for name in dict.fromkeys(names)]
    return {field.name: field for field in fields if isinstance(field, Field)}


def _defaults(cls: type) -> dict[str, Any]:
    """Return the defaults of the quiet fields, as they are kept."""
    if cls not in _DEFAULTS:
        given = inspect.signature(cls).parameters
        quiet = {name: field for name, field in table(cls).items() if field.quiet}
        _DEFAULTS[cls] = {name: field.check(name, given[name].default) for name, field in quiet.items()}
    return _DEFAULTS[cls]


def is_default(value: Any, default: Any) -> bool:
    """Whether a value is a constructor's default; an array never is."""
    if isinstance(value, np.ndarray) or isinstance(default, np.ndarray):
        return False
    return type(value) is type(default) and bool(value == default)


def plain(value: Any) -> Any:
    """Return an array as a list, so that its repr can be evaluated."""
    return value.tolist() if isinstance(value, np.ndarray) else value
