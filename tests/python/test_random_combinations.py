"""Random combinations of estimator, loss, solver, options and data, each compared with another way."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn import neural_network
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold

import cmlp
from cmlp import MLPClassifier, MLPRegressor, fit_many, optim
from cmlp._core import output_kind
from cmlp.estimators import MLPTransformer, QuantileMLPRegressor
from products import slow_from

pytestmark = pytest.mark.filterwarnings("ignore")
FEW = 4
LOGITS = [loss for loss in cmlp.losses() if output_kind(loss) == "logit"]
CLASS_LOGITS = [loss for loss in cmlp.losses() if output_kind(loss) == "class_logits" and loss != "nll"]
VALUES = [
    loss for loss in cmlp.losses() if output_kind(loss) in ("value", "log_mean", "quantiles", "moments")
]


def halved(optimizer):
    return optim.lr_scheduler.StepLR(optimizer, 2, 0.5)


def pick(rng, values):
    return values[rng.integers(len(values))]


class Case:
    """An estimator with random settings, and rows for it; `theirs`: settings that scikit-learn has."""

    def __init__(
        self, seed, theirs=False, kinds=("two", "several", "labels", "value", "values", "quantiles", "x")
    ):
        self.rng = rng = np.random.default_rng(seed)
        self.kind = pick(rng, kinds)
        self.rows = int(rng.integers(24, 120))
        self.x = rng.normal(size=(self.rows, int(rng.integers(2, 8))))
        self.x *= rng.random(self.x.shape) < 0.8
        self.y = self.targets()
        settings = self.plain()
        if not theirs:
            settings |= self.more(settings)
        estimator = {"quantiles": QuantileMLPRegressor, "x": MLPTransformer}.get(self.kind)
        estimator = estimator or (MLPRegressor if self.kind in ("value", "values") else MLPClassifier)
        self.model = estimator(**settings)

    def targets(self):
        rng, signal = self.rng, self.x[:, 0] + 0.3 * self.rng.normal(size=self.rows)
        if self.kind == "two":
            return pick(rng, [signal > 0, np.where(signal > 0, "yes", "no"), np.where(signal > 0, 7, -3)])
        if self.kind == "several":
            codes = np.digitize(signal, np.quantile(signal, [0.3, 0.6]))
            return pick(rng, [codes, np.array(["a", "b", "c"])[codes], codes * 10 + 2**40])
        if self.kind == "labels":
            return (rng.normal(size=(self.rows, 3)) + signal[:, None] > 0).astype(int)
        if self.kind == "values":
            return np.abs(np.stack([signal, -signal + 3], axis=1)) + 0.1
        return None if self.kind == "x" else np.abs(signal) + 0.1

    def plain(self):
        rng = self.rng
        settings = {
            "hidden_layer_sizes": tuple(rng.integers(2, 9, size=rng.integers(0, 3)).tolist()),
            "activation": pick(rng, ["identity", "logistic", "tanh", "relu"]),
            "solver": pick(rng, ["adam", "sgd", "lbfgs", "adam", "sgd"]),
            "alpha": pick(rng, [0.0, 1e-4, 0.1]),
            "batch_size": pick(rng, ["auto", 7, 16, self.rows]),
            "learning_rate": pick(rng, ["constant", "invscaling", "adaptive"]),
            "learning_rate_init": pick(rng, [1e-3, 0.02]),
            "max_iter": int(rng.integers(2, 8)),
            "shuffle": bool(rng.random() < 0.8),
            "random_state": int(rng.integers(1000)),
            "tol": pick(rng, [0.0, 1e-4, 0.01]),
            "momentum": pick(rng, [0.0, 0.9]),
            "nesterovs_momentum": bool(rng.random() < 0.5),
            "n_iter_no_change": int(rng.integers(1, 12)),
        }
        if self.kind == "x":
            settings["hidden_layer_sizes"] = settings["hidden_layer_sizes"] or (3,)
        return settings

    def more(self, settings):
        rng, more = self.rng, {}
        if settings["solver"] != "lbfgs":
            more["solver"] = pick(rng, [settings["solver"], *cmlp.optimizers()])
            more["dropout"] = pick(rng, [0.0, 0.0, 0.3])
            more["input_dropout"] = pick(rng, [0.0, 0.0, 0.2])
            more["schedule"] = pick(rng, [None, None, halved])
            more["clip_grad_norm"] = pick(rng, [0.0, 1.0])
        more["activation"] = pick(rng, cmlp.activations())
        more |= {name: bool(rng.random() < 0.2) for name in ("batch_norm", "layer_norm", "residual")}
        more["init"] = pick(rng, ["sklearn", "auto", "xavier_normal"])
        more["dtype"] = pick(rng, [None, "float32", "float64"])
        losses = {"two": LOGITS + CLASS_LOGITS, "several": LOGITS + CLASS_LOGITS, "labels": LOGITS}.get(
            self.kind, VALUES
        )
        if self.kind == "x":
            losses = ["mse", "l1", "huber"]
        if self.kind != "quantiles":
            more["loss"] = pick(rng, losses)
        if self.kind in ("two", "several"):
            more["class_weight"] = pick(rng, [None, "balanced", {self.y[0]: 2.0}])
        return more

    def fit(self, model, x=None, y=None, **more):
        model.fit(self.x if x is None else x, self.y if y is None else y, **more)
        return model

    def __repr__(self):
        return f"{self.kind} {self.x.shape} {self.model!r}"


def numbers(model, x):
    method = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    if isinstance(model, QuantileMLPRegressor):
        method = "predict_quantiles"
    return getattr(model, method if hasattr(model, method) else "transform")(x)


def same(a, b, **close):
    for v, w in zip([*a.coefs_, *a.intercepts_], [*b.coefs_, *b.intercepts_], strict=True):
        np.testing.assert_allclose(v, w, **close) if close else np.testing.assert_array_equal(v, w)


def attempt(function):
    """Return the result, or None where training diverges: a random rate may."""
    try:
        with np.errstate(all="ignore"):
            return function()
    except ValueError as error:
        if "non-finite" in str(error) or "not finite" in str(error):
            return None
        raise


# ---- the ways


@pytest.mark.parametrize("seed", slow_from(FEW, range(120)))
def test_scikit_learn(seed):
    case = Case(seed, theirs=True, kinds=("two", "several", "labels", "value"))
    theirs = getattr(neural_network, type(case.model).__name__)
    names = theirs().get_params()
    other = theirs(**{name: value for name, value in case.model.get_params().items() if name in names})
    weight = pick(case.rng, [None, case.rng.uniform(0.1, 2, case.rows)])
    stopping = bool(case.rng.random() < 0.3) and case.model.solver != "lbfgs"
    for model in (case.model, other):
        model.set_params(early_stopping=stopping, validation_fraction=0.3)
        case.fit(model, sample_weight=weight)
    assert case.model.n_iter_ == other.n_iter_, case
    curves = [case.model.loss_curve_, getattr(other, "loss_curve_", case.model.loss_curve_)]  # lbfgs has none
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-8, atol=1e-10, err_msg=repr(case))
    same(case.model, other, rtol=1e-6, atol=1e-8)
    assert (case.model.predict(case.x) == other.predict(case.x)).all() or case.kind == "value"


@pytest.mark.parametrize("seed", slow_from(FEW, range(100)))
def test_fit_many_is_a_grid_search(seed):
    case = Case(1000 + seed, kinds=("two", "several", "labels", "value", "values"))
    grid = {"alpha": [1e-4, 0.1], "max_iter": [2, 4]}
    cv = KFold(2, shuffle=True, random_state=0)
    many = attempt(lambda: fit_many(case.model, case.x, case.y, grid, cv=cv, error_score="raise"))
    if many is None:
        return
    search = GridSearchCV(case.model, grid, cv=cv, error_score="raise").fit(case.x, case.y)
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_allclose(
            many.cv_results_[name], search.cv_results_[name], rtol=1e-9, err_msg=repr(case)
        )
    first = next(cv.split(case.x, case.y))[0]
    alone = clone(case.model).set_params(**many[0].params).fit(case.x[first], case.y[first])
    same(many[0].estimator, alone)


@pytest.mark.parametrize("seed", slow_from(FEW, range(100)))
def test_weight_two_is_the_row_twice(seed):
    case = Case(2000 + seed)
    weight = case.rng.integers(0, 3, case.rows)
    weight[:12] = 1
    x, y = case.x.repeat(weight, axis=0), None if case.y is None else case.y.repeat(weight, axis=0)
    # The statistics of batch_norm and the rate of invscaling count rows, not their weights.
    case.model.set_params(
        batch_norm=False, learning_rate="constant", dtype="float64", shuffle=False, tol=0, batch_size=10**6
    )
    if getattr(case.model, "class_weight", None) == "balanced":
        case.model.set_params(class_weight=None)
    if case.kind in ("two", "several") and len(np.unique(y)) != len(np.unique(case.y)):
        return
    weighted = attempt(lambda: case.fit(clone(case.model), sample_weight=weight))
    if weighted is None:
        return
    repeated = case.fit(clone(case.model), x, y)
    np.testing.assert_allclose(weighted.loss_, repeated.loss_, rtol=1e-5, atol=1e-9, err_msg=repr(case))
    np.testing.assert_allclose(numbers(weighted, case.x), numbers(repeated, case.x), rtol=1e-4, atol=1e-6)


def tables(x):
    names = [f"c{i}" for i in range(x.shape[1])]
    return {
        "fortran": np.asfortranarray(x),
        "strides": np.repeat(x, 2, axis=0)[::2],
        "list": x.tolist(),
        "pandas": pd.DataFrame(x, columns=names),
        "polars": pl.DataFrame(x, schema=names),
        "arrow": pl.DataFrame(x, schema=names).to_arrow(),
        "csr": sp.csr_array(x),
        "csc": sp.csc_matrix(x),
    }


@pytest.mark.parametrize("seed", slow_from(FEW, range(100)))
def test_a_frame_is_its_array(seed):
    case = Case(3000 + seed)
    kind = pick(case.rng, list(tables(case.x)))
    sparse = kind in ("csr", "csc")
    if sparse and case.kind != "x":
        case.model.set_params(input_dropout=0.0)
    if sparse and case.kind == "x":
        return
    dense = attempt(lambda: case.fit(clone(case.model)))
    if dense is None:
        return
    table = tables(case.x)[kind]
    other = case.fit(clone(case.model), x=table)
    same(dense, other)
    np.testing.assert_array_equal(numbers(dense, case.x), numbers(other, table), err_msg=f"{kind} {case!r}")


@pytest.mark.parametrize("seed", slow_from(FEW, range(100)))
def test_resumed_is_uninterrupted(seed):
    case = Case(4000 + seed)
    if case.model.solver == "lbfgs":
        case.model.set_params(solver="adam")
    # The adaptive rate and the ends of training count from the first epoch of a fit.
    case.model.set_params(tol=0, n_iter_no_change=np.inf, learning_rate="constant", max_iter=3)
    parts = clone(case.model).set_params(warm_start=True)
    uninterrupted = attempt(lambda: case.fit(clone(case.model).set_params(max_iter=6)))
    if uninterrupted is None:
        return
    case.fit(parts)
    for _ in range(3):
        if case.rng.random() < 0.5:
            parts = pickle.loads(pickle.dumps(parts))
        if hasattr(parts, "partial_fit") and getattr(parts, "class_weight", None) != "balanced":
            parts.partial_fit(case.x, case.y)
        else:
            case.fit(parts.set_params(max_iter=1))
    assert parts.loss_curve_ == uninterrupted.loss_curve_, case
    same(parts, uninterrupted)


@pytest.mark.parametrize("seed", slow_from(FEW, range(100)))
def test_validation_scores_are_scores(seed):
    case = Case(5000 + seed, kinds=("two", "several", "labels", "value", "values", "x"))
    if case.model.solver == "lbfgs":
        case.model.set_params(solver="adam")
    if "class_weight" in case.model.get_params():
        case.model.set_params(class_weight=None)  # it would weigh the validation rows
    half = slice(case.rows // 2, None)
    given = {"X_val": case.x[half]} | ({} if case.y is None else {"y_val": case.y[half]})
    model = attempt(lambda: case.fit(clone(case.model), **given))
    if model is None:
        return
    expected = model.score(case.x[half], None if case.y is None else case.y[half])
    assert model.validation_scores_[-1] == pytest.approx(expected, rel=1e-4, abs=1e-6), case
    p = numbers(model, case.x)
    assert np.isfinite(p).all()
    np.testing.assert_array_equal(numbers(model, case.x[:1]), p[:1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pickle.loads(pickle.dumps(model)).get_params() == model.get_params()
