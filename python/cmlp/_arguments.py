"""Checks of the arguments of public functions against their annotations.

If the error of a function names the argument, it is passed on; otherwise the checks here raise one. They also
reject what a function would accept without using it. A valid call costs little.
"""

from __future__ import annotations

import functools
import inspect
import math
import numbers
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from cmlp._arrays import as_numbers

Rule = tuple[Callable[[Any], bool], str]  # whether a value is allowed, and which are


class ArgumentError(TypeError, ValueError):
    """An argument of a wrong type or value; names the function, the argument, the value and the rule."""


_USUAL = frozenset({bool, int, float, str, type(None), tuple, list, dict, np.ndarray})
_CONTAINERS = frozenset({tuple, list, dict, set})
_INTERNAL = (TypeError, ValueError, AttributeError, LookupError, OverflowError, RuntimeError)
_RAW = re.compile(
    r"incompatible (function|constructor) arguments|could not convert|argument must be a|Unable to cast"
    r"|not iterable|not supported between|must be an iterable|cannot be interpreted|unhashable|has no len\(\)"
    r"|not subscriptable|can only concatenate|unsupported operand|object is not callable|takes no arguments"
    r"|indices must be integers|Maximum allowed"
)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) or (isinstance(value, np.ndarray) and value.ndim == 0)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool | np.bool_) or (isinstance(value, numbers.Integral) and value in (0, 1))


def _is_array(value: Any) -> bool:
    """Return whether it is a table, or converts to numbers."""
    if any(hasattr(value, name) for name in ("tocsr", "columns", "__arrow_c_stream__", "__dataframe__")):
        return not isinstance(value, type)
    try:
        as_numbers(value, "")
    except (TypeError, ValueError):
        return False
    return True


def _is_dtype(value: Any) -> bool:
    if isinstance(value, str):  # the name is for the core to check
        return True
    try:
        return value is not None and np.dtype(value).name in ("float32", "float64")
    except TypeError:
        return False


def _is_instance(*names: str) -> Rule:
    """Return the rule of classes by their names: a look at the value's own classes, without an import."""
    words = f"{'an' if names[0][0] in 'AEIOU' else 'a'} {' or '.join(names)}"
    return lambda value: any(kind.__name__ in names for kind in type(value).__mro__), words


_RULES: dict[str, Rule] = {
    "None": (lambda value: value is None, "None"),
    "bool": (_is_boolean, "True or False"),
    "int": (lambda value: isinstance(value, numbers.Integral), "an integer"),
    "float": (_is_number, "a number"),
    "str": (lambda value: isinstance(value, str), "text"),
    "npt.ArrayLike": (_is_array, "an array of numbers"),
    "ArrayLike": (_is_array, "an array of numbers"),
    "InputLike": (_is_array, "an array of numbers"),
    "npt.DTypeLike": (_is_dtype, "'float32' or 'float64'"),
    "Callable": (callable, "a function"),
    "Mapping": (lambda value: isinstance(value, Mapping), "a dict"),
    "dict": (lambda value: isinstance(value, Mapping), "a dict"),
    "Sequence": (
        lambda value: isinstance(value, Sequence | np.ndarray) and not isinstance(value, str),
        "a sequence",
    ),
    "list": (
        lambda value: isinstance(value, Sequence | np.ndarray) and not isinstance(value, str),
        "a sequence",
    ),
    "tuple": (
        lambda value: isinstance(value, Sequence | np.ndarray) and not isinstance(value, str),
        "a sequence",
    ),
    "Iterable": (lambda value: isinstance(value, Iterable) and not isinstance(value, str), "an iterable"),
    "Callback": (callable, "a function"),
    "Factors": (
        lambda value: (
            isinstance(value, Mapping) and all(isinstance(each, Mapping) for each in value.values())
        ),
        "a dict of dicts",
    ),
    "MetricLike": (
        lambda value: isinstance(value, str) or callable(value),
        "the name of a metric or a function",
    ),
    "Numbers": (
        lambda value: _is_number(value) or (isinstance(value, Sequence) and all(map(_is_number, value))),
        "a number or a sequence of them",
    ),
    "Params": (
        lambda value: isinstance(value, Iterable) and not isinstance(value, str | Mapping),
        "parameters or dicts of them",
    ),
    "os.PathLike": (lambda value: isinstance(value, os.PathLike), "a path"),
    **{
        name: _is_instance(name) for name in ("Axes", "AveragedModel", "EarlyStopping", "Loss", "LRScheduler")
    },
    **{name: _is_instance(name) for name in ("Module", "Optimizer", "Parameter", "Sequential")},
    "Rule": _is_instance("Optimizer", "FullBatch"),
    "Scheduler": _is_instance("LRScheduler", "ReduceLROnPlateau"),
}


def _split(annotation: str, separator: str) -> list[str]:
    """Return the parts of an annotation between separators that are in no brackets."""
    parts, depth, start = [], 0, 0
    for at, character in enumerate(annotation):
        depth += (character == "[") - (character == "]")
        if character == separator and depth == 0:
            parts.append(annotation[start:at].strip())
            start = at + 1
    return [*parts, annotation[start:].strip()]


@functools.cache
def rule_of(annotation: str) -> Rule | None:
    """Return the rule that an annotation states, or None where it states none that can be checked."""
    rules = [_rule_of_part(part) for part in _split(annotation, "|")]
    known = [rule for rule in rules if rule is not None]
    if len(known) < len(rules):
        return None
    words = list(dict.fromkeys(words for _, words in known))
    return lambda value: any(allows(value) for allows, _ in known), " or ".join(words)


def _rule_of_part(part: str) -> Rule | None:
    name, _, inside = part.partition("[")
    if name == "Literal":
        choices = [choice.strip("\"' ") for choice in _split(inside[:-1], ",")]
        return lambda value: isinstance(value, str) and value in choices, "one of " + ", ".join(
            map(repr, choices)
        )
    rule = _RULES.get(name)
    if rule is None or not inside or name in ("Callable", "Mapping", "dict", "os.PathLike"):
        return rule
    members = [rule_of(each) for each in _split(inside[:-1], ",") if each != "..."]
    if None in members or not members:
        return rule
    return _of_members(
        rule, [member for member in members if member is not None], name == "tuple" and "..." not in inside
    )


def _of_members(rule: Rule, members: list[Rule], fixed: bool) -> Rule:
    """Return the rule of a sequence: of members of one kind, or of as many as there are kinds."""
    allows, words = members[0]

    def all_allowed(values: Any) -> bool:
        if not rule[0](values) or not hasattr(values, "__len__"):  # an iterator is not looked into
            return rule[0](values)
        return (not fixed or len(values) == len(members)) and all(map(allows, values))

    return all_allowed, f"{rule[1]}{f' of {len(members)}' if fixed else ''}, each {words}"


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

    def wrong(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield each argument that is not as its annotation says, with the message for it."""
        try:
            given = self.signature.bind(*args, **kwargs).arguments
        except TypeError:  # another number of arguments, which Python's own error names
            return
        for name, value in given.items():
            rule = self.rules.get(name)
            if rule is not None and not rule[0](value):
                yield name, f"{self.label(args)}: {name} is {_short(value)}, it must be {rule[1]}"

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

    def require(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raise for an argument of a wrong kind; a range is for the function to check."""
        for _, message in self.wrong(args, kwargs):
            raise ArgumentError(message)

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


def checked(function: Callable[..., Any], name: str | None, always: bool) -> Callable[..., Any]:
    """Return the function with checks of its arguments: why it failed, and whether it took a wrong one.

    `always`: the second for every call, as for constructors; else where an argument is of an unusual type.

    `name`: of the function in messages; None for a constructor, which has that of the class.
    """

    @functools.cache
    def rules() -> _Checked:
        return _Checked(function, name)

    # Types and keywords of calls that passed: another call of the same passes too, but for containers.
    accepted: set[tuple[Any, ...]] = set()

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            result = function(*args, **kwargs)
        except ArgumentError:
            raise
        except _INTERNAL as error:
            rules().explain(error, args, kwargs)
            raise
        types = (*map(type, args[1:]), *map(type, kwargs.values()))
        if always or not _USUAL.issuperset(types):
            key = (*types, *kwargs)
            if key not in accepted:
                rules().require(args, kwargs)
                if _CONTAINERS.isdisjoint(types):
                    accepted.add(key)
        return result

    call._checked = True  # type: ignore[attr-defined]
    return call


_OFTEN_CALLED = ("backward", "forward", "predict")  # in microseconds; the core checks their arrays


def check_arguments(module: Any) -> None:
    """Have the arguments of the module's public functions, constructors and methods checked from now on."""
    namespace = vars(module)
    functions = {name: thing for name, thing in namespace.items() if name[0] != "_" and callable(thing)}
    own = [name for name, thing in functions.items() if thing.__module__ == module.__name__]
    for name in getattr(module, "__all__", own):
        thing = namespace.get(name)
        if inspect.isclass(thing) and not issubclass(thing, BaseException):
            for kind in thing.__mro__:
                if kind.__module__.startswith("cmlp.") and "_core" not in kind.__module__:
                    _check_class(kind)
        elif inspect.isfunction(thing) and not hasattr(thing, "_checked"):
            namespace[name] = checked(thing, name, always=False)


def _check_class(kind: type) -> None:
    for name, method in list(vars(kind).items()):
        public = name == "__init__" or (name[0] != "_" and name not in _OFTEN_CALLED)
        if public and inspect.isfunction(method) and not hasattr(method, "_checked"):
            init = name == "__init__"
            setattr(kind, name, checked(method, None if init else name, always=init))
