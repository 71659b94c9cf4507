"""Column encoders: what each kind of column keeps of the training rows, and the features it becomes."""

from cmlp.tabular.columns.categories import CategoryColumn
from cmlp.tabular.columns.dates import DateColumn
from cmlp.tabular.columns.lists import ListColumn
from cmlp.tabular.columns.numbers import NumericColumn
from cmlp.tabular.columns.stored import Column, column_from_dict, column_to_dict
from cmlp.tabular.columns.text import TextColumn

__all__ = [
    "CategoryColumn",
    "Column",
    "DateColumn",
    "ListColumn",
    "NumericColumn",
    "TextColumn",
    "column_from_dict",
    "column_to_dict",
]
