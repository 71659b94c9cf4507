"""MLPRegressor(loss="gaussian_nll"): a mean and a variance for each target."""

import pickle

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.metrics import r2_score

from cmlp import MLPRegressor, nn
from cmlp.estimators import MLPEnsembleRegressor, MLPTransformer, ScaleWarning

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (400, 2))
SPREAD = 0.2 + np.abs(X[:, 0])
Y = X.sum(axis=1) + SPREAD * RNG.normal(size=400)
YS = np.stack([Y, 3 - 2 * Y], axis=1)
MODEL = MLPRegressor("gaussian_nll", (16,), solver="lbfgs", alpha=1e-3, max_iter=500, random_state=0)
ADAM = clone(MODEL).set_params(solver="adam", learning_rate_init=0.02, max_iter=150)


@pytest.mark.parametrize("model", [MODEL, ADAM], ids=["lbfgs", "adam"])
@pytest.mark.parametrize("loss", ["gaussian_nll", nn.GaussianNLLLoss(full=True), nn.Loss("gaussian_nll")])
def test_it_learns_both(model, loss):
    model = clone(model).set_params(loss=loss).fit(X, Y)
    assert model.coefs_[-1].shape == (16, 2)
    assert model.n_outputs_ == 1
    mean, deviation = model.predict(X, return_std=True)
    assert mean.shape == deviation.shape == (400,)
    assert np.array_equal(mean, model.predict(X))
    assert (deviation > 0).all()
    assert np.abs(mean - X.sum(axis=1)).mean() < 0.15
    assert np.corrcoef(deviation, SPREAD)[0, 1] > 0.8
    assert model.score(X, Y) == r2_score(Y, mean)


def test_without_hidden_layers_it_is_the_maximum_of_the_likelihood():
    """Against SciPy's minimum of the same function, written down in NumPy."""

    def loss(w):
        mean, log_variance = X @ w[:2] + w[2], X @ w[3:5] + w[5]
        return (log_variance + (Y - mean) ** 2 * np.exp(-log_variance)).mean() / 2

    best = minimize(loss, np.zeros(6), method="BFGS", options={"gtol": 1e-7}).x
    model = clone(MODEL).set_params(hidden_layer_sizes=(), alpha=0, tol=1e-9).fit(X, Y)
    ours = np.r_[
        model.coefs_[0][:, 0], model.intercepts_[0][0], model.coefs_[0][:, 1], model.intercepts_[0][1]
    ]
    np.testing.assert_allclose(ours, best, atol=1e-4)
    assert model.loss_ == pytest.approx(loss(best), abs=1e-9)
    _, deviation = model.predict(X, return_std=True)
    np.testing.assert_allclose(deviation, np.exp((X @ best[3:5] + best[5]) / 2), rtol=1e-3)


def test_gradient():
    model = clone(MODEL).set_params(activation="tanh", max_iter=5).fit(X, YS)
    packed = np.concatenate([a.ravel() for a in model.coefs_ + model.intercepts_]) + 0.1
    value, slope = model._loss_grad_lbfgs(packed, X, YS, None)
    mean, log_variance = np.hsplit(model._raw(X), 2)  # the weights are those packed
    terms = (log_variance + (YS - mean) ** 2 * np.exp(-log_variance)) / 2
    penalty = 1e-3 / 2 * sum((w**2).sum() for w in model.coefs_) / len(X)
    assert value == pytest.approx(terms.mean() + penalty, rel=1e-12)
    for at in range(len(packed)):
        step = np.zeros_like(packed)
        step[at] = 1e-6
        up, down = (model._loss_grad_lbfgs(packed + sign * step, X, YS, None)[0] for sign in (1, -1))
        assert slope[at] == pytest.approx((up - down) / 2e-6, abs=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_several_targets(dtype):
    model = clone(ADAM).set_params(dtype=dtype).fit(X, YS)
    assert model.coefs_[-1].shape == (16, 4)
    mean, deviation = model.predict(X, return_std=True)
    assert mean.shape == deviation.shape == (400, 2)
    assert mean.dtype == deviation.dtype == dtype
    assert deviation[:, 1].mean() == pytest.approx(2 * deviation[:, 0].mean(), rel=0.3)


def test_early_stopping_warm_starts_and_copies():
    model = clone(ADAM).set_params(early_stopping=True, n_iter_no_change=5).fit(X, Y)
    assert model.best_validation_score_ == max(model.validation_scores_)
    copy = pickle.loads(pickle.dumps(model))
    assert np.array_equal(copy.predict(X, return_std=True), model.predict(X, return_std=True))
    parts = clone(ADAM)
    for _ in range(5):
        parts.partial_fit(X, Y)
    complete = clone(ADAM).set_params(max_iter=5, tol=0).fit(X, Y)
    assert np.array_equal(parts.coefs_[0], complete.coefs_[0])


def test_weight_two_is_the_row_twice():
    weight = np.random.default_rng(1).integers(0, 3, len(X))
    model = clone(MODEL).set_params(max_iter=20)
    weighted = clone(model).fit(X, Y, weight)
    twice = clone(model).fit(np.repeat(X, weight, axis=0), np.repeat(Y, weight))
    np.testing.assert_allclose(weighted.coefs_[0], twice.coefs_[0], rtol=1e-6, atol=1e-8)


def test_far_away_numbers_stay_finite():
    with pytest.warns(ScaleWarning, match="target_transform"):
        model = clone(ADAM).set_params(max_iter=30).fit(X, 1e4 * Y)
    assert np.isfinite(model.predict(X, return_std=True)).all()
    model = clone(ADAM).set_params(max_iter=400).fit(X, np.ones(len(X)))  # no variance at all
    assert np.isfinite(model.loss_curve_).all()
    assert (model.predict(X, return_std=True)[1] > 0).all()


def test_an_ensemble_is_a_mixture():
    """Lakshminarayanan, Pritzel and Blundell, NeurIPS 2017, section 2.4."""
    base = clone(ADAM).set_params(max_iter=20)
    model = MLPEnsembleRegressor(base, 3, random_state=0).fit(X, Y)
    means, deviations = np.moveaxis([m.predict(X, return_std=True) for m in model.estimators_], 1, 0)
    mean, deviation = model.predict(X, return_std=True)
    np.testing.assert_allclose(mean, means.mean(axis=0))
    np.testing.assert_allclose(deviation**2, (deviations**2 + means**2).mean(axis=0) - mean**2, atol=1e-12)


def test_what_is_refused():
    with pytest.raises(ValueError, match="return_std needs loss='gaussian_nll'"):
        MLPRegressor(max_iter=1).fit(X, Y).predict(X, return_std=True)
    with pytest.raises(ValueError, match="MLPTransformer: the loss 'gaussian_nll'"):
        MLPTransformer(loss="gaussian_nll").fit(X)
