"""Arguments of an estimator that are another one's as well."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from cmlp._foreign_names import names_arguments


def arguments_of(other: type, *, without: tuple[str, ...] = ()) -> Callable[[Any], Any]:
    """Return a decorator of ``__init__(self, own..., **more)`` that names the keywords of the other class.

    scikit-learn reads an estimator's parameters from that signature; those given are stored, the rest are the
    other's defaults.
    """
    theirs = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(other).parameters.items()
        if name not in without
    ]

    def decorate(function: Any) -> Any:
        own = list(inspect.signature(function).parameters.values())[:-1]
        mine = {parameter.name for parameter in own}
        signature = inspect.Signature([*own, *(p for p in theirs if p.name not in mine)])

        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  it becomes the class's
            bound = signature.bind(self, *args, **kwargs)
            bound.apply_defaults()
            self._keep(bound.arguments)

        __init__.__signature__ = signature  # type: ignore[attr-defined]
        __init__.__doc__ = function.__doc__
        return names_arguments(__init__)

    return decorate
