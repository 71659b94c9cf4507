"""For a name of another library, an error message contains cmlp's name or one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from cmlp._foreign_table import NAMES


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
    hint = advice(f"{function} argument", name)
    raise TypeError(
        f"{function}() got an unexpected keyword argument '{name}'" + (f"; {hint}" if hint else "")
    )


def _found(kind: str, name: str) -> str | None:
    rows = NAMES[kind]
    return rows.get(name) or rows.get(name.lower())


def _is_sentence(text: str) -> bool:
    return " " in text and (text[0].isupper() or text.startswith("cmlp "))
