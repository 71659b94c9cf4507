"""Options that several commands take, and how their texts are read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cmlp.cli.ui import OptionError

COUNT = click.IntRange(min=1)
SHARE = click.FloatRange(0, 1, max_open=True)
PATH = click.Path(path_type=Path)


def table_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """The files of a table."""
    return click.argument("table", nargs=-1, required=True, type=PATH)(function)


def reading_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """How the files of a table are read."""
    function = click.option(
        "--sheet", default="", show_default=False, metavar="NAME", help="The sheet of a spreadsheet."
    )(function)
    return click.option(
        "--missing", multiple=True, metavar="WORD", help="A word that means: no value. May be repeated."
    )(function)


def parse_types(
    given: tuple[str, ...], drop: tuple[str, ...], categorical: tuple[str, ...]
) -> dict[str, str]:
    """Read ``--column NAME=TYPE``, ``--drop NAME`` and ``--categorical NAME``.

    Parameters
    ----------
    given, drop, categorical : tuple of str
        What was given.

    Returns
    -------
    dict of str
        The type of each column.
    """
    types = dict.fromkeys(categorical, "category") | dict.fromkeys(drop, "drop")
    for text in given:
        name, equals, kind = text.rpartition("=")
        if not (name and equals and kind):
            raise OptionError(f"--column {text!r}: give a column and its type, such as Income=number")
        types[name] = kind
    return types


def parse_widths(text: str) -> tuple[int, ...]:
    """Read the widths of the hidden layers.

    Parameters
    ----------
    text : str
        Such as ``128,64``; ``none`` for no hidden layer.

    Returns
    -------
    tuple of int
        The widths.
    """
    if text.strip().lower() == "none":
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise OptionError(f"--hidden {text!r}: give widths such as 128,64, or none")
    return tuple(int(part) for part in parts)


def parse_quantiles(text: str) -> list[float]:
    """Read quantiles such as ``0.1,0.5,0.9``."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = [0.0]
    if not all(0.01 <= value <= 0.99 for value in found):
        raise OptionError(f"--quantiles {text!r}: give numbers from 0.01 to 0.99 such as 0.1,0.5,0.9")
    return found
