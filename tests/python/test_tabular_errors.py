"""What tables, columns, targets and stored preprocessing are refused for, each with its message."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from cmlp.tabular import TableEncoder, TableError, read_table, split_rows


def table(**columns):
    frame = pd.DataFrame({name: pd.Series(values) for name, values in columns.items()})
    return frame.assign(y=np.resize(["no", "yes", "no"], len(frame)))


def fit(frame, target="y", **options):
    return lambda: TableEncoder().fit(frame, target, **options)


def transform(trained, other):
    return lambda: TableEncoder().fit(table(**trained), "y").transform(pd.DataFrame(other))


NUMBERS = {"a": [1.0, 2.0, 3.0], "b": [4.0, 4.5, 9.0]}
# Each bad input: what is done, and what the message must say.
REFUSALS = {
    "no such target": (fit(table(**NUMBERS), "z"), "there is no column 'z'; the columns are a, b, y"),
    "nearly the name": (
        fit(table(Income=[1, 2, 3]), "incme"),
        "(did you mean 'Income'?)",
    ),
    "no such column to drop": (fit(table(**NUMBERS), drop=["c"]), "there is no column 'c'"),
    "unknown task": (
        fit(table(**NUMBERS), task="rank"),
        "unknown task 'rank'; choose from auto, classif",
    ),
    "one class": (fit(table(**NUMBERS).assign(y="no")), "target 'y' has one class only ('no')"),
    "constant quantity": (
        fit(pd.DataFrame({"a": [1, 2], "t": [1.5, 1.5]}), "t"),
        "target 't' is 1.5 in each training row",
    ),
    "words as a quantity": (
        fit(table(**NUMBERS), task="regression"),
        "target 'y' holds text; regression needs",
    ),
    "too many classes": (
        fit(table(a=range(50)).assign(y=[f"c{k}" for k in range(50)])),
        "target 'y' has 50 distinct values in 50 rows: too many for classes",
    ),
    "dates as target": (
        fit(table(**NUMBERS).assign(y=pd.date_range("2024-01-01", periods=3))),
        "target 'y' holds dates; it takes classes or numbers",
    ),
    "infinity": (fit(table(a=[1.0, 2.0, -np.inf])), "column 'a' holds -inf at row 3"),
    "infinite target": (
        fit(pd.DataFrame({"a": [1, 2, 3], "t": [0.5, np.inf, 1.5]}), "t"),
        "column 't' holds inf at row 2",
    ),
    "nothing left": (fit(table(a=[1, 1, 1])), "no column is left to predict 'y' from"),
    "columns missing": (
        transform(NUMBERS, {"a": [1.0], "c": [2.0]}),
        "the table lacks 1 of the 2 columns the model reads: b",
    ),
    "text for numbers": (
        transform({"a": [1, 2, 4]}, {"a": ["1", "2x"]}),
        "column 'a' holds text, the model was trained on numbers (the first that is not: '2x' at row 2)",
    ),
    "numbers for text": (
        transform({"a": ["x", "y", "x"]}, {"a": [1, 2]}),
        "column 'a' holds numbers, the model was trained on text",
    ),
    "numbers for dates": (
        transform({"a": ["2024-01-01", "2024-01-02", "2024-01-04"]}, {"a": [1.5, 2]}),
        "column 'a' holds numbers, the model was trained on dates",
    ),
    "words for dates": (
        transform({"a": ["2024-01-01", "2024-01-02", "2024-01-04"]}, {"a": ["2024-01-05", "soon"]}),
        "column 'a' holds 'soon' at row 2, which is not a date",
    ),
    "unknown label": (
        lambda: TableEncoder().fit(table(**NUMBERS), "y").target.encode(pd.Series(["no", "perhaps"])),
        "target 'y' holds 'perhaps' at row 2, which is none of the 2 classes",
    ),
    "too few rows to split": (
        lambda: split_rows(2, 0.2, 0),
        "2 rows are too few to keep 0.2 of them",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name):
    act, message = REFUSALS[name]
    with pytest.raises(TableError, match=re.escape(message)):
        act()


DAMAGE = {
    "no JSON": lambda data: "{",
    "not an object": lambda data: "[]",
    "later version": lambda data: json.dumps({**data, "version": 99}),
    "no target": lambda data: json.dumps({key: data[key] for key in ("version", "columns")}),
    "unknown kind": lambda data: json.dumps(data).replace('"numeric"', '"magic"'),
    "zero deviation": lambda data: re.sub(
        r'"deviation": [\d.]+, "indicator"', '"deviation": 0, "indicator"', json.dumps(data)
    ),
    "text for a number": lambda data: re.sub(r'"median": [\d.]+', '"median": "two"', json.dumps(data)),
    "unknown field": lambda data: json.dumps(data).replace('"median"', '"mode"'),
    "no classes": lambda data: json.dumps(data).replace('["no", "yes"]', "[]"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_json_is_one_clear_error(name):
    data = json.loads(TableEncoder().fit(table(**NUMBERS), "y").to_json())
    with pytest.raises(TableError, match="the model's table description cannot be read"):
        TableEncoder.from_json(DAMAGE[name](data))


# Files: name -> (content, what the message must say).
BAD_FILES = {
    "empty.csv": (b"", "cannot be read: No columns to parse from file"),
    "header.csv": (b"a,b\n", "the table has a header but no rows"),
    "twice.parquet": (None, "there is no such file"),
    "table.xlsx": (b"", "the suffix does not name a format; use one of .csv, .csv.gz, .parquet"),
    "latin.csv": (b"a,b\n1,caf\xe9\n", "cannot be read: 'utf-8' codec can't decode"),
    "ragged.csv": (b"a,b\n1,2\n1,2,3\n", "cannot be read: Error tokenizing data"),
    "wide.csv": (b"a,b\n1,2,3\n4,5,6\n", "the first row has more cells than the header has names"),
    "plain.csv.gz": (b"a,b\n1,2\n", "cannot be read: Not a gzipped file"),
    "cut.csv.gz": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03K", "cannot be read: Compressed file ended"),
    "text.parquet": (b"a,b\n1,2\n", "cannot be read"),
    "same.csv": (b"a,a \n1,2\n", "two columns are named 'a'"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(name, tmp_path):
    content, message = BAD_FILES[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=re.escape(message)) as caught:
        read_table(tmp_path / name)
    assert "\n" not in str(caught.value)
