"""Rules: what an annotation says about a value, and whether the value's type alone decides it."""

from __future__ import annotations

import functools
import numbers
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from cmlp._arrays import as_numbers


def _always(kind: type) -> bool:
    return True


class Rule(NamedTuple):
    """What a value must be.

    Attributes
    ----------
    allows : callable
        Whether a value is allowed.
    words : str
        Which are, for messages.
    by_type : callable
        Whether it allows all values of a type or none of them.
    """

    allows: Callable[[Any], bool]
    words: str
    by_type: Callable[[type], bool] = _always


_TABLE_ATTRIBUTES = ("tocsr", "columns", "__arrow_c_stream__", "__dataframe__")


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) or (isinstance(value, np.ndarray) and value.ndim == 0)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool | np.bool_) or (isinstance(value, numbers.Integral) and value in (0, 1))


def _is_array(value: Any) -> bool:
    """Return whether it is a table, or converts to numbers."""
    if any(hasattr(value, name) for name in _TABLE_ATTRIBUTES):
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
    return Rule(lambda value: any(kind.__name__ in names for kind in type(value).__mro__), words)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)


def _is_table_type(kind: type) -> bool:
    return any(hasattr(kind, name) for name in (*_TABLE_ATTRIBUTES, "__array__"))


def _other_than(*kinds: type) -> Callable[[type], bool]:
    """Return whether a type is none of those whose values have to be looked at."""
    return lambda kind: not issubclass(kind, kinds)


_ARRAY = Rule(_is_array, "an array of numbers", _is_table_type)
_MAPPING = Rule(lambda value: isinstance(value, Mapping), "a dict")
_SEQUENCE = Rule(_is_sequence, "a sequence")
_RULES: dict[str, Rule] = {
    "None": Rule(lambda value: value is None, "None"),
    "bool": Rule(
        _is_boolean, "True or False", lambda kind: kind is bool or not issubclass(kind, numbers.Integral)
    ),
    "int": Rule(lambda value: isinstance(value, numbers.Integral), "an integer"),
    "float": Rule(_is_number, "a number", _other_than(np.ndarray)),
    "str": Rule(lambda value: isinstance(value, str), "text"),
    "npt.DTypeLike": Rule(
        _is_dtype, "'float32' or 'float64'", lambda kind: issubclass(kind, str | np.dtype | None)
    ),
    "Callable": Rule(callable, "a function"),
    "Callback": Rule(callable, "a function"),
    "Iterable": Rule(lambda value: isinstance(value, Iterable) and not isinstance(value, str), "an iterable"),
    "Factors": Rule(
        lambda value: (
            isinstance(value, Mapping) and all(isinstance(each, Mapping) for each in value.values())
        ),
        "a dict of dicts",
        _other_than(Mapping),
    ),
    "MetricLike": Rule(
        lambda value: isinstance(value, str) or callable(value),
        "the name of a metric or a function",
    ),
    "Numbers": Rule(
        lambda value: _is_number(value) or (_is_sequence(value) and all(map(_is_number, value))),
        "a number or a sequence of them",
        _other_than(Sequence, np.ndarray),
    ),
    "Params": Rule(
        lambda value: isinstance(value, Iterable) and not isinstance(value, str | Mapping),
        "parameters or dicts of them",
    ),
    "os.PathLike": Rule(lambda value: isinstance(value, os.PathLike), "a path"),
    **dict.fromkeys(("npt.ArrayLike", "ArrayLike", "InputLike"), _ARRAY),
    **dict.fromkeys(("Mapping", "dict"), _MAPPING),
    **dict.fromkeys(("Sequence", "list", "tuple"), _SEQUENCE),
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
    words = list(dict.fromkeys(rule.words for rule in known))
    return Rule(
        lambda value: any(rule.allows(value) for rule in known),
        " or ".join(words),
        lambda kind: all(rule.by_type(kind) for rule in known),
    )


def _rule_of_part(part: str) -> Rule | None:
    name, _, inside = part.partition("[")
    if name == "Literal":
        choices = [choice.strip("\"' ") for choice in _split(inside[:-1], ",")]
        return Rule(
            lambda value: isinstance(value, str) and value in choices,
            "one of " + ", ".join(map(repr, choices)),
            _other_than(str),
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
    allows, words, _ = members[0]

    def all_allowed(values: Any) -> bool:
        if not rule.allows(values) or not hasattr(values, "__len__"):  # an iterator is not looked into
            return rule.allows(values)
        return (not fixed or len(values) == len(members)) and all(map(allows, values))

    count = f" of {len(members)}" if fixed else ""
    return Rule(all_allowed, f"{rule.words}{count}, each {words}", _other_than(Iterable))
