"""What the commands share: the consoles, tables, and errors that take one line."""

import difflib
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cmlp.tabular.errors import printable

# Wide enough for the tables where the output is no terminal and has no width.
PIPE_WIDTH = 140


class CommandError(click.ClickException):
    """The data or a file cannot be used: one line, exit code 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        """Write the line to the standard error stream."""
        click.echo(f"cmlp: {printable(self.format_message())}", file=file, err=True)


class OptionError(CommandError):
    """The command line alone shows that it cannot work: one line, exit code 2."""

    exit_code = 2


class StoppedError(CommandError):
    """Ctrl-C: one line on what was kept, exit code 130."""

    exit_code = 130


def console() -> Console:
    """Get the console of results; a new one each time, so that it follows a redirected stream."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False, soft_wrap=False)


def notes() -> Console:
    """Get the console of progress and remarks, the standard error stream, so that results can be piped."""
    width = None if sys.stderr.isatty() else PIPE_WIDTH
    return Console(stderr=True, width=width, highlight=False)


def say(text: str, style: str = "", to: Console | None = None) -> None:
    """Print a line of text; what comes from a file cannot style the terminal."""
    (to or console()).print(Text(printable(text), style=style), soft_wrap=True)


def remark(text: str) -> None:
    """Print a line to the standard error stream."""
    say(text, to=notes())


def check_name(what: str, name: str, valid: Sequence[str]) -> str:
    """Check a name from the command line against the library's own list.

    Parameters
    ----------
    what : str
        The kind of thing, such as ``activation``.
    name : str
        The option's value.
    valid : sequence of str
        What there is.

    Returns
    -------
    str
        The name.
    """
    if name not in valid:
        near = difflib.get_close_matches(name, valid, n=1)
        guess = f" (did you mean {near[0]!r}?)" if near else ""
        raise OptionError(f"unknown {what} {name!r}{guess}; choose from {', '.join(valid)}")
    return name


def make_table(title: str, headers: Sequence[str], rows: Iterable[Sequence[Any]], numbers: str = "") -> Table:
    """Lay out a table.

    Parameters
    ----------
    title : str
        The line above it.
    headers : sequence of str
        The columns' names.
    rows : iterable of sequence
        The cells; anything but a rich renderable is shown as plain text.
    numbers : str
        ``r`` for each column to align to the right, any other letter for the left.

    Returns
    -------
    rich.table.Table
        To print on a console.
    """
    table = Table(title=Text(printable(title)), title_justify="left", title_style="bold")
    for header, side in zip(headers, numbers.ljust(len(headers), "l"), strict=True):
        heading = Text(printable(header))
        table.add_column(heading, justify="right" if side == "r" else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in row))
    return table


def show_score(name: str, value: float) -> str:
    """Write a score as people read it."""
    return f"{value:.2%}" if name in ("accuracy", "balanced accuracy") else f"{value:.5g}"
