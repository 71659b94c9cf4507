"""The autoencoder and the quantiles."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from cmlp.estimators import MLPTransformer, QuantileMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
DIGITS, CLASSES = load_digits(return_X_y=True)
DIGITS = DIGITS[:600] / 16
CLASSES = CLASSES[:600]


def noisy(rows, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (rows, 2))
    return x, x[:, 0] + (0.2 + np.abs(x[:, 1])) * rng.normal(size=rows)


# ---- the autoencoder


def test_code_and_back():
    coder = MLPTransformer((40, 10), activation="tanh", max_iter=60, random_state=0, learning_rate_init=0.01)
    codes = coder.fit(DIGITS).transform(DIGITS)
    assert codes.shape == (600, 10)
    assert [coef.shape for coef in coder.coefs_] == [(64, 40), (40, 10), (10, 40), (40, 64)]
    back = coder.inverse_transform(codes)
    assert np.array_equal(back, coder._prediction_from(coder._raw(DIGITS)))
    assert coder.score(DIGITS) == pytest.approx(-((back - DIGITS) ** 2).mean())
    mean = ((DIGITS - DIGITS.mean(axis=0)) ** 2).mean()
    assert -coder.score(DIGITS) < 0.4 * mean


@pytest.mark.parametrize(
    "rows", [DIGITS[:200, 10:40], pytest.param(DIGITS, marks=pytest.mark.slow)], ids=["part", "all"]
)
def test_linear_autoencoder_finds_the_principal_plane(rows):
    centred = rows - rows.mean(axis=0)
    coder = MLPTransformer((3,), activation="identity", solver="lbfgs", alpha=0, max_iter=2000, tol=1e-7)
    coder.set_params(random_state=0).fit(centred)
    pca = PCA(3).fit(centred)
    best = ((pca.inverse_transform(pca.transform(centred)) - centred) ** 2).mean()
    assert -coder.score(centred) == pytest.approx(best, rel=1e-3)


def test_transformer_in_a_pipeline():
    coder = MLPTransformer((20,), activation="tanh", max_iter=30, random_state=0, learning_rate_init=0.01)
    assert (
        make_pipeline(coder, LogisticRegression(max_iter=1000)).fit(DIGITS, CLASSES).score(DIGITS, CLASSES)
        > 0.9
    )
    assert coder.set_output(transform="pandas").transform(DIGITS).shape == (600, 20)


def test_missing_values_are_given_back_filled():
    holes = DIGITS.copy()
    holes[0, 5] = np.nan
    coder = MLPTransformer((8,), max_iter=3, missing="impute", random_state=0).fit(holes)
    assert np.isfinite(coder.inverse_transform(coder.transform(holes))).all()


# ---- quantiles


def test_quantiles_do_not_cross():
    x, y = noisy(200, 0)
    levels = np.arange(1, 20) / 20
    model = QuantileMLPRegressor(levels, max_iter=20, random_state=0, calibration_fraction=0.4).fit(x, y)
    prediction = model.predict_quantiles(3 * x)
    assert prediction.shape == (200, 19)
    assert (np.diff(prediction, axis=1) >= 0).all()
    assert np.array_equal(model.predict(x), model.predict_quantiles(x)[:, 9])


def test_quantiles_are_those_of_the_data():
    x, y = noisy(3000, 0)
    model = QuantileMLPRegressor([0.1, 0.5, 0.9], random_state=0, learning_rate_init=0.005).fit(x, y)
    below = (noisy(3000, 1)[1][:, None] < model.predict_quantiles(noisy(3000, 1)[0])).mean(axis=0)
    np.testing.assert_allclose(below, [0.1, 0.5, 0.9], atol=0.05)


@pytest.mark.parametrize("epochs", [1, 30])
def test_calibrated_coverage_holds_whatever_was_learned(epochs):
    """Over many splits y is between the two in at least 80 % of new rows, within the binomial bounds."""
    model = QuantileMLPRegressor(
        (0.1, 0.9), max_iter=epochs, hidden_layer_sizes=(8,), calibration_fraction=0.5
    )
    inside, rows, trials = 0, 200, 40
    for seed in range(trials):
        fitted = clone(model).set_params(random_state=seed).fit(*noisy(rows, seed))
        x, y = noisy(rows, 1000 + seed)
        low, high = fitted.predict_quantiles(x).T
        inside += int(((low <= y) & (y <= high)).sum())
    coverage, spread = inside / (rows * trials), np.sqrt(0.8 * 0.2 / (rows / 2 * trials))
    assert 0.8 - 3 * spread < coverage < 0.84 + 3 * spread


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"quantiles": [0.9, 0.1]}, "must rise within"),
        ({"quantiles": [0.0, 0.5]}, "must rise within"),
        ({"quantiles": []}, "must rise within"),
        ({"quantiles": [0.01], "calibration_fraction": 0.2}, "leaves 12 rows, too few for quantile 0.01"),
        ({"calibration_fraction": 1.0}, "The 'calibration_fraction' parameter"),
    ],
)
def test_bad_quantiles(settings, message):
    with pytest.raises(ValueError, match=message):
        QuantileMLPRegressor(**settings, max_iter=1).fit(*noisy(60, 0))
