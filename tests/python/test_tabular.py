"""The preprocessing of columns and targets: what each kind is taken for, and the features it makes."""

import json
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone

from cmlp.tabular import TableEncoder, TableError, Target, read_target
from cmlp.tabular.split import Rules, make_splits

ROWS = 100
RNG = np.random.default_rng(7)
WORDS = ["calm", "great", "works", "broke", "slow", "cheap", "solid", "blue", "late", "fine"]


def spread(*cells):
    return (list(cells) * ROWS)[:ROWS]


def dates(pattern, days=997):
    start = np.datetime64("2020-01-01")
    return [pd.Timestamp(start + 13 * k % days).strftime(pattern) for k in range(ROWS)]


# Every kind of column: name -> (cells, kind in the notes, names of the features they make or None).
COLUMNS = {
    "float": (RNG.normal(5, 3, ROWS), "number", ["float"]),
    "gaps": (
        np.where(np.arange(ROWS) % 9 == 0, np.nan, np.arange(ROWS) % 7),
        "number",
        ["gaps", "gaps missing"],
    ),
    "few": (np.arange(ROWS) % 3, "number", ["few"]),
    "nullable": (pd.array([1, None, 3, 4] * 25, dtype="Int64"), "number", ["nullable", "nullable missing"]),
    "huge": (RNG.normal(0, 1, ROWS) * 1e200, "number", ["huge"]),
    "bool": (np.arange(ROWS) % 2 == 0, "boolean", ["bool"]),
    "bool gaps": ([True, None, False, True] * 25, "boolean", ["bool gaps", "bool gaps missing"]),
    "text": (["b", "a"] * 50, "category", ["text=a", "text=b"]),
    "text gaps": (["b", None, "a", "a"] * 25, "category", ["text gaps=a", "text gaps=b", "text gaps other"]),
    "pandas category": (pd.Categorical(["x", "y"] * 50), "category", None),
    "spellings": (spread("a b", "A  b ", "c", "C"), "category", ["spellings=a b", "spellings=c"]),
    "codes": (spread("007", "012", "100"), "category", ["codes=007", "codes=012", "codes=100"]),
    "yes": (spread("Yes", "no ", "YES", "n"), "yes/no", ["yes"]),
    "yes gaps": (spread("Ja", "nein", "", "?"), "yes/no", ["yes gaps", "yes gaps missing"]),
    "plain": (spread("1", "2.5", "-3e2"), "number", ["plain"]),
    "plain gaps": (
        spread("1", "2.5", "", "n/a", "?", "unknown"),
        "number",
        ["plain gaps", "plain gaps missing"],
    ),
    "money": (spread("$1,234.50", "-$3", "$7"), "number", ["money"]),
    "lists": (
        spread("a|b", "b", "", "c|a", "b|c", "a|b|c"),
        "list",
        ["lists has a", "lists has b", "lists has c"],
    ),
    "date": (pd.date_range("2024-01-30", periods=ROWS, freq="6h"), "date", None),
    "zone": (pd.date_range("2024-01-01", periods=ROWS, freq="D", tz="Asia/Tokyo"), "date", None),
    "compact": ([int(d) for d in dates("%Y%m%d")], "date", None),
    "created_at": (1.6e9 + 86400.0 * 17 * np.arange(ROWS), "date", None),
    "duration": (pd.to_timedelta(RNG.random(ROWS), unit="s"), "duration", ["duration"]),
    "written duration": (spread("1h 20m", "45 min", "2h"), "duration", ["written duration"]),
    "lap": (spread("1:20", "0:45", "2:00"), "duration", ["lap"]),
    "hour": (spread("1:20", "0:45", "2:00"), "date", None),
    "level": (
        spread("Low", "medium", "HIGH"),
        "ordered category",
        ["level place", "level=high", "level=low", "level=medium"],
    ),
    "free text": ([" ".join(RNG.choice(WORDS, 5)) + f" {k}" for k in range(ROWS)], "text", None),
}

# What is left out, and why.
LEFT_OUT = {
    "constant": ([4.0] * ROWS, "the same in every training row"),
    "one word": (["same"] * ROWS, "the same in every training row"),
    "empty": ([None] * ROWS, "no values"),
    "only words for missing": (spread("n/a", "?", ""), "no values"),
    "ticket": ([f"T{k:05d}" for k in range(ROWS)], f"an identifier: {ROWS} values in {ROWS} rows"),
    "customer_id": (RNG.permutation(10**6)[:ROWS], "an identifier"),
    "number of the row": (np.arange(ROWS) + 1, "it counts the rows"),
    "bytes": ([b"1"] * ROWS, "neither numbers, text nor dates"),
    "complex": ([1j] * ROWS, "neither numbers, text nor dates"),
}


def column(name, cells):
    return pd.DataFrame({name: pd.Series(cells), "other": np.arange(len(cells)) % 5})


@pytest.mark.parametrize("name", COLUMNS)
def test_kinds_of_columns(name):
    cells, kind, features = COLUMNS[name]
    frame = column(name, cells)
    encoder = TableEncoder().fit(frame)
    assert encoder.notes_[0].kind == kind
    names = encoder.get_feature_names_out().tolist()
    assert features is None or names == [*features, "other"]
    matrix = encoder.transform(frame)
    assert matrix.shape == (ROWS, len(names))
    assert matrix.dtype == np.float32
    assert np.isfinite(matrix.toarray() if hasattr(matrix, "toarray") else matrix).all()


@pytest.mark.parametrize("name", LEFT_OUT)
def test_columns_left_out(name):
    cells, reason = LEFT_OUT[name]
    encoder = TableEncoder().fit(column(name, cells))
    assert reason in encoder.notes_[0].treatment
    assert [found.name for found in encoder.columns_] == ["other"]


# Numbers as people write them: cells, and what they mean.
NUMBERS = {
    "dollars": (["$1,234.50", "-$3.00", "$7"], [1234.5, -3, 7]),
    "euros": (["1.234,50 €", "3,00 €", "-7,1 €"], [1234.5, 3, -7.1]),
    "thousands": (["1,234", "5,678,901"], [1234, 5678901]),
    "points": (["1.234", "2.345"], [1.234, 2.345]),
    "percent": (["41.5%", "3 %"], [41.5, 3]),
    "percent and shares": (["41.5%", "0.03", "5%"], [0.415, 0.03, 0.05]),
    "kilograms": (["12 kg", "3.5kg"], [12, 3.5]),
    "parentheses": (["(1.5)", "2.5", "($3)"], [-1.5, 2.5, -3]),
    "trailing minus": (["1.5-", "2"], [-1.5, 2]),
    "suffixes": (["12.5K", "3M", "7", "1bn"], [12500, 3e6, 7, 1e9]),
    "blanks": (["1 234,5", "12"], [1234.5, 12]),
    "no-break blanks": (["1\u00a0234,5", "12"], [1234.5, 12]),
    "lakh": (["12,34,567.5", "1,00,000"], [1234567.5, 100000]),
    "apostrophes": (["1'234.5", "2"], [1234.5, 2]),
    "codes of money": (["CHF 12.50", "CHF 3"], [12.5, 3]),
    "units of one quantity": (["2 kg", "500 g", "1.5kg", "4 lb"], [2, 0.5, 1.5, 1.81436948]),
    "most in grams": (["250 g", "500 g", "2 kg"], [250, 500, 2000]),
    "sizes of files": (["3 MB", "512 KB", "1 GB"], [3, 0.512, 1000]),
    "one and many": (["1 bed", "2 beds", "5 beds"], [1, 2, 5]),
    "words for missing": (["5", "n/a", "-", "?", "unknown", "", "7"], [5, None, None, None, None, None, 7]),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_as_people_write_them(name):
    cells, means = NUMBERS[name]
    encoder = TableEncoder().fit({"a": cells * 20, "b": list(range(len(cells))) * 20})
    read = encoder.columns_[0].read(pa.array(cells), [])
    np.testing.assert_allclose(read, [np.nan if m is None else m for m in means], rtol=1e-12)


NOT_NUMBERS = {
    "codes": ["S001", "S002", "S003"],
    "flats": ["12A", "13B", "15C"],
    "addresses": ["12 Main Street", "3 Oak Road"],
    "networks": ["192.168.0.1", "10.0.0.2"],
    "telephones": ["555-1234", "555-2222"],
    "units of several quantities": ["2 kg", "3 m", "5 l"],
}


@pytest.mark.parametrize("name", NOT_NUMBERS)
def test_what_only_looks_like_numbers(name):
    cells = NOT_NUMBERS[name]
    assert TableEncoder().fit({"a": cells * 20}).notes_[0].kind == "category"


# Durations: cells, and their seconds.
DURATIONS = {
    "parts": (["1h 30m", "45 min", "2 hours", "1 hr and 5 mins", "2h30m"], [5400, 2700, 7200, 3900, 9000]),
    "days": (["3 days", "2 weeks", "36 h"], [259200, 1209600, 129600]),
    "years": (["1 year 6 months", "2 yrs", "3 mo"], [47336400, 63115200, 7889400]),
    "clock": (["36:15:00", "0:05:30.5", "90:00"], [130500, 330.5, 5400]),
    "pandas": (["1 days 02:30:00", "0 days 00:00:05", "-1 days +23:00:00"], [95400, 5, -3600]),
    "python": (["1 day, 2:30:00", "0:45:00", "26:00:00"], [95400, 2700, 93600]),
    "ISO 8601": (["PT2H30M", "P1DT1S", "PT0.5S"], [9000, 86401, 0.5]),
    "gaps": (["1h", "n/a", "20m", ""], [3600, None, 1200, None]),
}


@pytest.mark.parametrize("name", DURATIONS)
def test_durations_as_people_write_them(name):
    cells, seconds = DURATIONS[name]
    encoder = TableEncoder().fit({"a": cells * 20})
    assert encoder.notes_[0].kind == "duration"
    read = encoder.columns_[0].read(pa.array(cells), [])
    np.testing.assert_allclose(read, [np.nan if s is None else s for s in seconds], rtol=1e-12)


# Categories from the lowest to the highest; "" has no place.
ORDERS = {
    "words": ["never", "rarely", "sometimes", "often", "always"],
    "sizes": ["S", "M", "L", "XL"],
    "agreement": ["strongly disagree", "disagree", "neutral", "agree", "strongly agree"],
    "ages": ["<18", "18-25", "26-35", "36 to 50", "51+"],
    "incomes": ["under $10,000", "$10,000 - $20,000", "$20,000 - $50,000", "over $50,000"],
    "thousands": ["0-10k", "10k-100k", "100k-1M", "more than 1M"],
    "intervals": ["(0.5, 2.0]", "(2.0, 9.5]", "(9.5, 10.0]"],
    "numbered": ["Level 1", "Level 2", "Level 10"],
    "ordinals": ["1st", "2nd", "3rd", "11th"],
}
NO_ORDER = {
    "names": ["red", "green", "blue"],
    "two steps": ["low", "high"],
    "a step of none": ["low", "medium", "high", "blue"],
    "codes": ["A-1", "B-2", "C-3"],
    "shops": ["shop 1", "shop 2", "shop 3"],
}


@pytest.mark.parametrize("name", ORDERS)
def test_categories_in_their_order(name):
    cells = [*ORDERS[name], "unknown"] if name == "ages" else ORDERS[name]
    encoder = TableEncoder().fit({"a": cells[::-1] * 20})
    places = encoder.transform({"a": ORDERS[name]})[:, 0]
    np.testing.assert_allclose(places, np.linspace(-1, 1, len(places)), atol=1e-6)
    assert encoder.transform({"a": ["unknown", None]})[:, 0].tolist() == [0.0, 0.0]
    (column,) = TableEncoder({"a": "category"}).fit({"a": cells * 20}).columns_
    assert column.places == ()


@pytest.mark.parametrize("name", NO_ORDER)
def test_categories_without_an_order(name):
    (column,) = TableEncoder().fit({"a": NO_ORDER[name] * 20}).columns_
    assert column.places == ()


# Dates: cells and days since 1970 of the first.
DATES = {
    "day first": (["25/12/2021", "3/4/2021"], 18986),
    "month first": (["12/25/2021", "3/4/2021"], 18986),
    "dots": (["30.12.23", "1.1.24"], 19721),
    "name": (["Mar 05, 2021", "Dec 25, 2020"], 18691),
    "name after day": (["5 March 2021", "25. Dezember 2020"], 18691),
    "weekday": (["Mon, 5 Mar 2021 10:00 PM", "Tue, 6 Mar 2021 01:00 AM"], 18691 + 22 / 24),
    "iso zone": (["2021-03-04T10:00:00+02:00", "2021-03-05T10:00:00Z"], 18690 + 8 / 24),
    "compact": (["20210304", "20211231"], 18690),
    "quarter": (["2021Q3", "2020Q1"], 18809),
    "month": (["2021-03", "2020-12"], 18687),
    "short month": (["Mar-21", "Dec-20"], 18687),
    "week": (["2021-W05", "2021-W50"], 18656),
    "time of day": (["14:30", "2:05 PM"], 14.5 / 24),
}


@pytest.mark.parametrize("name", DATES)
def test_dates_in_common_formats(name):
    cells, day = DATES[name]
    encoder = TableEncoder().fit({"a": cells * 20})
    assert encoder.notes_[0].kind == "date"
    assert encoder.columns_[0].read(pa.array(cells), [])[0] == pytest.approx(day)


def test_the_rest_of_the_table_decides_what_a_column_leaves_open():
    cells = ["3/4/2021", "1/2/2021"] * 20
    assert TableEncoder().fit({"a": cells}).columns_[0].format == "month/day/year"
    assert "other orders fit" in TableEncoder().fit({"a": cells}).notes_[0].doubt
    other = {"a": cells, "b": ["25/12/2021", "3/4/2021"] * 20}
    assert TableEncoder().fit(other).columns_[0].format == "day/month/year"
    marks = {"a": ["1.234", "2.345"] * 20, "b": ["1,5", "2,25"] * 20}
    assert TableEncoder().fit(marks).columns_[0].read(pa.array(["1.234"]), []).tolist() == [1234.0]


GIVEN = {
    "number": (["a1", "2", "3"], "numeric"),
    "category": ([1, 2, 3], "category"),
    "date": (["1.2.2021", "3.4.2021", "2.2.2022"], "date"),
    "text": (["red", "blue", "red"], "text"),
    "list": (["a,b", "b", "a"], "list"),
    "yes/no": (["x", "0", "1"], "numeric"),
    "duration": (["3:20", "4:10", "x"], "numeric"),
}


@pytest.mark.parametrize("given", GIVEN)
def test_a_type_can_be_given(given):
    cells, kind = GIVEN[given]
    assert TableEncoder({"a": given}).fit({"a": cells}).columns_[0].kind == kind


def test_stray_words_are_missing_and_counted():
    cells = ["1.5"] * 60 + ["2.5"] * 39 + ["see note"]
    encoder = TableEncoder().fit({"a": cells})
    assert "1 cells are no numbers ('see note' ...)" in encoder.notes_[0].doubt
    _, remarks = encoder.encode(pa.table({"a": ["1.5", "later", "2"]}))
    assert remarks == ["column 'a': 1 cells are no numbers ('later' at row 2): taken as missing"]


def test_unseen_categories_are_counted():
    encoder = TableEncoder().fit({"a": ["x", "y"] * 20})
    matrix, remarks = encoder.encode(pa.table({"a": ["x", "z", "z"]}))
    assert matrix.tolist() == [[1, 0], [0, 0], [0, 0]]
    assert "2 cells hold categories that are not in the training rows ('z')" in remarks[0]


def test_many_features_make_a_sparse_matrix():
    cells = [f"shop{k}" for k in range(600)] * 2
    matrix = TableEncoder().fit({"a": cells}).transform({"a": cells})
    assert matrix.shape == (1200, 600)
    assert matrix.nnz == 1200
    assert matrix.dtype == np.float32


@pytest.fixture
def people():
    return pd.DataFrame({name: pd.Series(cells) for name, (cells, _, _) in COLUMNS.items()})


def equal(one, two):
    return (abs(one - two) > 0).nnz == 0 if hasattr(one, "nnz") else np.array_equal(one, two)


def test_json_and_pickle_keep_everything(people):
    encoder = TableEncoder().fit(people)
    again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict(), allow_nan=False)))
    assert equal(again.transform(people), encoder.transform(people))
    assert equal(pickle.loads(pickle.dumps(encoder)).transform(people), encoder.transform(people))


def test_frames_of_every_kind_mean_the_same(people):
    frame = people.drop(columns=["pandas category", "duration"])
    encoder = TableEncoder().fit(frame)
    want = encoder.transform(frame)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    for other in (
        table,
        pl.from_arrow(table),
        table.to_pydict(),
        table.to_pylist(),
        frame[frame.columns[::-1]],
    ):
        assert equal(encoder.transform(other), want)
    row = {name: values[3] for name, values in table.to_pydict().items()}
    assert equal(encoder.transform(row), want[3:4])
    assert encoder.unused(["float", "extra"]) == ["extra"]


def test_it_is_a_transformer():
    frame = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": ["x", "y", "x"]}, index=[5, 6, 9])
    encoder = clone(TableEncoder({"a": "number"})).set_output(transform="pandas")
    out = encoder.fit_transform(frame)
    assert out.columns.tolist() == ["a", "b=x", "b=y"]
    assert out.index.tolist() == [5, 6, 9]


def test_one_row_with_nothing_in_it(people):
    encoder = TableEncoder().fit(people)
    nothing = encoder.transform(pd.DataFrame({name: [None] for name in people.columns}))
    assert np.isfinite(nothing.toarray()).all()


# Each refusal: what is done, and what the message says.
NUMERIC = {"a": [1.0, 2.0, 3.0], "b": [4.0, 4.5, 9.0]}
REFUSALS = {
    "no such column": (
        lambda: TableEncoder({"c": "drop"}).fit(NUMERIC),
        "there is no column 'c'; the columns are a, b",
    ),
    "nearly the name": (
        lambda: TableEncoder({"Incme": "drop"}).fit({"income": [1, 2]}),
        "did you mean 'income'?",
    ),
    "unknown type": (
        lambda: TableEncoder({"a": "float"}).fit(NUMERIC),
        "unknown type 'float'; choose from number",
    ),
    "infinity": (lambda: TableEncoder().fit({"a": [1.0, -np.inf]}), "column 'a' holds -inf at row 2"),
    "nothing left": (
        lambda: TableEncoder().fit({"a": [1, 1]}),
        "no column is left to learn from: a: left out: the sa",
    ),
    "columns missing": (
        lambda: TableEncoder().fit(NUMERIC).transform({"a": [1.0]}),
        "the table lacks 1 of the 2 columns the model reads: b; it has a",
    ),
    "text for numbers": (
        lambda: TableEncoder().fit(NUMERIC).transform({"a": ["x", "y", "1"], "b": [1, 2, 3]}),
        "column 'a' holds text, the model was trained on numbers (the first that is not: 'x' at row 1)",
    ),
    "dates for numbers": (
        lambda: TableEncoder().fit(NUMERIC).transform({"a": pd.to_datetime(["2021-01-01"]), "b": [1]}),
        "column 'a' holds dates, the model was trained on numbers",
    ),
    "numbers for dates": (
        lambda: TableEncoder().fit({"a": ["2024-01-01", "2024-02-02"]}).transform({"a": [1.5]}),
        "column 'a' holds numbers, the model was trained on dates",
    ),
    "words for dates": (
        lambda: TableEncoder().fit({"a": ["2024-01-01", "2024-02-02"]}).transform({"a": ["soon"]}),
        "the first that is not: 'soon' at row 1",
    ),
    "one class": (
        lambda: Target.fit("y", read_target("y", pa.array(["no"] * 3))),
        "has one class only ('no')",
    ),
    "constant quantity": (
        lambda: Target.fit("t", read_target("t", pa.array([1.5, 1.5]))),
        "target 't' is 1.5 in each training row",
    ),
    "words as a quantity": (
        lambda: Target.fit("y", read_target("y", pa.array(["no", "yes"])), "regression"),
        "target 'y' holds text; regression needs numbers (the first that is not: 'no' at row 1)",
    ),
    "too many classes": (
        lambda: Target.fit("y", read_target("y", pa.array([f"c{k}" for k in range(50)]))),
        "target 'y' has 50 distinct values in 50 rows: too many for classes",
    ),
    "dates as target": (
        lambda: read_target("y", pa.array(pd.date_range("2024-01-01", periods=3))),
        "target 'y' holds dates; it takes classes or numbers",
    ),
    "unknown label": (
        lambda: Target("y", "classification", ("a", "b")).encode(pa.array(["a", "c"])),
        "target 'y' holds 'c' at row 2, which is none of the 2 classes",
    ),
    "too few rows to split": (lambda: make_splits(Rules(0.2, None, 0, 1), None, 1), "1 rows are too few"),
    "too few groups to split": (
        lambda: make_splits(Rules(0.2, None, 0, 1), None, 2, groups=np.array(["a", "a"])),
        "all rows are of one group: none can be held out",
    ),
    "one time only": (
        lambda: make_splits(Rules(0.2, None, 0, 1), None, 3, time=np.zeros(3)),
        "3 rows are too few to keep 0.2 of them",
    ),
    "ragged columns": (
        lambda: TableEncoder().fit({"a": [1, 2], "b": [1]}),
        "the columns have different lengths: 1, 2",
    ),
    "no table": (lambda: TableEncoder().fit([1, 2]), "a table has rows and columns"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name):
    act, message = REFUSALS[name]
    with pytest.raises(TableError) as caught:
        act()
    assert message in str(caught.value)
