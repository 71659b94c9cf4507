"""The one error of the table modules, and text from outside as messages show it."""


class TableError(ValueError):
    """A table, a column or a target cannot be used; the text says which and what to do."""


def printable(text: object) -> str:
    r"""Text that came from a file, with control characters escaped, so that no terminal obeys them.

    Examples
    --------
    >>> from cmlp.tabular.errors import printable
    >>> printable("red\x1b[2J")
    'red\\x1b[2J'
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in str(text)
    )


def listing(names: "list[str] | tuple[str, ...]", limit: int = 40) -> str:
    """Join names into a sentence's list, cut after `limit`."""
    rest = len(names) - limit
    return ", ".join(map(printable, names[:limit])) + (f" and {rest} more" if rest > 0 else "")
