"""What an estimator keeps unchanged: the mode of its network, its loss, orders of rows, configurations."""

import contextlib
import pickle

import joblib
import numpy as np
import pytest
import sklearn

import cmlp
from cmlp import MLPClassifier, MLPRegressor, _core, fit_many, nn
from cmlp.estimators import MLPEnsembleRegressor, MLPTransformer, QuantileMLPRegressor, row_order
from cmlp.estimators.losses import Objective, classification, regression

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = np.abs(RNG.normal(size=(80, 4))) + 0.5
Y, CODES = X[:, 0] + X[:, 1], RNG.integers(0, 3, 80)
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 4, "tol": 0.0, "random_state": 0}


# ---- the mode of the network


def fails(event):
    raise RuntimeError("enough")


def interrupts(event):
    raise KeyboardInterrupt


@pytest.mark.filterwarnings("ignore:Training interrupted")
@pytest.mark.parametrize("callback", [fails, interrupts])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_network_is_in_evaluation_mode_however_a_fit_ends(solver, callback):
    model = MLPClassifier(**SMALL, solver=solver, callbacks=callback)
    with contextlib.suppress(RuntimeError, KeyboardInterrupt):
        model.fit(X, CODES)
    assert not model.net_.training


def ensemble(model):
    MLPEnsembleRegressor(model, 2, random_state=0, n_threads=1).fit(X, Y)


def many(model):
    fit_many(model, X, Y, seeds=[0, 1], error_score="raise", n_threads=1)


@pytest.mark.parametrize("fit", [ensemble, many])
def test_the_network_is_in_evaluation_mode_after_a_parallel_fit_that_fails(fit):
    models = []

    def fails_and_keeps(event):
        models.append(event.model)
        raise RuntimeError("enough")

    model = MLPRegressor(**SMALL, callbacks=fails_and_keeps)
    with pytest.raises(RuntimeError, match="enough"):
        fit(model)
    assert models
    assert not any(each.net_.training for each in models)


def dumped(model, path):
    joblib.dump(model, path / "model")
    return joblib.load(path / "model")


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("copied", [lambda m, path: pickle.loads(pickle.dumps(m)), dumped])
def test_an_estimator_that_a_callback_writes_is_in_evaluation_mode(solver, copied, tmp_path):
    written = []
    MLPClassifier(**SMALL, solver=solver, callbacks=Keeps(copied, tmp_path, written)).fit(X, CODES)
    assert not any(each.net_.training for each in written)
    assert len(written) == 4


class Keeps:
    """A callback that keeps copies of the estimator; it is not in them."""

    def __init__(self, copied, path, written):
        self.copied, self.path, self.written = copied, path, written

    def __call__(self, event):
        self.written.append(self.copied(event.model, self.path))

    def __reduce__(self):
        return (object, ())


def test_a_checkpoint_of_an_estimator_is_in_evaluation_mode(tmp_path):
    MLPClassifier(**SMALL, callbacks=cmlp.Checkpoint(tmp_path / "m-{epoch}.joblib")).fit(X, CODES)
    assert not any(joblib.load(tmp_path / f"m-{epoch}.joblib").net_.training for epoch in range(4))


# ---- the fitted loss

CHANGES = {
    "regressor": (MLPRegressor(**SMALL), Y, {"loss": "poisson"}),
    "variance": (MLPRegressor(**SMALL), Y, {"loss": "gaussian_nll"}),
    "classifier": (MLPClassifier(**SMALL), CODES, {"loss": "focal"}),
    "quantiles": (QuantileMLPRegressor(**SMALL), Y, {"quantiles": (0.2, 0.5, 0.8)}),
    "autoencoder": (MLPTransformer(**SMALL), None, {"loss": "poisson"}),
}


@pytest.mark.parametrize(("model", "y", "change"), CHANGES.values(), ids=CHANGES)
def test_gradients_and_score_are_of_the_fitted_loss(model, y, change):
    model = sklearn.base.clone(model).fit(X, y)
    target = X if y is None else y
    before = model.gradients(X, target), model.score(X, target), model._objective.name
    model.set_params(**change)
    after = model.gradients(X, target), model.score(X, target), model._objective.name
    assert before[1:] == after[1:]
    assert all(np.array_equal(before[0][name], after[0][name]) for name in before[0])


def test_the_score_of_an_autoencoder_checks_its_rows_once(monkeypatch):
    model, calls = MLPTransformer(**SMALL).fit(X), []
    for module in ("autoencoder", "prediction"):
        module = getattr(cmlp.estimators, module)
        checked = module.validate_data
        monkeypatch.setattr(
            module, "validate_data", lambda *a, checked=checked, **k: calls.append(1) or checked(*a, **k)
        )
    score = model.score(X.tolist())
    assert len(calls) == 1
    reproduced = model.inverse_transform(model.transform(X))
    assert score == pytest.approx(-np.mean((reproduced - X) ** 2), rel=1e-12)


# ---- losses by the core's table


@pytest.mark.parametrize("name", cmlp.losses())
def test_targets_are_those_of_the_cores_table(name):
    kind, targets = _core.output_kind(name), _core.target_range(name)
    if kind in ("value", "log_mean", "moments", "quantiles"):
        objective = regression(name)
        assert objective.columns == (2 if kind == "moments" else 1)
        least = {"positive": 0.0, "nonnegative": -1e-3}.get(targets)
        objective.check(np.array([1e-3]))
        if least is not None:
            with pytest.raises(ValueError, match=f"the loss '{name}' takes numbers"):
                objective.check(np.array([1.0, least]))
    elif kind == "logit":
        hot = np.array([0.0, 1.0])
        expected = [-1, 1] if targets == "sign" else [0, 1]
        assert classification(name, "binary").target(hot).tolist() == expected


def test_an_objective_takes_a_loss():
    assert Objective(nn.GaussianNLLLoss(), "identity").columns == 2
    with pytest.raises((ValueError, TypeError)):
        regression("mes")


# ---- the order of the rows, and scikit-learn's configuration


def test_orders_are_int64_where_the_platforms_integers_are_not(monkeypatch):
    arange = np.arange
    monkeypatch.setattr(
        row_order.np, "arange", lambda *a, dtype=np.int32, **more: arange(*a, dtype=dtype, **more)
    )
    generator = np.random.RandomState(0)
    order = row_order.RowOrder(5, generator)
    copied = pickle.loads(pickle.dumps(order))
    generator.shuffle(order.begin())  # by something else: a copy starts again
    assert order.begin().dtype == copied.begin().dtype == np.int64
    copied = pickle.loads(pickle.dumps(order))
    copied.end = row_order._state(np.random.RandomState(7))
    assert copied.begin().dtype == np.int64


class Configured(MLPRegressor):
    """Keeps scikit-learn's configuration of the thread that fits it."""

    def fit(self, X, y, sample_weight=None):
        self.config_ = sklearn.get_config()
        return super().fit(X, y, sample_weight)


def test_fits_in_threads_have_the_configuration_of_the_caller():
    with sklearn.config_context(assume_finite=True):
        fits = fit_many(Configured(**SMALL), X, Y, seeds=[0, 1], n_threads=2)
    for fit in fits:
        assert fit.estimator.config_["assume_finite"]
        assert fit.estimator.config_["skip_parameter_validation"]


def test_curves_of_a_diverged_training_end_once():
    model = MLPRegressor(**{**SMALL, "solver": "sgd", "learning_rate_init": 1e300})
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="non-finite"):
        model.fit(X, Y)
    assert len(model.loss_curve_) == model.n_iter_
