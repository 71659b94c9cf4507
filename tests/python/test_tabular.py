"""Tables on disk, the preprocessing of columns and targets, and every refusal with its message."""

import numpy as np
import pandas as pd
import pytest

from cmlp.tabular import TableEncoder, choose_task, read_table, split_rows, write_table

ROWS = 100
RNG = np.random.default_rng(7)

# Every kind of column: name -> (values, kind in the notes, names of the features they make).
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
    "text": (["b", "a"] * 50, "text", ["text=a", "text=b"]),
    "text gaps": (["b", None, "a", "a"] * 25, "text", ["text gaps=a", "text gaps=b", "text gaps other"]),
    "category": (pd.Categorical(["x", "y"] * 50), "text", ["category=x", "category=y"]),
    "codes": (pd.Categorical([3, 1] * 50), "category", ["codes=1", "codes=3"]),
    "date": (
        pd.date_range("2024-01-30", periods=ROWS, freq="6h"),
        "date",
        ["date day", "date month", "date weekday", "date hour"],
    ),
    "zone": (pd.date_range("2024-01-01", periods=ROWS, freq="D", tz="Asia/Tokyo"), "date", None),
    "iso": (
        pd.date_range("2024-03-01", periods=ROWS).strftime("%Y-%m-%d"),
        "date",
        ["iso day", "iso month", "iso weekday"],
    ),
    "duration": (pd.to_timedelta(RNG.random(ROWS), unit="s"), "duration", ["duration"]),
}

# What is left out, and why.
LEFT_OUT = {
    "constant": ([4.0] * ROWS, "the same in every training row"),
    "one word": (["same"] * ROWS, "the same in every training row"),
    "empty": ([None] * ROWS, "no values"),
    "name": ([f"person {k}" for k in range(ROWS)], f"{ROWS} distinct values in {ROWS} rows"),
    "number of the row": (np.arange(ROWS) + 1, "counts the rows"),
    "lists": ([[1, 2]] * ROWS, "neither numbers, text nor dates"),
    "bytes": ([b"1"] * ROWS, "neither numbers, text nor dates"),
    "complex": ([1j] * ROWS, "neither numbers, text nor dates"),
}


def table(**columns):
    frame = pd.DataFrame({name: pd.Series(values) for name, values in columns.items()})
    return frame.assign(y=np.resize(["no", "yes", "no"], len(frame)))


@pytest.fixture
def people():
    return table(**{name: values for name, (values, *_) in COLUMNS.items()})


@pytest.mark.parametrize("name", COLUMNS)
def test_each_kind_of_column(name):
    values, kind, features = COLUMNS[name]
    frame = table(**{name: values})
    encoder = TableEncoder().fit(frame, "y")
    assert encoder.notes[0].kind == kind
    assert features is None or encoder.features == features
    matrix = encoder.transform(frame)
    assert matrix.dtype == np.float32
    assert matrix.shape == (ROWS, len(encoder.features))
    assert np.isfinite(matrix).all()


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_is_said(name):
    values, reason = LEFT_OUT[name]
    encoder = TableEncoder().fit(table(**{name: values, "kept": np.arange(ROWS) % 5}), "y")
    assert encoder.features == ["kept"]
    assert encoder.notes[0].treatment.startswith("left out: ")
    assert reason in encoder.notes[0].treatment


def test_numbers_are_filled_marked_and_standardised():
    values = np.array([1.0, np.nan, 3.0, 8.0])
    matrix = TableEncoder().fit(table(a=values), "y").transform(table(a=values))
    filled = np.array([1.0, 3.0, 3.0, 8.0])
    assert matrix[:, 0] == pytest.approx((filled - filled.mean()) / filled.std(), rel=1e-6)
    assert matrix[:, 1].tolist() == [0, 1, 0, 0]


def test_date_parts():
    dates = pd.to_datetime(["1970-01-01", "2024-02-29 06:00", "2023-12-31 18:00", None], format="ISO8601")
    encoder = TableEncoder().fit(table(d=dates), "y")
    day, month, weekday, hour = encoder.columns[0].parts
    there = dates[:3]
    assert month.median == np.median(there.month)
    assert weekday.median == np.median(there.day_of_week)
    assert hour.median == np.median(there.hour)
    assert day.median == (there[2] - there[0]) / pd.Timedelta(days=1)
    assert [part.indicator for part in (day, month, weekday, hour)] == [True, False, False, False]


def test_statistics_come_from_the_training_rows_alone():
    values = np.r_[np.arange(50) % 7, np.full(50, 1e6)]
    train = np.arange(ROWS) < 50
    encoder = TableEncoder().fit(table(a=values), "y", train_rows=train)
    matrix = encoder.transform(table(a=values))
    assert matrix[train].mean() == pytest.approx(0, abs=1e-6)
    assert (matrix[~train] == 10).all(), "wild values are cut at 10 deviations"


def test_unseen_categories():
    without = TableEncoder().fit(table(c=["a", "b", "a"]), "y")
    assert without.transform(table(c=["z", None, "b"])).tolist() == [[0, 0], [0, 0], [0, 1]]
    having = TableEncoder().fit(table(c=["a", None, "b"]), "y")
    assert having.transform(table(c=["z", None, "b"])).tolist() == [[0, 0, 1], [0, 0, 1], [0, 1, 0]]


def test_only_the_64_most_frequent_categories_count():
    frequent = [f"f{k}" for k in range(64)] * 5
    rare = [f"r{k}" for k in range(30)]
    encoder = TableEncoder().fit(table(c=frequent + rare), "y")
    assert encoder.features == [*(f"c={name}" for name in sorted(set(frequent))), "c other"]


def test_numbers_can_be_categories():
    frame = table(zip=[10, 20, 30, 10])
    encoder = TableEncoder().fit(frame, "y", categorical=["zip"])
    assert encoder.features == ["zip=10", "zip=20", "zip=30"]
    assert encoder.transform(frame.astype({"zip": float})).argmax(axis=1).tolist() == [0, 1, 2, 0]


def test_json_keeps_everything(people):
    encoder = TableEncoder().fit(people, "y")
    again = TableEncoder.from_json(encoder.to_json())
    assert again == encoder
    assert again.text_columns == encoder.text_columns
    np.testing.assert_array_equal(again.transform(people), encoder.transform(people))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet", ".pq"])
def test_a_table_means_the_same_in_every_format(people, suffix, tmp_path):
    people = people.drop(columns=["duration"])  # CSV has no durations
    encoder = TableEncoder().fit(people, "y")
    path = tmp_path / f"people{suffix}"
    write_table(people, path)
    again = read_table(path, encoder.text_columns)
    np.testing.assert_array_equal(encoder.transform(again), encoder.transform(people))


def test_order_of_columns_and_extra_columns_do_not_matter(people):
    encoder = TableEncoder().fit(people, "y")
    mixed = people[people.columns[::-1]].assign(extra=1)
    np.testing.assert_array_equal(encoder.transform(mixed), encoder.transform(people))
    assert encoder.unused(mixed.columns) == ["extra"]


def test_one_row_with_nothing_in_it(people):
    encoder = TableEncoder().fit(people, "y")
    nothing = pd.DataFrame({name: [np.nan] for name in people.columns})
    assert np.isfinite(encoder.transform(nothing)).all()


TARGETS = {
    "text": (["b", "a", "b"], "classification", ("a", "b")),
    "boolean": ([True, False, True], "classification", (False, True)),
    "integers": ([3, 1, 3], "classification", (1, 3)),
    "whole floats": ([3.0, 1.0, 3.0], "classification", (1, 3)),
    "category": (pd.Categorical([20, 10, 20]), "classification", (10, 20)),
    "floats": ([0.5, 1.5, 2.0], "regression", ()),
    "many integers": (range(21), "regression", ()),
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets(name):
    values, task, classes = TARGETS[name]
    series = pd.Series(values, name="t")
    assert choose_task(series) == task
    frame = pd.DataFrame({"a": (np.arange(len(series)) * 5) % 3, "t": series})
    target = TableEncoder().fit(frame, "t").target
    assert target.classes == classes
    assert [type(label) for label in target.classes] == [type(label) for label in classes]
    encoded = target.encode(series)
    back = target.decode(encoded if classes else encoded[:, 0])
    assert back.tolist() == (list(series) if classes else pytest.approx(list(series), abs=1e-6))
    if not classes:
        assert encoded.dtype == np.float32
        assert (encoded.mean(), encoded.std()) == pytest.approx((0, 1), abs=1e-6)


READINGS = {
    "semicolons": "a;b\n1;x\n",
    "tabs": "a\tb\n1\tx\n",
    "blanks after commas": "a, b\n1, x\n",
    "byte order mark": "\ufeffa,b\n1,x\n",
    "windows line ends": "a,b\r\n1,x\r\n",
    "quotes": '"a","b"\n"1","x"\n',
}


@pytest.mark.parametrize("name", READINGS)
def test_habits_of_csv_writers(name, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(READINGS[name].encode())
    assert read_table(path).to_dict("records") == [{"a": 1, "b": "x"}]


def test_missing_cells_and_text_columns(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n007,?\n,NA\n010,2\n")
    assert read_table(path)["b"].isna().tolist() == [True, True, False]
    assert read_table(path, ["a"])["a"].dropna().tolist() == ["007", "010"]


def test_the_split_keeps_the_share_of_each_class():
    groups = np.array(["a"] * 80 + ["b"] * 19 + ["c"])
    train = split_rows(100, 0.25, 0, groups)
    assert [int((~train[groups == name]).sum()) for name in "abc"] == [20, 5, 0]
    np.testing.assert_array_equal(train, split_rows(100, 0.25, 0, groups))
    assert (train != split_rows(100, 0.25, 1, groups)).any()
    assert split_rows(5, 0.0, 0).all()
