"""skl2onnx: what ONNX Runtime answers beside what the estimator does."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from cmlp import MLPClassifier, MLPRegressor
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


def answers(model, x, **options):
    proto = skl2onnx.to_onnx(model, x[:1], **options)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("activation", ["identity", "logistic", "relu", "tanh"])
def test_classes_and_probabilities(labels, activation, dtype):
    x = scale(X).astype(dtype)
    model = MLPClassifier((8, 6), activation, dropout=0.1, max_iter=30, random_state=0).fit(x, labels)
    predicted, probabilities = answers(model, x, options={"zipmap": False})
    np.testing.assert_allclose(probabilities, model.predict_proba(x), rtol=0, atol=CLOSE[dtype])
    assert (predicted == model.predict(x)).all()


def test_several_labels():
    x, y = make_multilabel_classification(100, 6, n_classes=3, random_state=0)
    x = scale(x).astype(np.float32)
    model = MLPClassifier((8,), max_iter=30, random_state=0).fit(x, y)
    predicted, probabilities = answers(model, x, options={"zipmap": False})
    np.testing.assert_allclose(probabilities, model.predict_proba(x), rtol=0, atol=1e-5)
    assert (predicted == model.predict(x)).all()


def test_values_in_a_pipeline(dtype):
    x, y = load_diabetes(return_X_y=True)
    x = x.astype(dtype)
    net = MLPRegressor(hidden_layer_sizes=(8,), loss="huber", max_iter=30, random_state=0)
    model = make_pipeline(StandardScaler(), net).fit(x, scale(y))
    (predicted,) = answers(model, x)
    np.testing.assert_allclose(predicted.ravel(), model.predict(x), rtol=0, atol=10 * CLOSE[dtype])


@pytest.mark.parametrize(
    ("model", "y", "what"),
    [
        (MLPClassifier(activation="gelu"), CODES, "activation"),
        (MLPClassifier(batch_norm=True, residual=True), CODES, "batch_norm, residual"),
        (MLPRegressor("poisson"), CODES, "loss"),
        (MLPRegressor("gaussian_nll"), CODES, "loss"),
        (MLPRegressor(), np.c_[CODES, CODES], "several outputs"),
    ],
)
def test_what_it_cannot_convert_is_refused(model, y, what):
    model.set_params(max_iter=2).fit(X, y)
    with pytest.raises(ValueError, match=f"has {what} that skl2onnx cannot convert"):
        answers(model, X)
