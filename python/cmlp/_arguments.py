"""Checks of the arguments of public functions against their annotations.

If the error of a function names the argument, it is passed on; otherwise the checks here raise one. They also
reject what a function would accept without using it. A valid call costs little.
"""

from __future__ import annotations

import functools
import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any

import numpy as np

from cmlp._argument_rules import rule_of


class ArgumentError(TypeError, ValueError):
    """An argument of a wrong type or value; names the function, the argument, the value and the rule."""


_USUAL: frozenset[type] = frozenset({bool, int, float, str, type(None), tuple, list, dict, np.ndarray})
_NO_TYPES: frozenset[type] = frozenset()
_INTERNAL = (TypeError, ValueError, AttributeError, LookupError, OverflowError, RuntimeError)
_RAW = re.compile(
    r"incompatible (function|constructor) arguments|could not convert|argument must be a|Unable to cast"
    r"|not iterable|not supported between|must be an iterable|cannot be interpreted|unhashable|has no len\(\)"
    r"|not subscriptable|can only concatenate|unsupported operand|object is not callable|takes no arguments"
    r"|(?<!class )indices must be integers|Maximum allowed"
)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _own(error: Exception) -> bool:
    """Return whether the error comes from the package or its core, not from a function that was passed in."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__")).startswith(("cmlp", "numpy"))


class _Checked:
    """The rules of one function's arguments."""

    def __init__(self, function: Callable[..., Any], name: str | None) -> None:
        self.signature, self.name = inspect.signature(function), name
        self.rules = {
            p.name: rule
            for p in self.signature.parameters.values()
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and (rule := rule_of(str(p.annotation)))
        }

    def label(self, args: tuple[Any, ...]) -> str:
        return self.name or type(args[0]).__name__

    def given(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments by name; of another number of them none: Python's own error names that."""
        try:
            return self.signature.bind(*args, **kwargs).arguments
        except TypeError:
            return {}

    def wrong(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], usual: frozenset[type] = _NO_TYPES
    ) -> Iterator[tuple[str, str]]:
        """Yield each argument that is not as its annotation says, with the message; not of usual types."""
        for name, value in self.given(args, kwargs).items():
            rule = self.rules.get(name)
            if rule is not None and type(value) not in usual and not rule.allows(value):
                yield name, f"{self.label(args)}: {name} is {_short(value)}, it must be {rule.words}"

    def suspects(self, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> Iterator[str]:
        """Yield what may have led to an error in the core: numbers that it cannot hold, missing keys."""
        for name, value in self.signature.bind(*args, **kwargs).arguments.items():
            rule, default = None, self.signature.parameters[name].default
            if type(default) is type(value) and default == value:
                continue
            if isinstance(value, int) and abs(value) >= 2**31:
                rule = "is too large"
            elif isinstance(value, int) and value < 0:
                rule = "must not be negative"
            elif isinstance(value, float) and not math.isfinite(value):
                rule = "must be finite"
            elif isinstance(error, KeyError) and isinstance(value, Mapping) and error.args[0] not in value:
                rule = f"must have the key {error.args[0]!r}"
            if rule:
                yield f"{self.label(args)}: {name} is {_short(value)}, it {rule}"

    def require(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], usual: frozenset[type] = _NO_TYPES
    ) -> None:
        """Raise for an argument of a wrong kind, if its type is not usual; a range is for the function."""
        for _, message in self.wrong(args, kwargs, usual):
            raise ArgumentError(message)

    def by_type(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Return whether other arguments of the same types are right where these are."""
        rules, given = self.rules, self.given(args, kwargs)
        return all(rules[name].by_type(type(value)) for name, value in given.items() if name in rules)

    def explain(self, error: Exception, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raise in words what the arguments have to do with an error that does not name them."""
        text, plain = str(error), isinstance(error, TypeError | ValueError)
        raw = not plain or bool(_RAW.search(text))
        for name, message in self.wrong(args, kwargs):
            if raw or not re.search(rf"\b{re.escape(name)}\b", text):
                raise ArgumentError(message) from error
        if raw and _own(error):
            for message in self.suspects(args, kwargs, error):
                raise ArgumentError(message) from error
        if type(error) in (TypeError, ValueError) and not raw and _own(error):
            self.add_name(error, args, kwargs)

    def add_name(self, error: Exception, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Add the argument to a message that has its value only: "... is -1 (StepLR: step_size=-1)"."""
        text, given = str(error), self.given(args, kwargs)
        if error.args != (text,) or text.endswith(")") or any(re.search(rf"\b{n}\b", text) for n in given):
            return
        shown = [
            f"{name}={value!r}"
            for name, value in given.items()
            if type(value) in (int, float, str) and re.search(_ruled_on(value), text)
        ]
        if len(shown) == 1:
            error.args = (f"{text} ({self.label(args)}: {shown[0]})",)


def _ruled_on(value: float | str) -> str:
    """Return the pattern of a rule about a value: "is -1, it must be", "'relo'; choose from"."""
    forms = {repr(value), f"{value:g}" if isinstance(value, float) else repr(value)}
    return rf"(?<![\w.-])({'|'.join(map(re.escape, forms))})(, it must| must be|; .*choose from)"


def checked(function: Callable[..., Any], name: str | None, method: bool) -> Callable[..., Any]:
    """Return the function with checks of its arguments.

    Arguments of unusual types are checked before it runs, of all types after it, if one is unusual, and where
    it fails. A constructor's, and those of the functions in _OWN_WORDS, are checked after it has run: its own
    messages come first.

    `name`: of the function in messages; None for a constructor, which has that of the class.
    `method`: whether the first argument is the object.
    """
    usual: frozenset[type] = _NO_TYPES if name is None else _USUAL
    before = name is not None and name not in _OWN_WORDS
    accepted: set[tuple[Any, ...]] = set()  # types and keywords with which every call is right

    @functools.cache
    def rules() -> _Checked:
        return _Checked(function, name)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if name is None and _is_inner(args[0], call):
            return function(*args, **kwargs)
        key = (*map(type, args), *map(type, kwargs.values()), *kwargs) if kwargs else (*map(type, args),)
        known = key in accepted
        if not known and usual.issuperset(key[method : len(args) + len(kwargs)]):
            known = True
            accepted.add(key)
        try:
            if before and not known:
                rules().require(args, kwargs, usual)
            result = function(*args, **kwargs)
        except _INTERNAL as error:
            rules().explain(error, args, kwargs)
            raise
        if not known:
            rules().require(args, kwargs)
            if rules().by_type(args, kwargs):
                accepted.add(key)
        return result

    call._checked = True  # type: ignore[attr-defined]
    return call


_CLASSES: set[type] = set()  # the public ones, whose constructors are checked


def _is_inner(thing: Any, constructor: Callable[..., Any]) -> bool:
    """Return whether another constructor, which is checked, has called this one."""
    kind = type(thing)
    return kind in _CLASSES and kind.__init__ is not constructor


# In microseconds; the core and the functions themselves check their arguments.
_OFTEN_CALLED = ("backward", "forward", "predict", "Optimizer.step")
_OWN_WORDS = ("train_step",)  # refuses a rule that sees all rows at once, before it changes anything
_VARIABLE = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


def check_arguments(module: Any) -> None:
    """Have the arguments of the module's public functions, constructors and methods checked from now on."""
    namespace = vars(module)
    functions = {name: thing for name, thing in namespace.items() if name[0] != "_" and callable(thing)}
    own = [name for name, thing in functions.items() if thing.__module__ == module.__name__]
    for name in getattr(module, "__all__", own):
        thing = namespace.get(name)
        if inspect.isclass(thing) and not issubclass(thing, BaseException):
            _check_class(thing)
        elif inspect.isfunction(thing) and not hasattr(thing, "_checked"):
            namespace[name] = checked(thing, name, method=False)


def _check_class(cls: type) -> None:
    """Check the methods of a class and its bases, and the constructor that makes it."""
    _CLASSES.add(cls)
    maker = next((kind for kind in cls.__mro__ if "__init__" in vars(kind)), cls)
    for kind in cls.__mro__:
        if kind.__module__.startswith("cmlp.") and "_core" not in kind.__module__:
            for name, method in list(vars(kind).items()):
                if inspect.isfunction(method) and _is_to_check(name, method, kind is maker):
                    setattr(kind, name, checked(method, None if name == "__init__" else name, method=True))


def _is_to_check(name: str, method: FunctionType, makes: bool) -> bool:
    code = method.__code__
    takes_arguments = code.co_argcount + code.co_kwonlyargcount > 1 or bool(code.co_flags & _VARIABLE)
    public = makes if name == "__init__" else name[0] != "_"
    often = name in _OFTEN_CALLED or method.__qualname__ in _OFTEN_CALLED
    return public and takes_arguments and not often and not hasattr(method, "_checked")
