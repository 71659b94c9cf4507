"""skl2onnx: predictions of ONNX Runtime and of the estimator are equal."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import cmlp
from cmlp import MLPClassifier, MLPRegressor
from cmlp._core import output_kind
from cmlp.estimators import register_onnx

skl2onnx = pytest.importorskip("skl2onnx")
onnxruntime = pytest.importorskip("onnxruntime")

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
X, CODES = load_iris(return_X_y=True)
LABELS = {
    "numbers": CODES,
    "words": np.array(["setosa", "versicolor", "virginica"])[CODES],
    "two numbers": (CODES > 0).astype(int),
    "two words": np.array(["no", "yes"])[(CODES > 0).astype(int)],
    "two bools": CODES > 0,
}
CLOSE = {"float32": 1e-5, "float64": 1e-12}


@pytest.fixture(autouse=True)
def _registered():
    register_onnx()


def onnx_predictions(model, x, **options):
    proto = skl2onnx.to_onnx(model, x[:1], **options)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("activation", ["identity", "logistic", "relu", "tanh"])
def test_classes_and_probabilities(labels, activation, dtype):
    x = scale(X).astype(dtype)
    model = MLPClassifier((8, 6), activation, dropout=0.1, max_iter=30, random_state=0).fit(x, labels)
    predicted, probabilities = onnx_predictions(model, x, options={"zipmap": False})
    np.testing.assert_allclose(probabilities, model.predict_proba(x), rtol=0, atol=CLOSE[dtype])
    assert (predicted == model.predict(x)).all()


def test_several_labels():
    x, y = make_multilabel_classification(100, 6, n_classes=3, random_state=0)
    x = scale(x).astype(np.float32)
    model = MLPClassifier((8,), max_iter=30, random_state=0).fit(x, y)
    predicted, probabilities = onnx_predictions(model, x, options={"zipmap": False})
    np.testing.assert_allclose(probabilities, model.predict_proba(x), rtol=0, atol=1e-5)
    assert (predicted == model.predict(x)).all()


def test_values_in_a_pipeline(dtype):
    x, y = load_diabetes(return_X_y=True)
    x = x.astype(dtype)
    net = MLPRegressor(hidden_layer_sizes=(8,), loss="huber", max_iter=30, random_state=0)
    model = make_pipeline(StandardScaler(), net).fit(x, scale(y))
    (predicted,) = onnx_predictions(model, x)
    np.testing.assert_allclose(predicted.ravel(), model.predict(x), rtol=0, atol=10 * CLOSE[dtype])


LOSSES = [loss for loss in cmlp.losses() if output_kind(loss) in ("class_logits", "logit") and loss != "nll"]
VALUES = [
    loss for loss in cmlp.losses() if output_kind(loss) in ("value", "log_mean", "moments", "quantiles")
]
KINDS = {
    "int64": [-5, 3, 2**31 - 1],
    "int64 beyond 32 bits": [1, 2, 2**40],
    "uint64": np.array([0, 7, 2**33], np.uint64),
    "uint8": np.array([0, 7, 200], np.uint8),
    "integers as floats": [0.0, 1.0, 2.0],
    "text": ["ash", "\u00e9l", "oak"],
    "objects": np.array(["ash", "elm", "oak"], dtype=object),
}


@pytest.mark.parametrize("loss", ["log_loss", *LOSSES])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("several", [False, True], ids=["two classes", "three classes"])
def test_every_loss_and_kind_of_labels_is_converted_right_or_refused(loss, kind, several):
    labels = np.asarray(KINDS[kind])[CODES if several else 2 * (CODES > 0)]
    x = scale(X).astype(np.float32)
    model = MLPClassifier((8,), loss=loss, max_iter=30, random_state=0, learning_rate_init=0.01).fit(
        x, labels
    )
    refused = kind in ("int64 beyond 32 bits", "uint64") or model._one_against_rest
    if refused:
        with pytest.raises(ValueError, match=r"has (loss|labels|loss, labels) that skl2onnx cannot convert"):
            onnx_predictions(model, x)
        return
    predicted, probabilities = onnx_predictions(model, x, options={"zipmap": False})
    np.testing.assert_allclose(probabilities, model.predict_proba(x), rtol=0, atol=1e-5)
    assert (predicted == model.predict(x)).all()


@pytest.mark.parametrize("loss", ["squared_error", "poisson", *VALUES])
def test_every_loss_of_values_is_converted_right_or_refused(loss):
    x, y = load_diabetes(return_X_y=True)
    model = MLPRegressor(loss, (8,), max_iter=30, random_state=0).fit(x, y / 100)
    if model.out_activation_ != "identity" or loss == "gaussian_nll":
        with pytest.raises(ValueError, match="has loss that skl2onnx cannot convert"):
            onnx_predictions(model, x)
        return
    np.testing.assert_allclose(onnx_predictions(model, x)[0].ravel(), model.predict(x), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "change",
    [
        {"activation": "tanh"},
        {"activation": "gelu"},
        {"batch_norm": True},
        {"missing": "impute"},
        {"loss": "focal"},
        {"hidden_layer_sizes": (3, 3)},
    ],
    ids=str,
)
def test_what_was_fitted_is_converted(change):
    model = MLPClassifier((8,), max_iter=30, random_state=0).fit(X, CODES)
    expected = onnx_predictions(model, X, options={"zipmap": False})
    changed = onnx_predictions(model.set_params(**change), X, options={"zipmap": False})
    assert all(np.array_equal(a, b) for a, b in zip(expected, changed, strict=True))


@pytest.mark.parametrize(
    ("model", "y", "what"),
    [
        (MLPClassifier(activation="gelu"), CODES, "activation"),
        (MLPClassifier(batch_norm=True, residual=True), CODES, "batch_norm, residual"),
        (MLPRegressor("poisson"), CODES, "loss"),
        (MLPRegressor("gaussian_nll"), CODES, "loss"),
        (MLPRegressor(), np.c_[CODES, CODES], "several outputs"),
        (MLPClassifier(missing="impute"), CODES, "missing"),
        (MLPClassifier(), np.zeros(150), "a single class"),
        (MLPClassifier(), np.eye(3, dtype=int)[CODES][:, :2], "two labels a row"),
    ],
)
def test_what_it_cannot_convert_is_refused(model, y, what):
    model.set_params(max_iter=2).fit(X, y)
    with pytest.raises(ValueError, match=f"has {what} that skl2onnx cannot convert"):
        onnx_predictions(model, X)
