"""The settings of optimizers: PyTorch's arguments and the numbers that the core has for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from cmlp import _core
from cmlp._foreign_names import advice
from cmlp.nn.field_checks import any_number

SETTINGS: dict[str, list[str]] = {row["name"]: list(row["parameters"]) for row in _core.optimizers()}

# PyTorch's arguments that are several settings of a row, words, booleans, counts.
TUPLES: dict[str, tuple[str, ...]] = {
    "betas": ("beta1", "beta2", "beta3"),
    "etas": ("eta_minus", "eta_plus"),
    "step_sizes": ("step_min", "step_max"),
    "ns_coefficients": ("ns_a", "ns_b", "ns_c"),
}
WORDS: dict[str, tuple[str, ...]] = {
    "eps_mode": ("torch", "keras"),
    "velocity_mode": ("torch", "keras"),
    "adjust_lr_fn": ("original", "match_rms_adamw"),
}
FLAGS: frozenset[str] = frozenset(
    ("nesterov", "maximize", "amsgrad", "decoupled_weight_decay", "centered", "no_prox")
)
COUNTS: frozenset[str] = frozenset(("ns_steps",))


def names_in(key: str, rule: str) -> list[str]:
    """Return the settings of a rule that one of PyTorch's tuples holds."""
    return [name for name in TUPLES[key] if name in SETTINGS[rule]]


def as_numbers(settings: Mapping[str, Any], rule: str, label: str) -> dict[str, float]:
    """Return PyTorch's arguments as numbers by the rule's names: betas are two of them."""
    numbers: dict[str, float] = {}
    for key, value in settings.items():
        if key in TUPLES and (names := names_in(key, rule)):
            values = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
            if len(values) != len(names):
                raise ValueError(f"{label}: {key} has {len(values)} values, not {len(names)}")
            numbers.update((n, any_number(f"{label}: {key}", x)) for n, x in zip(names, values, strict=True))
        elif key in WORDS and (value is None or isinstance(value, str)):
            numbers[key] = float(_word(key, value or WORDS[key][0], label))
        else:
            numbers[key] = float(value) if isinstance(value, bool) else any_number(f"{label}: {key}", value)
    return numbers


def as_given(key: str, number: float) -> Any:
    """Return a setting as its constructor takes it: a bool, a word, a count or a number."""
    if key in FLAGS:
        return bool(number)
    if key in WORDS:
        return WORDS[key][int(number)]
    return int(number) if key in COUNTS else number


def from_arguments(
    function: Callable[..., None], rule: str, init: Callable[..., None]
) -> Callable[..., None]:
    """Return a constructor that hands its arguments to ``init`` as the settings of the rule.

    The function's own body runs first; it may refuse combinations of arguments.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  the class's constructor
        for key in kwargs.keys() - signature.parameters.keys():
            if hint := advice("optimizer argument", key):
                raise TypeError(f"{type(self).__name__}: unexpected argument '{key}'; {hint}")
        function(self, *args, **kwargs)
        given = signature.bind(self, *args, **kwargs)
        given.apply_defaults()
        _, params, *_ = given.args
        settings = {key: value for key, value in given.arguments.items() if key not in ("self", "params")}
        init(self, params, rule, **settings)

    return __init__


def arguments_of(cls: type, rule: str) -> list[str]:
    """Return the names under which a class takes its settings; for a rule by its name those of the row."""
    names = [name for name in inspect.signature(cls).parameters if name != "params"]
    return SETTINGS[rule] if "name" in names else names


def _word(key: str, value: str, label: str) -> int:
    if value not in WORDS[key]:
        raise ValueError(f"{label}: {key} is '{value}'; choose from {', '.join(WORDS[key])}")
    return WORDS[key].index(value)
