"""The JSON form of a column encoder."""

from dataclasses import asdict
from typing import Any

from cmlp.tabular.columns.categories import CategoryColumn
from cmlp.tabular.columns.dates import DateColumn
from cmlp.tabular.columns.lists import ListColumn
from cmlp.tabular.columns.numbers import NumericColumn
from cmlp.tabular.columns.text import TextColumn
from cmlp.tabular.errors import TableError
from cmlp.tabular.numbers import NumberFormat

Column = NumericColumn | CategoryColumn | DateColumn | ListColumn | TextColumn
CLASSES: tuple[type[Column], ...] = (NumericColumn, CategoryColumn, DateColumn, ListColumn, TextColumn)


def column_to_dict(column: Column) -> dict[str, Any]:
    """Give the JSON form of a column."""
    return {"kind": column.kind, **asdict(column)}


def column_from_dict(data: dict[str, Any]) -> Column:
    """Read the JSON form of a column; TypeError, KeyError or TableError when it is damaged."""
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
    }
    kind = fields.pop("kind")
    found = next((cls for cls in CLASSES if cls.kind == kind), None)
    if found is None:
        raise TableError(f"unknown kind of column {kind!r}")
    if isinstance(fields.get("format"), dict):
        fields["format"] = NumberFormat(**fields["format"])
    return found(**fields)
