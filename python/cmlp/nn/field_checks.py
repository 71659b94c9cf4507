"""Checks of the settings of layers and losses: each returns the value as it is kept, or raises."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from cmlp import _core
from cmlp._foreign_names import our_name, unknown

V = TypeVar("V")
Word = TypeVar("Word", bound=str)
Check = Callable[[str, Any], V]  # of the label, "Linear: bias", and the value


def size(label: str, value: Any) -> int:
    """Return an integer of at least 1."""
    number = integer(label, value)
    if number < 1:
        raise ValueError(f"{label} is {number}, it must be at least 1")
    return number


def integer(label: str, value: Any) -> int:
    """Return an integer."""
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{label} is {value}, it must be an integer")
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{label} is {value!r}, it must be an integer") from None


def number(low: float = -math.inf, high: float = math.inf) -> Check[float]:
    """Return the check for a number in [low, high]; NaN is in no range."""
    bounded_below = math.isinf(high) and not math.isinf(low)
    rule = "a number" if math.isinf(low) and math.isinf(high) else f"in [{low:g}, {high:g}]"
    if bounded_below:
        rule = "finite and not negative" if low == 0 else f"finite and at least {low:g}"

    def check(label: str, value: Any) -> float:
        if isinstance(value, str | bytes | bool | np.bool_) or not hasattr(value, "__float__"):
            raise TypeError(f"{label} is {value!r}, it must be a number")
        x = float(value)
        if not low <= x <= high or (bounded_below and x == math.inf):
            raise ValueError(f"{label} is {value}, it must be {rule}")
        return x

    return check


any_number: Check[float] = number()


def number_list(label: str, value: Any) -> list[float]:
    """Return a list of finite numbers."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise TypeError(f"{label} is {value!r}, it must be a list of numbers")
    numbers = [any_number(f"{label}[{at}]", x) for at, x in enumerate(value)]
    for at, x in enumerate(numbers):
        if not math.isfinite(x):
            raise ValueError(f"{label}[{at}] is {x}, it must be finite")
    return numbers


def flag(label: str, value: Any) -> bool:
    """Return True or False."""
    if isinstance(value, bool | np.bool_) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise TypeError(f"{label} is {value!r}, it must be True or False")


def one_of(*choices: int) -> Check[int]:
    """Return the check for one of these numbers."""

    def check(label: str, value: Any) -> int:
        if isinstance(value, bool) or value not in choices:
            raise ValueError(f"{label} is {value}, it must be in {{{','.join(map(str, choices))}}}")
        return int(value)

    return check


def word(*choices: Word) -> Check[Word]:
    """Return the check for one of these words."""

    def check(label: str, value: Any) -> Word:
        if not isinstance(value, str) or value not in choices:
            kind = TypeError if not isinstance(value, str) else ValueError
            raise kind(f"{label} is {value!r}; choose from {', '.join(choices)}")
        return next(choice for choice in choices if choice == value)

    return check


def optional(check: Check[V]) -> Check[V | None]:
    """Return the check that lets None pass."""

    def checked(label: str, value: Any) -> V | None:
        try:
            return None if value is None else check(label, value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{error} or None") from None

    return checked


def initializer(label: str, value: Any) -> str:
    """Return the name of an initialiser, "auto", or another library's word: "he", "xavier", "zero"."""
    if not isinstance(value, str):
        raise TypeError(f"{label} is {value!r}, it must be the name of an initialiser")
    if core_initializer(value) not in _INITIALIZERS:
        raise ValueError(unknown("initializer", value, _INITIALIZERS, f"{label}: "))
    return value


def core_initializer(name: str) -> str:
    """Return the core's name for what :func:`initializer` takes."""
    return name if name in _INITIALIZERS else our_name("initializer", name) or name


def numbers_by_name(label: str, value: Any) -> dict[str, float]:
    """Return a dict of numbers, True and False among them; None is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{label} is {value!r}, it must be a dict of numbers")
    return {
        str(key): float(x) if isinstance(x, bool | np.bool_) else any_number(f"{label}[{key!r}]", x)
        for key, x in value.items()
    }


def one_size(label: str, value: Any) -> tuple[int]:
    """Return the one size that a row of (batch, features) has, as PyTorch keeps it."""
    sizes: Sequence[Any] = tuple(value) if isinstance(value, Iterable) else (value,)
    if len(sizes) != 1:
        raise ValueError(f"{label} is {tuple(sizes)}, it must be one size, that of a row")
    return (size(label, sizes[0]),)


def last_axis(label: str, value: Any) -> int:
    """Return the dimension of the features of (batch, features)."""
    if value not in (-1, 1):
        raise ValueError(f"{label} is {value}, it must be 1 or -1, the features of (batch, features)")
    return int(value)


def column(label: str, value: Any) -> float | list[float] | tuple[float, ...] | np.ndarray[Any, Any]:
    """Return a number, or one for each column, in the form it was given in; arrays are copied."""
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        raise TypeError(f"{label} is {value!r}, it must be a number or numbers") from None
    if array.ndim > 1 and array.size != max(array.shape):
        raise ValueError(f"{label} has shape {array.shape}, it must be a number a column")
    if isinstance(value, list | tuple):
        return type(value)(value)
    if array.ndim == 0:
        return float(array)
    copy = np.array(value)
    copy.setflags(write=False)
    return copy


_INITIALIZERS = ("auto", *(row["name"] for row in _core.initializers()))


def refuse_inplace(kind: str, inplace: bool) -> None:
    """Raise ValueError for True: an argument of PyTorch's that a network has no use for."""
    if inplace:
        raise ValueError(f"{kind}: inplace is True, it must be False: x is never changed")
