"""What MLPClassifier and MLPRegressor take: kinds of arrays, frames and labels; and what they refuse."""

import re
import subprocess
import sys
import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse as sp

from cmlp import MLPClassifier, MLPRegressor, optim
from cmlp.estimators import MLPEnsembleClassifier, Perceptron

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(60, 5)) * (RNG.uniform(size=(60, 5)) < 0.5)
CODES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
YR = X @ [1.0, 2.0, 3.0, 0.0, -1.0]
NAMES = ["a", "b", "c", "d", "e"]


def fitted(kind, x, y, **settings):
    return kind(hidden_layer_sizes=(6,), max_iter=8, random_state=0, **settings).fit(x, y)


def memory_mapped(x, folder):
    np.save(folder / "x.npy", x)
    return np.load(folder / "x.npy", mmap_mode="r")


def read_only(x, _):
    x = x.copy()
    x.flags.writeable = False
    return x


KINDS = {
    "fortran": lambda x, _: np.asfortranarray(x),
    "read-only": read_only,
    "memory-mapped": memory_mapped,
    "sliced": lambda x, _: np.repeat(x, 2, axis=0)[::2],
    "list": lambda x, _: x.tolist(),
    "pandas": lambda x, _: pd.DataFrame(x, columns=NAMES),
    "arrow": lambda x, _: pa.table(dict(zip(NAMES, x.T, strict=True))),
    "csr_matrix": lambda x, _: sp.csr_matrix(x),
    "csr_array": lambda x, _: sp.csr_array(x),
    "csc_matrix": lambda x, _: sp.csc_matrix(x),
    "coo_array": lambda x, _: sp.coo_array(x),
    "lil_matrix": lambda x, _: sp.lil_matrix(x),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("estimator", "y"), [(MLPClassifier, CODES), (MLPRegressor, YR)])
def test_every_kind_of_rows_gives_the_same(kind, estimator, y, tmp_path):
    plain = fitted(estimator, X, y)
    other = fitted(estimator, KINDS[kind](X, tmp_path), y)
    for a, b in zip(other.coefs_, plain.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    np.testing.assert_allclose(other.predict(KINDS[kind](X, tmp_path)), plain.predict(X), rtol=1e-12)


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_names_of_columns(kind):
    if kind == "polars":
        polars = pytest.importorskip("polars")
        frame = polars.DataFrame(dict(zip(NAMES, X.T, strict=True)))
    else:
        frame = KINDS[kind](X, None)
    model = fitted(MLPClassifier, frame, CODES)
    assert model.feature_names_in_.tolist() == NAMES
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(pd.DataFrame(X, columns=["z", *NAMES[1:]]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_dtype_is_kept(dtype, solver):
    model = fitted(MLPRegressor, X.astype(dtype), YR, solver=solver)
    assert {a.dtype for a in model.coefs_ + model.intercepts_} == {np.dtype(dtype)}
    assert model.predict(X.astype(dtype)).dtype == dtype


def test_integers_are_float64():
    assert fitted(MLPRegressor, np.round(X).astype(int), YR).coefs_[0].dtype == np.float64


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_argument(dtype):
    assert fitted(MLPClassifier, X, CODES, dtype=dtype).predict_proba(X).dtype == dtype


LABELS = {
    "integers": np.array([7, -1, 3]),
    "text": np.array(["ash", "elm", "oak"]),
    "objects": np.array(["ash", "elm", "oak"], dtype=object),
    "truth": np.array([False, True, True]),
    "floats": np.array([0.0, 1.0, 2.0]),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_every_kind_of_labels(labels):
    y = labels[CODES]
    model = fitted(MLPClassifier, X, y, early_stopping=True)
    assert model.classes_.tolist() == np.unique(y).tolist()
    prediction = model.predict(X)
    assert prediction.dtype.kind == ("U" if y.dtype == object else y.dtype.kind)  # as scikit-learn's
    assert set(prediction) <= set(y)


def test_two_classes_in_one_column_or_two():
    one, y = fitted(MLPClassifier, X, CODES > 0), (CODES > 0).astype(int)
    with pytest.warns(match="A column-vector y was passed"):
        column = fitted(MLPClassifier, X, y[:, None])
    assert np.array_equal(one.predict_proba(X), column.predict_proba(X))
    two = fitted(MLPClassifier, X, np.stack([1 - y, y], axis=1))
    assert two.predict_proba(X).shape == two.predict(X).shape == (60, 2)


def test_several_outputs():
    model = fitted(MLPRegressor, X, np.stack([YR, -YR], axis=1))
    assert model.predict(X).shape == (60, 2)
    assert model.n_outputs_ == 2


def test_missing_values():
    holes = X.copy()
    holes[3, 1] = holes[5, 0] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        fitted(MLPClassifier, holes, CODES)
    filled = holes.copy()
    filled[3, 1], filled[5, 0] = np.nanmedian(holes[:, 1]), np.nanmedian(holes[:, 0])
    model, plain = fitted(MLPClassifier, holes, CODES, missing="impute"), fitted(MLPClassifier, filled, CODES)
    assert np.array_equal(model.predict_proba(holes), plain.predict_proba(filled))
    assert np.isfinite(model.predict_proba(np.full((1, 5), np.nan))).all()


def test_a_memory_mapped_array_is_not_copied(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((20_000, 200), np.float32))  # 16 MB
    x, y = np.load(tmp_path / "x.npy", mmap_mode="r"), np.zeros(20_000, np.float32)
    tracemalloc.start()
    MLPRegressor(hidden_layer_sizes=(4,), max_iter=1).fit(x, y).predict(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


def test_a_sparse_matrix_is_not_made_dense():
    x = sp.random_array((200, 200_000), density=1e-4, format="csr", random_state=np.random.default_rng(0))
    model = MLPClassifier((4,), solver="sgd", max_iter=2, random_state=0).fit(x, np.arange(200) % 2)
    assert model.predict(x).shape == (200,)  # 320 MB if it were


BAD = {
    "no rows": (lambda: fitted(MLPRegressor, X[:0], YR[:0]), "Found array with 0 sample"),
    "rows of y": (lambda: fitted(MLPRegressor, X, YR[:5]), "inconsistent numbers of samples: [60, 5]"),
    "columns": (
        lambda: fitted(MLPRegressor, X, YR).predict(X[:, :3]),
        "X has 3 features",
    ),
    "infinity": (lambda: fitted(MLPRegressor, X + np.inf, YR), "Input X contains infinity"),
    "not fitted": (lambda: MLPRegressor().predict(X), "This MLPRegressor instance is not fitted yet"),
    "activation": (lambda: fitted(MLPRegressor, X, YR, activation="rleu"), "The 'activation' parameter"),
    "a layer": (
        lambda: fitted(MLPRegressor, X, YR, activation=["relu", "tanh"]),
        "activation: there are 2 for 1 hidden layers",
    ),
    "solver": (lambda: fitted(MLPRegressor, X, YR, solver="adma"), "The 'solver' parameter"),
    "alpha": (lambda: fitted(MLPRegressor, X, YR, alpha=-1), "The 'alpha' parameter"),
    "dropout": (lambda: fitted(MLPRegressor, X, YR, dropout=1.0), "The 'dropout' parameter"),
    "lbfgs": (lambda: fitted(MLPRegressor, X, YR, solver="lbfgs", dropout=0.5), "takes no dropout"),
    "loss": (lambda: fitted(MLPRegressor, X, YR, loss="focal"), "'focal' is not one of values or log means"),
    "loss of classes": (lambda: fitted(MLPClassifier, X, CODES, loss="mse"), "'mse' is not one of logits"),
    "layer": (
        lambda: fitted(MLPRegressor, X, YR, transform_layer=1).transform(X),
        "there are 1 hidden layers",
    ),
    "hidden": (lambda: MLPRegressor(hidden_layer_sizes=(4, 0)).fit(X, YR), "must be > 0, got [4, 0]"),
    "sparse": (
        lambda: fitted(MLPRegressor, sp.csr_array(X), YR, missing="impute"),
        "missing='impute' takes dense rows",
    ),
    "not by batches": (
        lambda: fitted(MLPRegressor, X, YR, solver=lambda parameters, lr: optim.LBFGS(parameters)),
        "is not an optimizer of cmlp.optim that goes by batches",
    ),
    "unknown activation": (
        lambda: MLPRegressor(hidden_layer_sizes=(4, 4), activation=["relu", "rleu"]).fit(X, YR),
        "activation: unknown 'rleu'; choose from identity, sigmoid",
    ),
    "negative counts": (
        lambda: fitted(MLPRegressor, X, -np.ones(60), loss="poisson"),
        "y has -1, the loss 'poisson_nll' takes numbers of at least 0",
    ),
    "no gamma": (
        lambda: fitted(MLPRegressor, X, np.zeros(60), loss="gamma_deviance"),
        "y has 0, the loss 'gamma_deviance' takes numbers above 0",
    ),
    "another's member": (
        lambda: MLPEnsembleClassifier(MLPRegressor()).fit(X, YR > 0),
        "The 'estimator' parameter of MLPEnsembleClassifier must be",
    ),
    "sparse dropout": (lambda: fitted(MLPRegressor, sp.csr_array(X), YR, input_dropout=0.1), "is sparse"),
    "weights": (
        lambda: MLPRegressor().fit(X, YR, sample_weight=np.ones(3)),
        "sample_weight.shape == (3,), expected (60,)",
    ),
    "balanced": (
        lambda: MLPClassifier(class_weight="balanced").partial_fit(X, CODES, classes=[0, 1, 2]),
        "class_weight='balanced' needs all of them",
    ),
    "early": (
        lambda: MLPRegressor(early_stopping=True).partial_fit(X, YR),
        "partial_fit does not support early_stopping=True",
    ),
    "one class": (lambda: Perceptron().fit(X, np.ones(60)), "y has one class, 1.0"),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_without_scikit_learn():
    code = (
        "import sys; sys.modules['sklearn'] = None; import cmlp\n"
        "try: cmlp.MLPClassifier\n"
        "except ImportError as error: print(error)"
    )
    text = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert text.startswith("cmlp.MLPClassifier needs scikit-learn (pip install 'cmlp[sklearn]')")
