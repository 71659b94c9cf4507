"""What the perceptron accepts, and what it refuses with which words."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import Perceptron, _core
from perceptron_oracle import fitted, make_data

RULES = [row["name"] for row in _core.perceptron_rules()]
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("labels", [(0, 1), (-1, 1), (2.5, -7.0), ("a", "b"), (False, True)])
def test_labels_are_any_two_values(labels):
    x, y = make_data(margin=0.05)
    model = Perceptron(epochs=1000).fit(x, np.array(labels)[y])
    assert set(model.predict(x).tolist()) == set(labels)
    assert model.score(x, np.array(labels)[y]) == 1.0


def test_strings_in_an_object_array_are_labels():
    assert Perceptron().fit([[0], [1]], np.array(["a", "b"], dtype=object)).predict([[1]]).tolist() == ["b"]


@pytest.mark.parametrize(
    "form",
    [
        lambda x: x.tolist(),
        lambda x: np.asfortranarray(x),
        lambda x: np.repeat(x, 2, axis=0)[::2],
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: x[::-1].copy()[::-1],
        lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),  # read-only
        lambda x: x.astype(">f8"),
    ],
    ids=["list", "fortran", "row_stride", "column_stride", "reversed", "read_only", "big_endian"],
)
def test_every_form_of_the_same_numbers_gives_the_same_weights(form):
    x, y = make_data(noise=0.1)
    before = x.copy()
    assert fitted(form(x), y).coef_.tolist() == fitted(x, y).coef_.tolist()
    assert (x == before).all()


@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "uint8", "bool"])
def test_other_numbers_are_read_as_float64(dtype):
    x, y = make_data(noise=0.1)
    x = (100 * abs(x)).astype(dtype)
    assert fitted(x, y).coef_.tolist() == fitted(x.astype(float), y).coef_.tolist()


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([[0, 0], [0, 0], [0, 0], [0, NAN]], [0, 1, 0, 1], "Perceptron.fit: X has nan at row 3, column 1"),
        ([[0, 0], [-INF, NAN]], [0, 1], "Perceptron.fit: X has -inf at row 1, column 0"),
        ([[0], [1]], [0.0, NAN], "Perceptron.fit: y has nan at row 1"),
        ([[0], [1]], [INF, 0.0], "Perceptron.fit: y has inf at row 0"),
        ([0, 1], [0, 1], "Perceptron.fit: X has shape (2,), it must be (rows, columns)"),
        ([[[0]], [[1]]], [0, 1], "Perceptron.fit: X has shape (2, 1, 1), it must be (rows, columns)"),
        ([[0], [1]], [[0], [1]], "Perceptron.fit: y has shape (2, 1), it must have one label a row"),
        ([[0], [1], [2]], [0, 1], "Perceptron.fit: X has 3 rows, y has 2"),
        (np.zeros((0, 2)), [], "Perceptron.fit: X is 0x2, there is nothing to learn from"),
        (np.zeros((2, 0)), [0, 1], "Perceptron.fit: X is 2x0, there is nothing to learn from"),
        ([[0], [1]], [7, 7], "Perceptron.fit: y has one class, 7; at least two are needed"),
        (
            np.array([["0"], ["b"]], object),
            [0, 1],
            "Perceptron.fit: X has dtype object, it must hold real numbers: '0' is at row 0",
        ),
        ([["0"], ["1"]], [0, 1], "Perceptron.fit: X has dtype <U1, it must hold real numbers"),
        ([[0], [1j]], [0, 1], "Perceptron.fit: X has dtype complex128, it must hold real numbers"),
        (
            [[0], [1]],
            np.array([0, None]),
            "Perceptron.fit: y is an object array, it must hold numbers or strings",
        ),
    ],
)
def test_bad_input_is_refused_by_name_and_place(x, y, message):
    with pytest.raises(ValueError) as error:
        Perceptron().fit(x, y)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "rosenblat"}, "unknown perceptron rule 'rosenblat'; choose from " + ", ".join(RULES)),
        ({"learning_rate": 0.0}, "Perceptron: learning_rate is 0, it must be positive"),
        ({"learning_rate": INF}, "Perceptron: learning_rate is inf, it must be positive"),
        ({"epochs": 0}, "Perceptron: epochs is 0, it must be at least 1"),
        ({"tolerance": -1.0}, "Perceptron: tolerance is -1, it must not be negative"),
        ({"keep_path": "all"}, "Perceptron: keep_path is 'all'; choose from False, True, epoch, update"),
    ],
)
def test_bad_options_are_refused_at_once(options, message):
    with pytest.raises(ValueError) as error:
        Perceptron(**options)
    assert str(error.value) == message


def test_bad_calls_after_fit_are_refused():
    with pytest.raises(ValueError, match="there are no weights yet, call fit or set_weights first"):
        Perceptron().predict([[0.0]])
    model = Perceptron().fit([[0, 0], [1, 1]], [0, 1])
    with pytest.raises(ValueError, match="decision_function: X has 3 columns, the perceptron expects 2"):
        model.predict([[1, 2, 3]])
    with pytest.raises(ValueError, match="decision_function: X has nan at row 0, column 1"):
        model.predict([[1, NAN]])
    with pytest.raises(ValueError, match=r"Perceptron.score: X has 1 rows, y has 2"):
        model.score([[1, 2]], [0, 1])
    with pytest.raises(ValueError, match="keep_path follows one line, y has 3 classes"):
        Perceptron(keep_path=True).fit([[0], [1], [2]], [0, 1, 2])
