"""The one error of the table modules."""


class TableError(ValueError):
    """A table, a column or a target cannot be used; the text says which and what to do."""
