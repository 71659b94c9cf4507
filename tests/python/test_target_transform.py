"""Targets far from unit scale: target_transform, the warning that names it, and targets of other kinds."""

import pickle
import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import cmlp
from cmlp import MLPClassifier, MLPRegressor
from cmlp.estimators import MLPEnsembleRegressor, QuantileMLPRegressor, ScaleWarning, fit_many

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3))
UNIT = X @ [1.0, -2.0, 0.5] + 0.1 * RNG.normal(size=200)
FAR = 1e5 * UNIT + 3e5
SMALL = {"hidden_layer_sizes": (8,), "max_iter": 150, "learning_rate_init": 0.01, "random_state": 0}
SCALER = StandardScaler().fit(FAR[:, None])


def scaled(**settings):
    return MLPRegressor(**{**SMALL, "target_transform": "standardize", **settings})


def by_hand(kind=MLPRegressor, **settings):
    return kind(**{**SMALL, **settings}).fit(X, SCALER.transform(FAR[:, None])[:, 0])


def in_units(z):
    return z * SCALER.scale_[0] + SCALER.mean_[0]


def test_far_targets_are_learned():
    assert scaled().fit(X, FAR).score(X, FAR) > 0.95


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_is_a_fit_of_standardized_targets(solver, dtype):
    model, plain = scaled(solver=solver, dtype=dtype).fit(X, FAR), by_hand(solver=solver, dtype=dtype)
    np.testing.assert_allclose(model.predict(X), in_units(plain.predict(X)), rtol=1e-6)
    assert model.predict(X).dtype == dtype
    np.testing.assert_allclose(model.loss_curve_, plain.loss_curve_, rtol=1e-9)


@pytest.mark.parametrize("more", [{"early_stopping": True}, {"scoring": "neg_mean_absolute_error"}])
def test_scores_of_rows_held_out_are_of_the_targets(more):
    model = scaled(**{"early_stopping": True, **more}).fit(X, FAR)
    plain = by_hand(**{"early_stopping": True, **more})
    factor = SCALER.scale_[0] if "scoring" in more else 1
    expected = factor * np.array(plain.validation_scores_)[:40]  # `tol` ends one of them earlier
    np.testing.assert_allclose(model.validation_scores_[:40], expected, rtol=1e-6)
    held_out = scaled(early_stopping=True).fit(X, FAR, eval_set=(X[:50], FAR[:50]))
    assert held_out.best_validation_score_ == pytest.approx(held_out.score(X[:50], FAR[:50]))


def test_several_targets_each_have_their_scale():
    y = np.stack([FAR, UNIT, np.full(200, 7.0)], axis=1)
    model = scaled().fit(X, y)
    assert model.predict(X).shape == (200, 3)
    np.testing.assert_allclose(model.target_scaler_.scale_, StandardScaler().fit(y).scale_)
    np.testing.assert_allclose(model.predict(X)[:, 2], 7, atol=0.5)


def test_the_network_of_several_targets_is_in_their_units():
    model = scaled(max_iter=2).fit(X, np.stack([FAR, UNIT], axis=1))
    np.testing.assert_allclose(model.net_.predict(X), model.predict(X))


def test_weights_count_as_rows():
    weight = RNG.integers(0, 3, 200).astype(float)
    rows = np.repeat(np.arange(200), weight.astype(int))
    weighted = scaled(max_iter=1).fit(X, FAR, sample_weight=weight).target_scaler_
    repeated = scaled(max_iter=1).fit(X[rows], FAR[rows]).target_scaler_
    np.testing.assert_allclose([weighted.mean_, weighted.scale_], [repeated.mean_, repeated.scale_])


def test_standard_deviations_are_in_the_units_of_y():
    model = scaled(loss="gaussian_nll").fit(X, FAR)
    plain = by_hand(loss="gaussian_nll")
    mean, deviation = model.predict(X, return_std=True)
    expected, unit_deviation = plain.predict(X, return_std=True)
    np.testing.assert_allclose(mean, in_units(expected))
    np.testing.assert_allclose(deviation, unit_deviation * SCALER.scale_[0])
    ensemble = MLPEnsembleRegressor(scaled(loss="gaussian_nll"), 2, random_state=0).fit(X, FAR)
    mean, deviation = ensemble.predict(X, return_std=True)
    assert np.corrcoef(mean, FAR)[0, 1] > 0.95
    assert 1e3 < np.median(deviation) < 1e5


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_quantiles_are_in_the_units_of_y(share):
    settings = {**SMALL, "quantiles": [0.1, 0.5, 0.9], "target_transform": "standardize"}
    model = QuantileMLPRegressor(calibration_fraction=share, **settings).fit(X, FAR)
    scaler = StandardScaler().fit(FAR[trained_on(share), None])
    target = scaler.transform(FAR[:, None])[:, 0]
    settings["target_transform"] = None
    plain = QuantileMLPRegressor(calibration_fraction=share, **settings).fit(X, target)
    expected = plain.predict_quantiles(X) * scaler.scale_[0] + scaler.mean_[0]
    np.testing.assert_allclose(model.predict_quantiles(X), expected, rtol=1e-6)
    np.testing.assert_allclose(model.shifts_, plain.shifts_ * scaler.scale_[0], rtol=1e-6)
    assert model.pinball_loss(X, FAR) == pytest.approx(plain.pinball_loss(X, target) * scaler.scale_[0])


def trained_on(share):
    """Return the rows that QuantileMLPRegressor does not calibrate on."""
    if not share:
        return np.arange(len(X))
    seed = np.random.RandomState(SMALL["random_state"]).randint(2**31)
    return train_test_split(np.arange(len(X)), test_size=share, random_state=seed)[0]


def test_the_scale_is_of_the_training_rows_alone():
    settings = {**SMALL, "target_transform": "standardize", "calibration_fraction": 0.3, "max_iter": 2}
    far = FAR.copy()
    far[np.setdiff1d(np.arange(len(X)), trained_on(0.3))] *= 100  # the rows to calibrate on
    one, other = (QuantileMLPRegressor(**settings).fit(X, y) for y in (FAR, far))
    np.testing.assert_array_equal(one.target_scaler_.scale_, other.target_scaler_.scale_)
    assert all(np.array_equal(a, b) for a, b in zip(one.coefs_, other.coefs_, strict=True))


def test_copies_pickles_and_searches():
    model = scaled().fit(X, FAR)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert clone(model).target_transform == "standardize"
    assert not hasattr(clone(model), "target_scaler_")
    fits = fit_many(MLPRegressor(**SMALL), X, FAR / 1e3, {"target_transform": [None, "standardize"]}, cv=2)
    assert fits.best_params_ == {"target_transform": "standardize"}
    np.testing.assert_array_equal(
        fits[2].estimator.predict(X),
        clone(fits[2].estimator).fit(*(a[fits.splits[0][0]] for a in (X, FAR / 1e3))).predict(X),
    )


def test_training_goes_on_in_the_first_scale():
    model = scaled(warm_start=True).fit(X, FAR)
    mean = model.target_scaler_.mean_.copy()
    model.fit(X[:50], FAR[:50])
    model.partial_fit(X[:20], FAR[:20])
    np.testing.assert_array_equal(model.target_scaler_.mean_, mean)
    with pytest.raises(ValueError, match="target_transform is None"):
        model.set_params(target_transform=None).fit(X, FAR)
    model.set_params(warm_start=False).fit(X, UNIT)
    assert not hasattr(model, "target_scaler_")


@pytest.mark.parametrize("loss", ["squared_error", "gaussian_nll"])
def test_the_network_is_in_the_units_of_y(loss, tmp_path):
    model = scaled(loss=loss, dtype="float64").fit(X, FAR)
    np.testing.assert_allclose(model.net_.predict(X)[:, 0], model.predict(X))
    if loss == "gaussian_nll":
        np.testing.assert_allclose(
            np.exp(model.net_.predict(X)[:, 1] / 2), model.predict(X, return_std=True)[1]
        )
    cmlp.save(model.net_, tmp_path / "m.safetensors")
    np.testing.assert_allclose(cmlp.load(tmp_path / "m.safetensors").predict(X)[:, 0], model.predict(X))
    step = 1e-5
    above, below = (model.predict(X[:1] + np.array([[sign * step, 0, 0]])) for sign in (1, -1))
    slope = (above - below) / (2 * step)
    np.testing.assert_allclose(model.input_gradients(X[:1])[0, 0, 0], slope[0], rtol=1e-4)


def test_gradients_are_of_the_network_in_the_units_of_y():
    model = scaled(dtype="float64", max_iter=5).fit(X, FAR)
    gradients, net = model.gradients(X, FAR), model.net_

    def loss():
        return 0.5 * np.mean(((net.predict(X)[:, 0] - FAR) / SCALER.scale_[0]) ** 2)

    for name, parameter in net.named_parameters():
        at, step = (0,) * parameter.data.ndim, 1e-4 * max(1.0, abs(float(parameter.data.ravel()[0])))
        values = []
        for sign in (1, -2):
            parameter.data[at] += sign * step
            values.append(loss())
        parameter.data[at] += step
        np.testing.assert_allclose(
            gradients[name][at], (values[0] - values[1]) / (2 * step), rtol=1e-3, atol=1e-12
        )


def test_get_torch_is_in_the_units_of_y():
    torch = pytest.importorskip("torch")
    model = scaled(dtype="float64").fit(X, FAR)
    np.testing.assert_allclose(
        model.get_torch()(torch.from_numpy(X)).detach().numpy()[:, 0], model.predict(X)
    )


@pytest.mark.parametrize("loss", ["poisson", "tweedie", "gamma_deviance"])
def test_losses_of_log_means_take_no_scaler(loss):
    with pytest.raises(ValueError, match="target_transform='standardize' gives negative targets"):
        scaled(loss=loss).fit(X, np.abs(UNIT) + 1)


# ---- the warning

WARNED = {
    "targets": (
        lambda: MLPRegressor(max_iter=2).fit(X, FAR),
        "y has a standard deviation of .*target_transform",
    ),
    "quantiles": (lambda: QuantileMLPRegressor(max_iter=2).fit(X, FAR), "target_transform='standardize'"),
    "features": (
        lambda: MLPClassifier(max_iter=2).fit(X * [1, 5e3, 1], UNIT > 0),
        "feature 1 has .*StandardScaler",
    ),
    "both": (lambda: MLPRegressor(max_iter=2).fit(X * 5e3, FAR), "feature 0 has .*; y has"),
    "float32": (lambda: MLPClassifier(max_iter=2).fit((X * 1e20).astype("f4"), UNIT > 0), "feature"),
    "sparse": (lambda: MLPClassifier(max_iter=2).fit(sp.csr_array(X * 5e3), UNIT > 0), "feature 0 has"),
    "pipeline": (lambda: make_pipeline(StandardScaler(), MLPRegressor(max_iter=2)).fit(X, FAR), "y has"),
}


@pytest.mark.parametrize(("fit", "message"), WARNED.values(), ids=WARNED)
def test_unscaled_data_is_warned_of_once(fit, message):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ScaleWarning)
        fit()
    (warning,) = [w for w in caught if w.category is ScaleWarning]
    assert re.search(message, str(warning.message))
    assert warning.filename == __file__


QUIET = {
    "unit scale": lambda: MLPRegressor(max_iter=2).fit(X, UNIT),
    "pictures": lambda: MLPClassifier(max_iter=2).fit(X * 255, UNIT > 0),
    "make_regression": lambda: MLPRegressor(max_iter=2).fit(X, UNIT * 200),
    "an offset": lambda: MLPRegressor(max_iter=2).fit(X + 1e12, UNIT + 1e12),
    "standardized": lambda: scaled(max_iter=2).fit(X, FAR),
    "log means": lambda: MLPRegressor("poisson", max_iter=2).fit(X, np.abs(FAR)),
    "batch norm": lambda: MLPClassifier(max_iter=2, batch_norm=True).fit(X * 5e3, UNIT > 0),
    "no fit": lambda: MLPRegressor(max_iter=2).fit(X, UNIT).predict(X * 1e5),
}


@pytest.mark.parametrize("fit", QUIET.values(), ids=QUIET)
def test_other_data_is_not(fit):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ScaleWarning)
        fit()


# ---- targets that are no numbers

NOT_NUMBERS = {
    "text": (np.array(["a", "b"] * 100), "MLPRegressor.fit: y has 'a', it must hold numbers"),
    "objects": (np.array(["a", 1.0] * 100, dtype=object), "y has 'a', it must hold numbers"),
    "dates": (np.arange(200).astype("datetime64[D]"), "y holds dates; convert them to numbers"),
    "spans": (np.arange(200).astype("timedelta64[D]"), "y holds time spans"),
    "a list": (["a", "b"] * 100, "y has 'a'"),
}


@pytest.mark.parametrize("kind", [MLPRegressor, QuantileMLPRegressor])
@pytest.mark.parametrize(("y", "message"), NOT_NUMBERS.values(), ids=NOT_NUMBERS)
@pytest.mark.parametrize("frame", [False, True])
def test_targets_that_are_no_numbers_are_named(kind, y, message, frame):
    pd = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match=re.escape(message.replace("MLPRegressor", kind.__name__))):
        kind().fit(X, pd.Series(y) if frame else y)


def test_numbers_in_objects_are_taken():
    a = MLPRegressor(max_iter=2, random_state=0).fit(X, UNIT.astype(object))
    np.testing.assert_array_equal(
        a.predict(X), MLPRegressor(max_iter=2, random_state=0).fit(X, UNIT).predict(X)
    )


@pytest.mark.parametrize("labels", [np.array(["no", "yes"]), np.array([3, 7]), np.array([False, True])])
def test_a_class_of_one_row_is_named(labels):
    message = re.escape(f"class {labels[1].item()!r} has one row; give X_val")
    with pytest.raises(ValueError, match=message):
        MLPClassifier(early_stopping=True).fit(X, labels[(np.arange(200) == 3).astype(int)])


@pytest.mark.parametrize("sizes", [(64, 64), [64], 64])
def test_sizes_in_the_place_of_the_loss(sizes):
    with pytest.raises(ValueError, match=re.escape(f"MLPRegressor(hidden_layer_sizes={sizes!r})")):
        MLPRegressor(sizes).fit(X, X[:, 0])
