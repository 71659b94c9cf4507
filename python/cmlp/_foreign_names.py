"""For a name of another library, an error message contains cmlp's name or one sentence."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, TypeVar, cast

from cmlp._foreign_table import NAMES

F = TypeVar("F", bound=Callable[..., None])


def our_name(kind: str, name: str) -> str | None:
    """Return the name cmlp has for one of another library's, None when there is none or it takes a sentence.

    Parameters
    ----------
    kind : str
        A key of the table: ``"loss"``, ``"metric"``, ``"optimizer argument"``, ``"fit argument"``, ...
    name : str
        As it was given; case does not matter.

    Examples
    --------
    >>> from cmlp._foreign_names import our_name
    >>> our_name("metric", "acc"), our_name("metric", "ACC"), our_name("metric", "precision")
    ('accuracy', 'accuracy', None)
    """
    found = _found(kind, name)
    return None if found is None or _is_sentence(found) else found


def advice(kind: str, name: str) -> str:
    """Return one sentence that says what to use in place of another library's name; "" when it is not known.

    Examples
    --------
    >>> from cmlp._foreign_names import advice
    >>> advice("optimizer argument", "learning_rate")
    "cmlp calls it 'lr'"
    >>> advice("module", "cuda")
    'cmlp computes on CPUs: leave it out'
    """
    found = _found(kind, name)
    if found is None:
        return ""
    return found if _is_sentence(found) else f"cmlp calls it '{found}'"


def unknown(kind: str, name: object, choices: Iterable[str], label: str = "") -> str:
    """Return the message for a name that is not among the choices, with our name for a foreign one.

    Parameters
    ----------
    kind : str
        As in :func:`our_name`.
    name : object
        What was given.
    choices : iterable of str
        The valid names.
    label : str, optional
        The function that refuses: ``"fit: "``.

    Examples
    --------
    >>> from cmlp._foreign_names import unknown
    >>> unknown("metric", "acc", ["accuracy", "mse"], "fit: ")
    "fit: unknown metric 'acc'; cmlp calls it 'accuracy'; choose from accuracy, mse"
    """
    text = name if isinstance(name, str) else ""
    known = list(choices)
    hint = advice(kind, text) or next((f"did you mean '{c}'?" for c in known if c == text.lower()), "")
    middle = f"; {hint}" if hint else ""
    return f"{label}unknown {kind} {name!r}{middle}; choose from {', '.join(known)}"


def refuse_arguments(function: str, unknown: Iterable[str]) -> NoReturn:
    """Raise TypeError for keyword arguments that a function does not have, with our names for foreign ones.

    Parameters
    ----------
    function : str
        Its name; the table's kind is ``"<function> argument"``.
    unknown : iterable of str
        The names that were given.

    Examples
    --------
    >>> from cmlp._foreign_names import refuse_arguments
    >>> refuse_arguments("fit", ["random_state"])
    Traceback (most recent call last):
        ...
    TypeError: fit() got an unexpected keyword argument 'random_state'; cmlp calls it 'seed'
    """
    name = next(iter(unknown))
    _refuse(function, name, advice(f"{function} argument", name))


def names_arguments(constructor: F) -> F:
    """Have a constructor of an estimator, decorated, refuse unknown arguments with our names for them.

    scikit-learn allows no ``**unknown`` in its signature.

    Examples
    --------
    >>> from cmlp import MLPClassifier
    >>> MLPClassifier(lr=0.01)
    Traceback (most recent call last):
        ...
    TypeError: MLPClassifier() got an unexpected keyword argument 'lr'; cmlp calls it 'learning_rate_init'
    """
    known = inspect.signature(constructor).parameters

    @functools.wraps(constructor)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  it becomes the class's
        for name in kwargs:
            if name not in known:
                _refuse(type(self).__name__, name, _advice_among("estimator argument", name, known))
        constructor(self, *args, **kwargs)

    return cast(F, __init__)


def _advice_among(kind: str, name: str, choices: Iterable[str]) -> str:
    """Return one sentence that leads to one of the choices: by the table, else by a similar name."""
    own = our_name(kind, name)
    hint = advice(kind, name) if own is None or own in choices else ""
    similar = difflib.get_close_matches(name, list(choices), 1)
    return hint or (f"did you mean '{similar[0]}'?" if similar else "")


def _refuse(function: str, name: str, hint: str) -> NoReturn:
    raise TypeError(
        f"{function}() got an unexpected keyword argument '{name}'" + (f"; {hint}" if hint else "")
    )


def _found(kind: str, name: str) -> str | None:
    rows = NAMES[kind]
    return rows.get(name) or rows.get(name.lower())


def _is_sentence(text: str) -> bool:
    return " " in text and (text[0].isupper() or text.startswith("cmlp "))
