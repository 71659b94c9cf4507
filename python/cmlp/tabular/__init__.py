"""Tables: reading, writing, and the preprocessing `cmlp train` keeps with a model (needs pandas)."""

from cmlp.tabular.encoder import ColumnNote, TableEncoder
from cmlp.tabular.errors import TableError
from cmlp.tabular.split import split_rows
from cmlp.tabular.tables import read_table, table_suffix, write_table
from cmlp.tabular.target import Target, choose_task, find_target

__all__ = [
    "ColumnNote",
    "TableEncoder",
    "TableError",
    "Target",
    "choose_task",
    "find_target",
    "read_table",
    "split_rows",
    "table_suffix",
    "write_table",
]
