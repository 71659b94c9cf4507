"""Tables as people have them: reading files, preprocessing that travels with a model, and models over both.

Needs pyarrow and scikit-learn: ``pip install 'cmlp[tabular]'``.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cmlp.tabular.encoder import ColumnNote as ColumnNote
    from cmlp.tabular.encoder import TableEncoder as TableEncoder
    from cmlp.tabular.errors import TableError as TableError
    from cmlp.tabular.estimators import TabularClassifier as TabularClassifier
    from cmlp.tabular.estimators import TabularRegressor as TabularRegressor
    from cmlp.tabular.reading import Source as Source
    from cmlp.tabular.reading import read_source as read_source
    from cmlp.tabular.reading import read_table as read_table
    from cmlp.tabular.reading import table_suffix as table_suffix
    from cmlp.tabular.reading import write_table as write_table
    from cmlp.tabular.target import Target as Target
    from cmlp.tabular.target import find_column as find_column
    from cmlp.tabular.target_cells import read_target as read_target

# Where each public name is defined; loaded at first use, since Arrow and scikit-learn take a second.
_HOMES = {
    "ColumnNote": "encoder",
    "Source": "reading",
    "TableEncoder": "encoder",
    "TableError": "errors",
    "TabularClassifier": "estimators",
    "TabularRegressor": "estimators",
    "Target": "target",
    "find_column": "target",
    "read_source": "reading",
    "read_table": "reading",
    "read_target": "target_cells",
    "table_suffix": "reading",
    "write_table": "reading",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cmlp.tabular' has no attribute '{name}'")
    return getattr(importlib.import_module(f"cmlp.tabular.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "ColumnNote",
    "Source",
    "TableEncoder",
    "TableError",
    "TabularClassifier",
    "TabularRegressor",
    "Target",
    "find_column",
    "read_source",
    "read_table",
    "read_target",
    "table_suffix",
    "write_table",
]
