"""What tabular models say: intervals, calibrated probabilities, predictions out of fold, explanations."""

import numpy as np
import pandas as pd
import pytest

import cmlp
from cmlp.tabular import TabularClassifier, TabularRegressor
from quick import QUICK, QUICKEST, RISING


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
