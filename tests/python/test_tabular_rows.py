"""Which rows a tabular model trains on and is scored on: weights, groups, times, folds, an eval_set."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

from cmlp.tabular import TableError, TabularClassifier, TabularRegressor
from cmlp.tabular.split import Rules, make_splits
from quick import QUICK, QUICKEST, RISING


def parts_of(rules, rows=100, **columns):
    splits = make_splits(rules, columns.pop("classes", None), rows, **columns)
    for train, held in splits.parts:
        assert not set(train) & set(held)
    return splits


def test_each_network_has_other_rows_held_out_with_the_shares_of_the_classes():
    classes = np.array([0] * 80 + [1] * 19 + [2])
    parts = parts_of(Rules(0.25, None, 0, 3), classes=classes).parts
    assert len(parts) == 3
    assert len({int(row) for _, held in parts for row in held}) == sum(len(held) for _, held in parts)
    for train, held in parts:
        assert len(train) + len(held) == 100
        counts = np.bincount(classes[held], minlength=3)
        assert counts[0] == 20
        assert counts[1] in (4, 5)
        assert counts[2] == 0  # it would have no row to learn from
    again, other = (parts_of(Rules(0.25, None, seed, 3), classes=classes).parts for seed in (0, 1))
    np.testing.assert_array_equal(again[1][1], parts[1][1])
    assert set(other[1][1]) != set(parts[1][1])


def test_folds_hold_each_row_out_once():
    splits = parts_of(Rules(0.2, 8, 0, 3))
    assert splits.used == 8
    assert sorted(row for _, held in splits.parts for row in held) == list(range(100))


def test_groups_are_not_split_and_times_go_forwards():
    groups, time = np.repeat(np.arange(10), 10), np.arange(100.0)
    for train, held in parts_of(Rules(0.2, None, 0, 5), groups=groups).parts:
        assert not set(groups[train]) & set(groups[held])
        assert len(held) == 20
    for train, held in parts_of(Rules(0.2, None, 0, 2), time=time).parts:
        assert (time[train].max(), len(held)) == (79, 20)
    forwards = parts_of(Rules(0.2, 4, 0, 3), time=time)
    assert forwards.used == 1
    assert all(time[train].max() < time[held].min() for train, held in forwards.parts)


def test_rows_given_for_validation_are_held_out_from_all():
    validates = np.arange(100) % 10 == 0
    for _, held in parts_of(Rules(0.2, None, 0, 3), validates=validates).parts:
        np.testing.assert_array_equal(held, np.flatnonzero(validates))
    assert [len(held) for _, held in parts_of(Rules(0.0, None, 0, 2)).parts] == [0, 0]


@pytest.mark.parametrize("share", [0.1, 0.15, 0.25, 0.4, 0.7])
@pytest.mark.parametrize("members", [1, 3])
def test_each_network_holds_out_the_given_share(share, members):
    classes = np.repeat([0, 1], [900, 100])
    held = [held for _, held in parts_of(Rules(share, None, 0, members), 1000, classes=classes).parts]
    assert len(held) == members
    for rows in held:
        assert abs(len(rows) - 1000 * min(share, 1 / members)) <= 1
        assert abs(np.sum(classes[rows] == 1) - 100 * min(share, 1 / members)) <= 1
    assert len(np.unique(np.concatenate(held))) >= 990 * min(1, share * members)


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


def test_probabilities_are_those_of_weighted_classes():
    y = np.repeat(["rare", "common"], [100, 900])
    x = {"a": np.random.default_rng(0).normal(size=1000)}  # says nothing of y
    for given, share in ((None, 0.1), ("balanced", 0.5), ({"rare": 3.0}, 0.25)):
        shares = TabularClassifier(class_weight=given, **QUICK).fit(x, y).predict_proba(x)
        assert abs(shares[:, 1].mean() - share) < 0.04


def test_class_weights_are_of_classifiers():
    with pytest.raises(TableError, match="class_weight"):
        TabularRegressor(class_weight="balanced").fit({"a": RISING}, RISING)


def test_an_eval_set_of_another_container():
    x = {"a": RISING, "b": ["u", "v"] * 20}
    held = pd.DataFrame({"a": [1, 2], "b": pd.Series(["u", "v"], dtype="category")})
    y = pd.Series(["p", "q"] * 20, dtype="string")
    for held_y in (["p", "q"], np.array(["p", "q"], object), pd.Series(["p", "q"], dtype="category")):
        model = TabularClassifier(**QUICKEST).fit(x, y, eval_set=(held, held_y))
        assert (model.record_["rows"], model.record_["scored_on"]) == (40, 2)


def test_rows_that_validate_are_given(shop):
    x, y = shop.drop(columns="buys"), shop["buys"]
    model = TabularClassifier(**QUICK).fit(x[:300], y[:300], eval_set=(x[300:], y[300:]))
    assert (model.record_["rows"], model.record_["scored_on"]) == (300, 100)
    known = ~np.isnan(model.out_of_fold_).any(axis=1)
    np.testing.assert_array_equal(known, np.arange(400) >= 300)
