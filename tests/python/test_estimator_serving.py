"""Predictions of estimators for plain float arrays: the values, labels and errors of any other input."""

import pickle

import numpy as np
import pytest
from sklearn.preprocessing import LabelBinarizer

from cmlp import MLPClassifier, MLPRegressor
from cmlp.estimators import MLPEnsembleClassifier, MLPTransformer, QuantileMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(90, 4))
CODES = np.argmax(X[:, :3], axis=1)
NAMES = np.array(["ash", "elm", "oak"], dtype=object)
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 8, "tol": 1.0, "n_iter_no_change": 4, "random_state": 0}
TARGETS = {
    "text": NAMES[CODES],
    "two": np.where(CODES > 0, "yes", "no"),
    "one class": np.zeros(90, int),
    "numbers": CODES * 10 - 5,
    "true or false": CODES > 0,
    "several labels": (X[:, :3] > 0).astype(int),
}
MODELS = {
    **{name: MLPClassifier(**SMALL).fit(X, y) for name, y in TARGETS.items()},
    "values": MLPRegressor(**SMALL).fit(X, X[:, 0]),
    "several values": MLPRegressor(**SMALL).fit(X, X[:, :2]),
    "quantiles": QuantileMLPRegressor(**SMALL).fit(X, X[:, 0]),
    "rows": MLPTransformer(**{**SMALL, "hidden_layer_sizes": (2,)}).fit(X),
}
METHODS = ("predict", "predict_proba", "predict_quantiles", "transform")
CASES = [(name, method) for name, model in MODELS.items() for method in METHODS if hasattr(model, method)]


@pytest.mark.parametrize(("name", "method"), CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_are_predicted_as_lists_are(name, method, dtype):
    predict, rows = getattr(MODELS[name], method), X[:7].astype(dtype)
    expected = predict(rows.tolist())
    for given in (rows, np.asfortranarray(rows), np.repeat(rows, 2, axis=0)[::2], rows.astype(">f8")):
        np.testing.assert_array_equal(predict(given), expected)
    np.testing.assert_array_equal(predict(rows[3:4])[0], expected[3])


BAD = {
    "NaN": (np.where(X > 2, np.nan, X), "contains NaN"),
    "infinity": (np.where(X > 2, np.inf, X), "contains infinity"),
    "columns": (X[:, :3], "3 features"),
    "one dimension": (X[0], "Expected 2D array"),
    "no rows": (X[:0], "0 sample"),
    "complex": (X + 1j, "Complex data"),
}


@pytest.mark.parametrize(("rows", "message"), BAD.values(), ids=BAD)
@pytest.mark.parametrize(("name", "method"), CASES)
def test_bad_arrays_are_refused_in_the_words_of_scikit_learn(name, method, rows, message):
    with pytest.raises(ValueError, match=message):
        getattr(MODELS[name], method)(rows)


def test_an_array_for_a_model_with_names_warns():
    pd = pytest.importorskip("pandas")
    model = MLPRegressor(**SMALL).fit(pd.DataFrame(X, columns=list("abcd")), X[:, 0])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_unfitted_estimators_say_so(kind):
    for call in (lambda: kind().predict(X), lambda: kind().net_):
        with pytest.raises(ValueError, match="not fitted yet"):
            call()


@pytest.mark.parametrize("name", TARGETS)
def test_labels_are_those_of_label_binarizer(name):
    model = MODELS[name]
    scores = model.predict_proba(X)
    scores = scores[:, 1] if name in ("two", "true or false", "one class") else scores
    expected = LabelBinarizer().fit(TARGETS[name]).inverse_transform(scores)
    labels = model.predict(X)
    np.testing.assert_array_equal(labels, expected)
    assert labels.dtype == expected.dtype
    ensemble = MLPEnsembleClassifier(MLPClassifier(**SMALL), 2, random_state=0).fit(X, TARGETS[name])
    assert ensemble.predict(X).dtype == expected.dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_probabilities_are_symmetric_and_never_0_or_1(dtype):
    model = MLPClassifier(**SMALL, dtype=dtype).fit(X, CODES > 0)
    model.coefs_[-1] *= 1e4
    p = model.predict_proba(X)
    assert (p > 0).all()
    assert (p < 1).all()
    assert p[:, 0].min() < 1e-30
    assert p[:, 1].min() < 1e-30
    model.coefs_[-1] *= -1
    model.intercepts_[-1] *= -1
    np.testing.assert_array_equal(model.predict_proba(X), p[:, ::-1])


def test_weights_written_before_a_prediction_count():
    model = pickle.loads(pickle.dumps(MODELS["values"]))
    before = model.predict(X[:1])
    model.intercepts_[-1] = model.intercepts_[-1] + 1
    np.testing.assert_allclose(model.predict(X[:1]), before + 1)
    assert model.net_ is model.net_


@pytest.mark.parametrize("name", ["text", "values", "several labels"])
def test_gradients_are_those_of_the_loss(name):
    model, y = MODELS[name], {**TARGETS, "values": X[:, 0]}[name]
    gradients = model.gradients(X, y)
    assert list(gradients) == [key for key, _ in model.net_.named_parameters()]
    copy = pickle.loads(pickle.dumps(model)).set_params(
        solver="sgd", momentum=0, alpha=0, batch_size=90, learning_rate_init=1e-3, nesterovs_momentum=False
    )
    before = {key: p.data.copy() for key, p in copy.net_.named_parameters()}
    copy.partial_fit(X, y)
    for key, p in copy.net_.named_parameters():
        np.testing.assert_allclose(before[key] - p.data, 1e-3 * gradients[key], rtol=1e-6, atol=1e-12)
