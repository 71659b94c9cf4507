"""Tables on disk: any common format in, CSV and Parquet out."""

from cmlp.tabular.reading.source import Source, read_source, read_table
from cmlp.tabular.reading.writing import table_suffix, write_table

__all__ = ["Source", "read_source", "read_table", "table_suffix", "write_table"]
