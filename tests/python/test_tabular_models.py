"""`TabularClassifier` and `TabularRegressor`: right predictions from tables as people write them."""

import itertools
import json
import pickle
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.model_selection import KFold
from sklearn.utils.estimator_checks import check_estimator

import cmlp
from cmlp.tabular import TableEncoder, TableError, TabularClassifier, TabularRegressor, read_table
from cmlp.tabular.fitting import NoModelError, fit_network
from cmlp.tabular.recipe import PRESETS
from cmlp.tabular.search import TRIALS

TRAIN, ROWS = 500, 650
QUICK = {"n_threads": 1, "hidden": (64,), "epochs": 120}


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


@pytest.fixture(scope="module")
def shop():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {"spent": [f"${v:,.0f}" for v in rng.lognormal(7, 1, 400)], "age": rng.integers(18, 80, 400)}
    )
    frame["city"] = rng.choice(["Oslo", "Rome", "Bonn"], 400)
    frame["buys"] = np.where((frame["age"] > 45) ^ (frame["city"] == "Oslo"), "yes", "no")
    return frame


@pytest.fixture(scope="module")
def classifier(shop):
    return TabularClassifier(**QUICK).fit(shop.drop(columns="buys"), shop["buys"])


def test_it_serves_what_the_table_had(shop, classifier, tmp_path):
    x = shop.drop(columns="buys")
    want = classifier.predict_proba(x)
    cmlp.save(classifier, tmp_path / "shop.safetensors")
    for model in (cmlp.load(tmp_path / "shop.safetensors"), pickle.loads(pickle.dumps(classifier))):
        assert isinstance(model, TabularClassifier)
        assert model.classes_.tolist() == ["no", "yes"]
        np.testing.assert_array_equal(model.predict_proba(x), want)
        np.testing.assert_array_equal(model.predict_proba(pa.Table.from_pandas(x)), want)
        np.testing.assert_array_equal(model.predict_proba(dict(x.iloc[5])), want[5:6])
        np.testing.assert_array_equal(model.predict_proba(x.iloc[5]), want[5:6])
        np.testing.assert_array_equal(model.predict_proba(x.to_dict("records")[:3]), want[:3])


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


def test_groups_and_times_do_not_leak():
    rng = np.random.default_rng(6)
    group = np.repeat(np.arange(60), 10)
    effect = rng.normal(size=60)[group]
    x = {"who": [f"p{g}" for g in group], "b": rng.normal(size=600)}
    assert TabularRegressor(**QUICK).fit(x, effect).record_["scores"]["R2"] > 0.8
    assert TabularRegressor(**QUICK).fit(x, effect, groups=group).record_["scores"]["R2"] < 0.3
    model = TabularRegressor(**QUICK).fit(
        {"t": rng.normal(size=600)}, np.arange(600.0), time=np.arange(600.0)
    )
    assert model.record_["scored_on"] == 120
    assert model.record_["scores"]["R2"] < 0


def test_folds_score_every_row(shop):
    model = TabularClassifier(cv=3, **QUICK).fit(shop.drop(columns="buys"), shop["buys"])
    assert (model.record_["scored"], model.record_["scored_on"], model.record_["rows"]) == ("folds", 400, 400)
    assert model.record_["scores"]["accuracy"] > 0.9


def test_leaks_are_named():
    rng = np.random.default_rng(7)
    y = rng.normal(size=300)
    model = TabularRegressor(**{**QUICK, "epochs": 3}).fit({"a": rng.normal(size=300), "total": np.exp(y)}, y)
    assert model.remarks_ == [
        "column 'total' alone predicts the target (100.00%): is it known before the target is? "
        "--drop 'total' leaves it out"
    ]


def test_presets_time_limits_and_metrics(shop):
    x, y = shop.drop(columns="buys"), shop["buys"]
    for options in (
        {"preset": "fast"},
        {"preset": "best", "epochs": 5},
        {"time_limit": 60.0},
        {"metric": "F1"},
    ):
        model = TabularClassifier(**options, n_threads=1).fit(x, y)
        assert model.record_["scores"]["accuracy"] > 0.6, options


def test_weights_count_rows(shop):
    x, weight = {"a": ["x", "y"] * 100}, np.tile([1.0, 1.0, 0.0, 0.0], 50)
    y = ["p", "q", "q", "p"] * 50
    model = TabularClassifier(validation=0, **QUICK).fit(x, y, sample_weight=weight)
    assert model.predict({"a": ["x", "y"]}).tolist() == ["p", "q"]


RISING = [1.5 * k for k in range(40)]
REFUSALS = {
    "rows": (
        lambda: TabularClassifier().fit({"a": [1, 2]}, ["x"]),
        "the target has 1 values, the table has 2 rows",
    ),
    "preset": (
        lambda: TabularClassifier("slow").fit({"a": [1, 2] * 20}, ["x", "y"] * 20),
        "unknown preset 'slow'",
    ),
    "metric": (
        lambda: TabularRegressor(metric="AUC").fit({"a": [1, 2]}, [1.0, 2.0]),
        "unknown metric 'AUC'; choose from RMSE, MAE, R2",
    ),
    "weights": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], sample_weight=[1]),
        "weights and times have one number a row: got shape (1,) for 2 rows",
    ),
    "groups of another length": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], groups=["x"]),
        "groups have one value a row: got shape (1,) for 2 rows",
    ),
    "a gap in the time": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], time=[1.0, np.nan]),
        "the time at row 2 is missing; each row needs one",
    ),
    "a negative weight": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], sample_weight=[1, -1]),
        "the sample weight at row 2 is -1; weights are 0 or more",
    ),
    "a gap in the weights": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], sample_weight=[np.nan, 1]),
        "the sample weight at row 1 is nan; weights are 0 or more",
    ),
    "no weight": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], sample_weight=[0, 0]),
        "the sample weights are zero in every row",
    ),
    "quantiles out of range": (
        lambda: TabularRegressor("fast", epochs=1).fit({"a": RISING}, RISING).predict({"a": [1.0]}, [1.5]),
        "quantile 1.5 is not between 0 and 1",
    ),
    "quantiles without held-out rows": (
        lambda: (
            TabularRegressor("fast", epochs=1, validation=0)
            .fit({"a": RISING}, RISING)
            .predict({"a": [1.0]}, [0.5])
        ),
        "quantiles need held-out rows; the model was trained without",
    ),
    "an eval_set without a column": (
        lambda: TabularRegressor().fit({"a": [1, 2], "b": [1, 2]}, [1, 2], eval_set=({"a": [1]}, [1])),
        "eval_set lacks columns of X: b",
    ),
    "an eval_set and groups": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1, 2], groups=[0, 1], eval_set=({"a": [1]}, [1])),
        "eval_set says which rows validate: it takes no groups and no time",
    ),
    "no samples": (
        lambda: (
            TabularRegressor("fast", epochs=1).fit({"a": RISING}, RISING).explain({"a": [1.0]}, samples=0)
        ),
        "explain: samples is 0, it must be at least 1",
    ),
    "infinity after rows without a target": (
        lambda: TabularRegressor().fit({"a": [1.0, 2.0, np.inf, 3.0]}, [None, 1.0, 2.0, 3.0]),
        "column 'a' holds inf at row 3",
    ),
    "an infinite target": (
        lambda: TabularRegressor().fit({"a": [1, 2, 3]}, [np.nan, 1.0, np.inf]),
        "column 'y' holds inf at row 3",
    ),
    "words in a quantity": (
        lambda: TabularRegressor().fit({"a": [1, 2, 3]}, ["", "1", "x"]),
        "the first that is not: 'x' at row 3",
    ),
    "quantiles that are one number": (
        lambda: TabularRegressor("fast", epochs=1).fit({"a": RISING}, RISING).predict({"a": [1.0]}, 0.5),
        "quantiles is 0.5, it must be a sequence of numbers",
    ),
    "an eval_set that is no pair": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1, 2], eval_set=[({"a": [1]}, [1])]),
        "eval_set is a pair (X, y); got a list of 1",
    ),
    "an eval_set and cv": (
        lambda: TabularRegressor(cv=2).fit({"a": [1, 2]}, [1, 2], eval_set=({"a": [1]}, [1])),
        "eval_set says which rows validate: it takes no cv",
    ),
    "words for times": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], time=["late", "early"]),
        "time has no numbers and no dates that differ",
    ),
    "a gap in the dates": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], time=pd.to_datetime(["2020-01-01", None])),
        "the time at row 2 is missing; each row needs one",
    ),
    "one time for all folds": (
        lambda: TabularRegressor(cv=3).fit({"a": RISING}, RISING, time=[1] * 40),
        "too few different times for 3 folds",
    ),
    "more folds in time than rows": (
        lambda: TabularRegressor(cv=5).fit({"a": [1, 2, 3]}, [1.0, 2.0, 4.0], time=[1, 2, 3]),
        "3 rows are too few for 5 folds in time",
    ),
    "a class of weight 0": (
        lambda: TabularClassifier().fit({"a": RISING}, ["x", "y"] * 20, sample_weight=[1, 0] * 20),
        "target 'y' has one class only ('x')",
    ),
    "a weight of no class": (
        lambda: TabularClassifier(class_weight={"z": 2}).fit({"a": RISING}, ["x", "y"] * 20),
        "class_weight has 'z'; the classes are 'x', 'y'",
    ),
    "a negative weight of a class": (
        lambda: TabularClassifier(class_weight={"x": -1}).fit({"a": RISING}, ["x", "y"] * 20),
        "class_weight has -1, it must be finite and at least 0",
    ),
    "no weight for any class": (
        lambda: TabularClassifier(class_weight={"x": 0, "y": 0}).fit({"a": RISING}, ["x", "y"] * 20),
        "class_weight is 0 for every class",
    ),
    "no folds": (
        lambda: TabularRegressor(cv=[]).fit({"a": RISING}, RISING),
        "cv has no folds, or a fold without training or without held-out rows",
    ),
    "a fold that trains on nothing": (
        lambda: TabularRegressor(cv=[([], [1, 2])]).fit({"a": RISING}, RISING),
        "cv has no folds, or a fold without training or without held-out rows",
    ),
    "a fold of rows that are not there": (
        lambda: TabularRegressor(cv=[([0, 1], [99])]).fit({"a": RISING}, RISING),
        "cv gives pairs of training and held-out row numbers: index 99 is out of bounds",
    ),
    "folds that are no pairs": (
        lambda: TabularRegressor(cv=[1, 2]).fit({"a": RISING}, RISING),
        "cv gives pairs of training and held-out row numbers",
    ),
    "an infinite class": (
        lambda: TabularClassifier().fit({"a": [1, 2, 3]}, [0.0, 1.0, np.inf]),
        "column 'y' holds inf at row 3",
    ),
    "an eval_set without a target": (
        lambda: TabularRegressor().fit({"a": RISING}, RISING, eval_set=({"a": [1]}, [None])),
        "eval_set has no row with a target",
    ),
    "quantiles in words": (
        lambda: TabularRegressor("fast", epochs=1).fit({"a": RISING}, RISING).predict({"a": [1.0]}, ["a"]),
        "quantile 'a' is not between 0 and 1",
    ),
    "half a sample": (
        lambda: (
            TabularRegressor("fast", epochs=1).fit({"a": RISING}, RISING).explain({"a": [1.0]}, samples=2.5)
        ),
        "explain: samples is 2.5, it must be at least 1 and an integer",
    ),
    "no rows to explain": (
        lambda: TabularRegressor("fast", epochs=1).fit({"a": RISING}, RISING).explain({"a": []}),
        "explain: the table has no rows",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name):
    act, message = REFUSALS[name]
    with pytest.raises(TableError) as caught:
        act()
    assert message in str(caught.value)


BAD_PARAMETERS = {
    "preset": ["slow", None, 1],
    "time_limit": [0, -1, "2"],
    "cv": [0, 1, 2.5, "5"],
    "types": [["a"], "number"],
    "metric": ["loss", 5],
    "validation": [1, -0.1, 1.5, None, "0.2"],
    "class_weight": ["uniform", [1, 2]],
    "hidden": [5, "128", (0,), (2.5,), ("a",)],
    "activation": ["rleu", 3],
    "dropout": [1.0, -0.1],
    "optimizer": ["admw", 3],
    "lr": [0, -1, "0.1"],
    "epochs": [0, -1, 2.5],
    "batch_size": [0, -3, 2.5],
    "patience": [-1, 2.5],
    "random_state": [-1, "a", 1.5],
    "n_threads": [0, -1, 2.5],
}


def test_every_parameter_has_a_rule():
    assert set(BAD_PARAMETERS) == set(TabularClassifier().get_params())


@pytest.mark.parametrize("name", BAD_PARAMETERS)
@pytest.mark.parametrize("cls", [TabularClassifier, TabularRegressor])
def test_bad_parameters(cls, name):
    y = ["p", "q"] * 20 if cls is TabularClassifier else RISING
    for value in BAD_PARAMETERS[name]:
        with pytest.raises(TableError, match=name) as caught:
            cls(**{"preset": "fast", "epochs": 1, name: value}).fit({"a": RISING}, y)
        assert repr(value) in str(caught.value)


def test_class_weights_are_of_classifiers():
    with pytest.raises(TableError, match="class_weight"):
        TabularRegressor(class_weight="balanced").fit({"a": RISING}, RISING)


QUICKEST = {"preset": "fast", "epochs": 2, "n_threads": 1}


def test_class_weights_by_label():
    x, y = {"a": RISING * 2}, ["no", "yes"] * 40
    fits = [
        TabularClassifier(class_weight=given, validation=0, **QUICKEST).fit(x, y, sample_weight=weight)
        for given, weight in [({"yes": 3}, None), (None, [1.0, 3.0] * 40), (None, None)]
    ]
    by_label, by_row, even = (model.predict_proba(x)[:, 1] for model in fits)
    np.testing.assert_array_equal(by_label, by_row)
    assert by_label.mean() > even.mean() + 0.05


def test_random_states():
    x = {"a": RISING}
    fits = [
        TabularRegressor(random_state=given, **QUICKEST).fit(x, RISING).predict(x)
        for given in (np.random.RandomState(3), np.random.RandomState(3), None, None)
    ]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert (fits[2] != fits[3]).any()


@pytest.mark.parametrize("kind", ["numbers", "datetime64", "with time zone", "text", "date objects"])
def test_times_of_any_kind(kind):
    day = pd.Series(pd.date_range("2020-01-01", periods=40)).sample(frac=1, random_state=0, ignore_index=True)
    times = {
        "numbers": day.astype("int64"),
        "datetime64": day,
        "with time zone": day.dt.tz_localize("Europe/Rome"),
        "text": day.dt.strftime("%d/%m/%Y"),
        "date objects": [value.date() for value in day],
    }
    model = TabularRegressor(**QUICKEST).fit({"a": RISING}, RISING, time=times[kind])
    late = day >= day.quantile(0.8)
    np.testing.assert_array_equal(~np.isnan(model.out_of_fold_), late)


def test_folds_of_a_splitter(shop):
    x, y = shop.drop(columns="buys"), shop["buys"]
    model = TabularClassifier(cv=KFold(3), **QUICKEST).fit(x, y)
    assert (model.record_["networks"], model.record_["scored_on"]) == (3, 400)


def test_given_folds_number_the_rows_of_the_table():
    y = np.array(RISING)
    y[:4] = np.nan
    folds = [(np.arange(20, 40), np.arange(20)), (np.arange(20), np.arange(20, 30))]
    model = TabularRegressor(cv=folds, **QUICKEST).fit({"a": RISING}, y)
    known = ~np.isnan(model.out_of_fold_)
    np.testing.assert_array_equal(np.flatnonzero(known), np.arange(4, 30))


@pytest.mark.parametrize("groups", [["a", None, "b", 3], [None, np.nan, "a", "b"]])
def test_groups_with_gaps(groups):
    model = TabularRegressor(**QUICKEST).fit({"a": RISING}, RISING, groups=groups * 10)
    assert model.record_["rows"] + model.record_["scored_on"] == 40


def test_rows_of_weight_zero_are_absent():
    x, weight = {"a": RISING}, np.tile([1.0, 1.0, 1.0, 0.0], 10)
    kept = weight > 0
    y = np.where(kept, RISING, 1e6)
    model = TabularRegressor(**QUICKEST).fit(x, y, sample_weight=weight)
    assert np.isnan(model.out_of_fold_[~kept]).all()
    assert model.record_["rows"] + model.record_["scored_on"] == 30
    assert model.target_.mean < 100


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_only_the_ratio_of_weights_counts(scale):
    x, weight = {"a": RISING}, np.tile([1.0, 2.0], 20)
    fits = [
        TabularRegressor(**QUICKEST).fit(x, RISING, sample_weight=weight * factor).predict(x)
        for factor in (0.5, scale)
    ]
    np.testing.assert_allclose(fits[0], fits[1], rtol=1e-3)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_scores_of_huge_and_tiny_quantities(scale):
    model, plain = (TabularRegressor(**QUICKEST).fit({"a": RISING}, np.array(RISING) * s) for s in (scale, 1))
    for name in ("RMSE", "MAE"):
        assert model.record_["scores"][name] / scale == pytest.approx(plain.record_["scores"][name], rel=1e-4)
    assert model.record_["scores"]["R2"] == pytest.approx(plain.record_["scores"]["R2"], rel=1e-4)


@pytest.mark.parametrize("task", ["classes", "quantity"])
def test_scores_without_held_out_rows_are_of_the_model(task):
    x, y = {"a": RISING}, ["x", "y"] * 20 if task == "classes" else RISING
    cls = TabularClassifier if task == "classes" else TabularRegressor
    model = cls(validation=0, epochs=3, n_threads=1).fit(x, y)
    assert model.record_["networks"] == 3
    score = {"classes": "accuracy", "quantity": "R2"}[task]
    assert model.record_["scores"][score] == pytest.approx(model.score(x, y), abs=1e-6)


def test_quantiles_stay_within_the_range_of_the_training_rows():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(200, 1)), rng.exponential(size=200)
    found = TabularRegressor(**QUICKEST).fit(x, y).predict(x, [0, 0.5, 1])
    assert found.min() >= y.min() - 1e-6
    assert found.max() <= y.max() + 1e-6
    assert TabularRegressor(**QUICKEST).fit(x, y).predict(x, []).shape == (200, 0)


def test_an_eval_set_of_another_container():
    x = {"a": RISING, "b": ["u", "v"] * 20}
    held = pd.DataFrame({"a": [1, 2], "b": pd.Series(["u", "v"], dtype="category")})
    y = pd.Series(["p", "q"] * 20, dtype="string")
    for held_y in (["p", "q"], np.array(["p", "q"], object), pd.Series(["p", "q"], dtype="category")):
        model = TabularClassifier(**QUICKEST).fit(x, y, eval_set=(held, held_y))
        assert (model.record_["rows"], model.record_["scored_on"]) == (40, 2)


def test_a_loaded_model_has_its_parameters_and_remarks(tmp_path):
    given = {"hidden": (8, 4), "types": {"id": "drop"}, "class_weight": {"x": 2.0}, "cv": KFold(3)}
    model = TabularClassifier(**QUICKEST, **given).fit({"a": RISING, "id": RISING}, ["x", "NA"] * 20)
    assert model.remarks_
    cmlp.save(model, tmp_path / "m.safetensors")
    loaded = cmlp.load(tmp_path / "m.safetensors")
    assert loaded.get_params() == {**model.get_params(), "cv": None}  # a splitter is no plain data
    assert (loaded.remarks_, loaded.record_) == (model.remarks_, model.record_)
    again = pickle.loads(pickle.dumps(loaded))
    assert again.get_params() == loaded.get_params()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_time_limit_below_an_epoch_of_each_network(preset):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(400, 3))
    model = TabularRegressor(preset, time_limit=0.02, hidden=(16,), n_threads=1).fit(x, x[:, 0])
    assert 1 <= model.record_["networks"] <= PRESETS[preset].members


@pytest.mark.parametrize("after", [0, 1, 3])
def test_networks_before_ctrl_c_are_kept(shop, monkeypatch, after):
    """Ctrl-C in the first epoch of a network, when others are complete."""
    calls = []

    def fit(*arguments, **others):
        calls.append(1)
        if len(calls) > after:
            raise NoModelError("stopped before the first epoch was over", interrupted=True)
        return fit_network(*arguments, **others)

    monkeypatch.setattr("cmlp.tabular.members.fit_network", fit)
    model = TabularClassifier("best", epochs=1, n_threads=1, hidden=(8,))
    if not after:
        with pytest.raises(NoModelError, match="stopped"):
            model.fit(shop.drop(columns="buys"), shop["buys"])
        return
    model.fit(shop.drop(columns="buys"), shop["buys"])
    assert model.record_["interrupted"]
    assert 1 <= model.record_["networks"] <= after


def test_a_target_is_read_as_the_table_is_written():
    inputs = pa.table({"a": [f"{k},5" for k in range(40)], "b": [f"{k % 7},25" for k in range(40)]})
    prices = pa.array([f"{k + 1}.{k:03d}" for k in range(40)])
    model = TabularRegressor("fast", epochs=1).fit(inputs, prices)
    assert model.target_.format.decimal == ","
    assert (model.target_.mean, model.target_.log) == (pytest.approx(20.5 * 1000 + 19.5), False)


@pytest.mark.parametrize(
    ("options", "shares"), [({"cv": 4}, [4, 3, 2, 1]), ({}, [3, 2, 1]), ({"preset": "best"}, None)]
)
def test_a_time_limit_is_shared_by_the_trainings(shop, monkeypatch, options, shares):
    limits = []

    def fit(*arguments, time_limit=None, **others):
        if time_limit is not None:
            limits.append(time_limit)
        return fit_network(*arguments, time_limit=time_limit, **others)

    monkeypatch.setattr("cmlp.tabular.members.fit_network", fit)
    model = TabularClassifier(**options, time_limit=1000.0, epochs=1, n_threads=1)
    model.fit(shop.drop(columns="buys"), shop["buys"])
    if shares is None:  # so many trials first, then the rest
        trials = TRIALS * len(PRESETS["best"].changes)
        rest = PRESETS["best"].members - TRIALS
        first = 1000.0 * trials / (trials + rest)
        np.testing.assert_allclose(limits[:trials], first / np.arange(trials, 0, -1), rtol=0.05)
        np.testing.assert_allclose(limits[trials:], 1000.0 / np.arange(rest, 0, -1), rtol=0.05)
    else:
        np.testing.assert_allclose(limits, 1000.0 / np.array(shares), rtol=0.05)


def test_a_time_limit_shortens_the_schedules(shop, monkeypatch):
    ticks = itertools.count(1000.0)  # every look at the clock is a second after the one before
    monkeypatch.setattr("cmlp.tabular.members.time.perf_counter", lambda: next(ticks))
    x, y = shop.drop(columns="buys"), shop["buys"]
    model = TabularClassifier("fast", time_limit=100.0, epochs=100_000, batch_size=80, n_threads=1).fit(x, y)
    assert 1 < model.record_["epochs"] < 90  # an epoch of 4 batches takes a second or more by this clock
    assert model.record_["scores"]["accuracy"] > 0.6


@pytest.mark.parametrize("threads", [2, 3])
def test_networks_trained_side_by_side_have_the_bits_of_one_after_the_other(shop, threads):
    x, y = shop.drop(columns="buys"), shop["buys"]
    one, other = (TabularClassifier(epochs=8, n_threads=n).fit(x, y) for n in (1, threads))
    assert len(list(one.net_[0])) == PRESETS["default"].members
    np.testing.assert_array_equal(one.predict_proba(x), other.predict_proba(x))


def test_intervals_cover_what_they_say():
    rng = np.random.default_rng(11)
    x = rng.normal(size=(3000, 3))
    y = x[:, 0] + 0.5 * rng.standard_t(4, size=3000)
    model = TabularRegressor("fast", cv=4, n_threads=1).fit(x[:1000], y[:1000])
    low, middle, high = model.predict(x[1000:], quantiles=[0.05, 0.5, 0.95]).T
    assert 0.86 < np.mean((low <= y[1000:]) & (y[1000:] <= high)) < 0.94
    assert 0.45 < np.mean(y[1000:] <= middle) < 0.55
    assert np.all(low <= middle) and np.all(middle <= high)  # noqa: PT018


def test_predictions_stay_within_the_range_of_the_training_rows():
    x = np.linspace(-1, 1, 300)[:, None]
    model = TabularRegressor("fast", n_threads=1).fit(x, 3 * x[:, 0])
    assert np.abs(model.predict([[-50.0], [50.0], [1e300]])).max() <= 3 + 1e-6


def test_probabilities_are_calibrated():
    rng = np.random.default_rng(12)
    x = rng.normal(size=(6000, 4))
    p = 1 / (1 + np.exp(-2 * x[:, 0]))
    y = (rng.random(6000) < p).astype(int)
    model = TabularClassifier("fast", cv=3, n_threads=1).fit(x[:1500], y[:1500])
    shares = model.predict_proba(x[1500:])[:, 1]
    bins = np.digitize(shares, [0.2, 0.4, 0.6, 0.8])
    gaps = [abs(shares[bins == k].mean() - y[1500:][bins == k].mean()) for k in range(5)]
    assert max(gaps) < 0.08


@pytest.mark.parametrize("task", ["classes", "quantity"])
def test_predictions_out_of_fold(shop, task):
    x = shop.drop(columns="buys")
    cls, y = (TabularClassifier, shop["buys"]) if task == "classes" else (TabularRegressor, x["age"] * 1.5)
    y = y.astype(object).mask(np.arange(400) % 50 == 0)
    folded = cls(cv=4, **QUICK).fit(x, y).out_of_fold_
    some = cls(**QUICK).fit(x, y).out_of_fold_
    assert folded.shape == ((400, 2) if task == "classes" else (400,))
    unknown = np.isnan(folded).reshape(400, -1).any(axis=1)
    np.testing.assert_array_equal(unknown, np.arange(400) % 50 == 0)
    assert 0.55 < 1 - np.isnan(some).reshape(400, -1).any(axis=1).mean() < 0.62  # three folds of five
    known = ~unknown
    if task == "classes":
        assert np.mean(np.where(folded[known, 1] > 0.5, "yes", "no") == y[known]) > 0.9
    else:
        assert np.corrcoef(folded[known], y[known].astype(float))[0, 1] > 0.99


def test_rows_that_validate_are_given(shop):
    x, y = shop.drop(columns="buys"), shop["buys"]
    model = TabularClassifier(**QUICK).fit(x[:300], y[:300], eval_set=(x[300:], y[300:]))
    assert (model.record_["rows"], model.record_["scored_on"]) == (300, 100)
    known = ~np.isnan(model.out_of_fold_).any(axis=1)
    np.testing.assert_array_equal(known, np.arange(400) >= 300)


def test_importances_and_explanations(tmp_path):
    rng = np.random.default_rng(13)
    x = pd.DataFrame({"much": rng.normal(size=600), "same": 1.0, "none": rng.normal(size=600)})
    x["some"] = rng.choice(["a", "b"], 600)
    y = 3 * x["much"] + (x["some"] == "a")
    model = TabularRegressor("fast", n_threads=1).fit(x, y)
    much, same, none, some = model.feature_importances_
    assert much > some > 5 * none
    assert same == 0
    assert model.feature_importances_.sum() == pytest.approx(1)
    found = model.explain(x[:20], background=x)
    assert found.columns == ["much", "none", "some"]
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), model.predict(x[:20]), rtol=1e-4)
    slope = np.polyfit(x["much"][:20], found.values[:, 0], 1)[0]
    assert slope == pytest.approx(3, rel=0.2)
    cmlp.save(model, tmp_path / "m.safetensors")
    loaded = cmlp.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.explain(x[:20], background=x).values, found.values)
    for name in ("feature_importances_", "out_of_fold_"):
        with pytest.raises(AttributeError, match=f"{name} is of the rows of fit; this model was loaded"):
            getattr(loaded, name)


def test_explanations_of_several_classes():
    rng = np.random.default_rng(14)
    x, y = rng.normal(size=(300, 2)), rng.choice(["a", "b", "c"], 300)
    y[x[:, 0] > 0.5] = "c"
    model = TabularClassifier("fast", epochs=20, n_threads=1).fit(x, y)
    found = model.explain(x[:5])
    assert found.values.shape == (5, 2, 3)
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), model.predict_proba(x[:5]), atol=1e-5)


def test_a_loaded_model_takes_arrays_with_the_columns_left_out(tmp_path):
    x = np.random.default_rng(8).normal(size=(60, 3))
    x[:, 1] = 7.0
    model = TabularRegressor("fast", epochs=2).fit(x, x[:, 0])
    cmlp.save(model, tmp_path / "m.safetensors")
    loaded = cmlp.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    assert loaded.feature_names_in_.tolist() == model.feature_names_in_.tolist() == ["x0", "x1", "x2"]
    older = {key: value for key, value in model.encoder_.to_dict().items() if key != "inputs"}
    assert TableEncoder.from_dict(older).feature_names_in_.tolist() == ["x0", "x2"]


def described(change):
    """A change of the description of the table."""
    return lambda data: json.dumps(change(data))


def spelled(old, new):
    """Another spelling in the description of the table."""
    return lambda data: re.sub(old, new, json.dumps(data))


DAMAGE = {
    "no JSON": lambda data: "{",
    "not an object": lambda data: "[]",
    "later version": described(lambda data: {**data, "version": 99}),
    "no target": described(lambda data: {key: data[key] for key in ("version", "columns")}),
    "unknown kind": spelled('"numeric"', '"magic"'),
    "negative scale": spelled(r'"scale": [\d.e-]+', '"scale": -1'),
    "text for a number": spelled(r'"median": [\d.]+', '"median": "two"'),
    "unknown field": spelled('"median"', '"mode"'),
    "another width": spelled('"indicator": (true|false)', '"indicator": "x"'),
    "a column too few": described(lambda data: {**data, "columns": data["columns"][1:]}),
    "a name that is no text": spelled('"name": "[^"]*"', '"name": {}'),
    "an unknown parameter": described(lambda data: {**data, "parameters": {"speed": 3}}),
    "no classes": spelled(r'\["no", "yes"\]', "[]"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_descriptions_are_one_clear_error(name, classifier, tmp_path):
    cmlp.save(classifier, tmp_path / "m.safetensors")
    net = cmlp.load(tmp_path / "m.safetensors").net_
    text = net.metadata["cmlp.table"]
    net.metadata["cmlp.table"] = DAMAGE[name](json.loads(text))
    assert net.metadata["cmlp.table"] != text
    cmlp.save(net, tmp_path / "m.safetensors")
    with pytest.raises(TableError, match="the model's table description cannot be read"):
        cmlp.load(tmp_path / "m.safetensors")


# scikit-learn's checks that do not apply, and why.
NOT_APPLICABLE = {
    "check_estimators_nan_inf": "gaps are missing values",
    "check_sample_weight_equivalence_on_dense_data": "the held-out rows are drawn by row",
    "check_class_weight_classifiers": "the held-out rows, all of one weight, calibrate the probabilities",
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
