"""`TabularClassifier` and `TabularRegressor`: right predictions from tables as people write them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from cmlp.tabular import TableEncoder, TabularClassifier, TabularRegressor, read_table
from quick import QUICK

TRAIN, ROWS = 500, 650


def plain(value):
    return f"{value:.4f}"


def european(value):
    return f"{value * 1e5:,.2f}".translate(str.maketrans(",.", ".,")) + " €"


# How one cell is written; the target is 3 times the number plus another column.
CELLS = {
    "plain": plain,
    "decimal comma": lambda v: plain(v).replace(".", ","),
    "dollars": lambda v: f"{'-' if v < 0 else ''}${abs(v) * 1e5:,.2f}",
    "euros": european,
    "thousands": lambda v: f"{v * 1e6:,.0f}",
    "percent": lambda v: f"{v * 10:.2f}%",
    "units": lambda v: f"{v * 10:.2f} kg",
    "accounting": lambda v: f"({-v:.3f})" if v < 0 else f"{v:.3f}",
    "trailing minus": lambda v: f"{abs(v):.3f}{'-' if v < 0 else ''}",
    "millions": lambda v: f"{v * 10:.3f}M" if abs(v) > 0.5 else f"{v * 1e4:.1f}k",
    "blanks": lambda v: f"  {plain(v)} ",
}
WRITERS = {
    "commas": {},
    "semicolons": {"sep": ";"},
    "tabs": {"sep": "\t"},
    "pipes": {"sep": "|"},
    "UTF-16": {"encoding": "utf-16"},
    "Latin-1": {"encoding": "latin-1"},
    "packed": {"compression": "gzip"},
}


def numbers(cell, seed=0):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, ROWS))
    return pd.DataFrame({"größe": [cell(v) for v in a], "b": b, "y": 3 * a + b})


def r2(model, frame):
    return model.score(frame.drop(columns="y"), frame["y"])


@pytest.mark.parametrize("name", CELLS)
def test_cells(name):
    frame = numbers(CELLS[name])
    model = TabularRegressor(**QUICK).fit(frame[:TRAIN].drop(columns="y"), frame["y"][:TRAIN])
    assert r2(model, frame[TRAIN:]) > 0.97


@pytest.mark.parametrize("name", WRITERS)
def test_files(name, tmp_path):
    frame = numbers(CELLS["decimal comma"] if name == "semicolons" else plain)
    frame[:TRAIN].to_csv(tmp_path / "train.csv", index=False, **WRITERS[name])
    frame[TRAIN:].to_csv(tmp_path / "test.csv", index=False, **WRITERS[name])
    train, test = read_table(tmp_path / "train.csv"), read_table(tmp_path / "test.csv")
    model = TabularRegressor(**QUICK).fit(train.drop_columns("y"), train["y"])
    assert np.corrcoef(model.predict(test), frame["y"][TRAIN:])[0, 1] > 0.98


DATES = ["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%y", "%b %d, %Y", "%Y-%m-%dT%H:%M:%SZ", "%Y%m%d", "%d %B %Y"]


@pytest.mark.parametrize("pattern", DATES)
def test_dates_carry_season_and_weekday(pattern):
    rng = np.random.default_rng(1)
    when = pd.to_datetime(rng.choice(pd.date_range("2015-01-01", "2021-12-31"), ROWS))
    y = 3 * np.sin(2 * np.pi * when.day_of_year / 365.25) + 2 * (when.day_of_week >= 5)
    frame = pd.DataFrame({"when": when.strftime(pattern), "y": y})
    model = TabularRegressor(**QUICK).fit(frame[["when"]][:TRAIN], frame["y"][:TRAIN])
    assert r2(model, frame[TRAIN:]) > 0.9


def effects(kind, rng):
    """Cells of a column and the number that each stands for."""
    if kind == "untidy categories":
        effect = {"basic": 0.0, "pro": 3.0, "enterprise": -3.0}
        names = rng.choice(list(effect), ROWS)
        forms = (str.upper, str.title, lambda s: f" {s}", lambda s: f"{s}  ", str)
        return [forms[k % 5](n) for k, n in enumerate(names)], [effect[n] for n in names]
    if kind == "many categories":
        codes = rng.integers(0, 100, ROWS)
        return [f"S{c:03d}" for c in codes], rng.normal(scale=3, size=100)[codes]
    if kind == "lists":
        effect = {"pool": 3.0, "garden": 2.0, "garage": 1.0, "sauna": -2.0}
        has = [[word for word in effect if rng.random() < 0.4] for _ in range(ROWS)]
        return ["|".join(rng.permutation(words)) for words in has], [
            sum(effect[w] for w in words) for words in has
        ]
    on = rng.random(ROWS) < 0.5
    yes, no = ["Yes", "yes", " YES", "y", "TRUE"], ["No", "no ", "NO", "n", "FALSE"]
    return [(yes if o else no)[k % 5] for k, o in enumerate(on)], 3.0 * on


@pytest.mark.parametrize("kind", ["untidy categories", "many categories", "lists", "yes and no"])
def test_words(kind):
    rng = np.random.default_rng(2)
    cells, effect = effects(kind, rng)
    b = rng.normal(size=ROWS)
    frame = pd.DataFrame({"a": cells, "b": b, "y": np.asarray(effect) + b})
    model = TabularRegressor(**QUICK).fit(frame[:TRAIN].drop(columns="y"), frame["y"][:TRAIN])
    assert r2(model, frame[TRAIN:]) > (0.8 if kind == "many categories" else 0.9)  # 4 rows each


def test_text():
    rng = np.random.default_rng(3)
    good, bad = ["works great", "love it", "excellent value"], ["broke at once", "very slow", "poor quality"]
    filler = ["the box", "my order", "this item", "bought in May", "for my desk"]
    y = rng.choice(["good", "bad"], 400)
    x = [
        f"{rng.choice(filler)} {k} {rng.choice(good if label == 'good' else bad)}"
        for k, label in enumerate(y)
    ]
    model = TabularClassifier(**{**QUICK, "epochs": 20}).fit({"review": x[:300]}, y[:300])
    assert model.encoder_.notes_[0].kind == "text"
    assert np.mean(model.predict({"review": x[300:]}) == y[300:]) > 0.95


def test_it_is_an_estimator(classifier):
    again = clone(classifier)
    assert again.get_params() == classifier.get_params()
    with pytest.raises(ValueError, match="this TabularClassifier is not fitted; call fit first"):
        again.predict({"a": 1})
    assert classifier.n_features_in_ == 3
    assert classifier.record_["scores"]["accuracy"] > 0.9


def test_rare_classes_get_a_threshold():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(3000, 3))
    y = np.where(x[:, 0] + 0.7 * rng.normal(size=3000) > 2.2, "yes", "no")
    model = TabularClassifier(**{**QUICK, "epochs": 20}).fit(x, y)
    record = model.record_
    assert record["rare_class"] == "yes"
    assert model.target_.threshold < 0.5
    assert record["scores"]["F1"] > record["baseline"]["F1"] == 0.0
    assert set(record["scores"]) >= {"AUC", "average precision", "F1", "accuracy", "log loss"}
    assert 0.2 < np.mean(model.predict(x) == "yes") / np.mean(y == "yes") < 4


def test_leaks_are_named():
    rng = np.random.default_rng(7)
    y = rng.normal(size=300)
    model = TabularRegressor(**{**QUICK, "epochs": 3}).fit({"a": rng.normal(size=300), "total": np.exp(y)}, y)
    assert model.remarks_ == [
        "column 'total' alone predicts the target (100.00%): is it known before the target is? "
        "--drop 'total' leaves it out"
    ]


def test_weights_count_rows(shop):
    x, weight = {"a": ["x", "y"] * 100}, np.tile([1.0, 1.0, 0.0, 0.0], 50)
    y = ["p", "q", "q", "p"] * 50
    model = TabularClassifier(validation=0, **QUICK).fit(x, y, sample_weight=weight)
    assert model.predict({"a": ["x", "y"]}).tolist() == ["p", "q"]


def test_a_target_is_read_as_the_table_is_written():
    inputs = pa.table({"a": [f"{k},5" for k in range(40)], "b": [f"{k % 7},25" for k in range(40)]})
    prices = pa.array([f"{k + 1}.{k:03d}" for k in range(40)])
    model = TabularRegressor("fast", epochs=1).fit(inputs, prices)
    assert model.target_.format.decimal == ","
    assert (model.target_.mean, model.target_.log) == (pytest.approx(20.5 * 1000 + 19.5), False)


# scikit-learn's checks that do not apply, and why.
NOT_APPLICABLE = {
    "check_estimators_nan_inf": "gaps are missing values",
    "check_sample_weight_equivalence_on_dense_data": "the held-out rows are drawn by row",
    "check_regressors_train": "few epochs",
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "model", [TableEncoder(), TabularRegressor("fast", epochs=5), TabularClassifier("fast", epochs=5)]
)
def test_scikit_learn_checks(model):
    results = check_estimator(model, on_fail=None, on_skip=None)
    failed = {result["check_name"] for result in results if result["status"] == "failed"}
    assert failed <= set(NOT_APPLICABLE), failed
