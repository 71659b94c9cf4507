"""Data that are refused, each case with its own message: the function, the value and where it stands."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import nn, optim
from tolerance import assert_same_bits

NAN, INF = float("nan"), float("inf")
X, Y = np.arange(12.0).reshape(4, 3) / 10, np.array([0, 1, 1, 0])
T = np.ones((4, 2))
NUMBERS = "it must hold real numbers"


def network():
    return nn.Sequential(nn.Linear(3, 2))


def fit(x=X, y=Y, loss="cross_entropy", **options):
    return network().fit(x, y, loss=loss, **options)


def weighted(weight):
    return fit(sample_weight=weight)


def validated(x, y=Y):
    return fit(validation_data=(x, y))


def step(x=X, y=Y, weight=None):
    net = network()
    return net.train_step(x, y, nn.CrossEntropyLoss(), optim.SGD(net.parameters()), sample_weight=weight)


def evaluate(x=X, y=Y):
    return network().evaluate(x, y, loss="cross_entropy")


def check(x=X, y=Y):
    return cmlp.gradcheck(network(), x, y, nn.CrossEntropyLoss())


def backward(dy):
    net = network()
    net(X)
    return net.backward(dy)


def having(value, row, column, array=X):
    array = np.array(array, dtype=float)
    array[row, column] = value
    return array


CASES = {
    "x_flat": (lambda: fit(X[0]), r"fit: x has shape \(3,\), it must be \(rows, columns\)"),
    "x_deep": (lambda: fit(X[None]), r"fit: x has shape \(1, 4, 3\), it must be \(rows, columns\)"),
    "x_a_number": (lambda: fit(3.0), r"fit: x has shape \(\), it must be \(rows, columns\)"),
    "x_text": (lambda: fit([["a", "b", "c"]] * 4), f"fit: x has dtype <U1, {NUMBERS}"),
    "x_complex": (lambda: fit(X + 1j), f"fit: x has dtype complex128, {NUMBERS}"),
    "x_objects": (lambda: fit(np.full(X.shape, "a", object)), f"fit: x has dtype object, {NUMBERS}"),
    "x_dates": (lambda: fit(X.astype("M8[s]")), rf"fit: x has dtype datetime64\[s\], {NUMBERS}"),
    "x_none": (lambda: fit(None), f"fit: x is None, {NUMBERS}"),
    "x_no_rows": (lambda: fit(X[:0], Y[:0]), "fit: x has no rows"),
    "x_empty_list": (lambda: fit([], []), r"fit: x has shape \(0,\), it must be \(rows, columns\)"),
    "x_ragged": (lambda: fit([[1.0], [1.0, 2.0]], [0, 1]), "it must be an array of numbers"),
    "x_nan": (lambda: fit(having(NAN, 2, 1)), "fit: x has nan at row 2, column 1"),
    "x_infinity": (lambda: fit(having(-INF, 3, 0)), "fit: x has infinity at row 3, column 0"),
    "x_too_large": (
        lambda: fit(having(1e300, 1, 2)),
        "fit: x has 1e.300 at row 1, column 2, .* too large for float32",
    ),
    "x_too_wide": (lambda: fit(np.ones((4, 5))), "x has 5 columns, the layer '0' expects 3"),
    "x_first_of_many": (lambda: fit(having([NAN] * 3, slice(1, 4), slice(None))), "nan at row 1, column 0"),
    "x_strided": (lambda: fit(np.repeat(having(NAN, 2, 1), 2, axis=0)[::2]), "x has nan at row 2, column 1"),
    "x_fortran": (lambda: fit(np.asfortranarray(having(NAN, 2, 1))), "fit: x has nan at row 2, column 1"),
    "y_rows": (lambda: fit(y=Y[:3]), "fit: x has 4 rows, y has 3"),
    "y_deep": (lambda: fit(y=np.ones((4, 1, 2))), r"fit: y has shape \(4, 1, 2\), it must be \(rows,\) or"),
    "y_text": (lambda: fit(y=["a", "b", "a", "b"]), f"fit: y has dtype <U1, {NUMBERS}"),
    "y_objects": (lambda: fit(y=np.array([0, 1, "b", 0], object)), f"fit: y has dtype object, {NUMBERS}"),
    "y_float_labels": (lambda: fit(y=Y * 1.0), "y has dtype float64, class indices must be integers"),
    "y_nan_label": (lambda: fit(y=[0, 1, NAN, 0]), "class indices must be integers"),
    "y_nan": (lambda: fit(y=having(NAN, 1, 1, T), loss="mse"), "fit: y has nan at row 1, column 1"),
    "y_infinity": (lambda: fit(y=having(INF, 2, 0, T), loss="mse"), "fit: y has infinity at row 2, column 0"),
    "y_columns": (lambda: fit(y=np.ones((4, 3)), loss="mse"), "predictions are 4x2, targets 4x3"),
    "y_flat": (lambda: fit(y=np.ones(4), loss="mse"), "predictions are 4x2, targets 4x1"),
    "label_too_large": (lambda: fit(y=[0, 1, 2, 0]), r"label 2 at row 2 is not in 0\.\.1"),
    "label_negative": (lambda: fit(y=[0, 1, 1, -1]), r"label -1 at row 3 is not in 0\.\.1"),
    "label_huge": (
        lambda: fit(y=np.array([0, 1, 1, 2**64 - 1], "u8")),
        r"label .* at row 3 is not in 0\.\.1",
    ),
    "label_late": (lambda: fit(np.tile(X, (9, 1)), np.arange(36), batch_size=1), "label 2 at row 2"),
    "weight_negative": (
        lambda: weighted([1, 1, -2, 1]),
        "sample_weight is -2 at row 2, it must not be negative",
    ),
    "weight_nan": (lambda: weighted([1, NAN, 1, 1]), "fit: sample_weight is nan at row 1, it must be finite"),
    "weight_infinite": (
        lambda: weighted([1, 1, 1, INF]),
        "fit: sample_weight is inf at row 3",
    ),
    "weight_rows": (lambda: weighted([1, 1]), "fit: x has 4 rows, sample_weight has 2"),
    "weight_shape": (lambda: weighted(T), r"fit: sample_weight has shape \(4, 2\), it must be \(rows,\)"),
    "weight_all_zero": (lambda: weighted(np.zeros(4)), "sample_weight"),
    "validation_nan": (lambda: validated(having(NAN, 0, 0)), "validation data: x has nan at row 0, column 0"),
    "validation_columns": (lambda: validated(np.ones((4, 5))), "x has 5 columns, the layer '0' expects 3"),
    "validation_rows": (lambda: validated(X, Y[:3]), "validation data: x has 4 rows, y has 3"),
    "validation_empty": (lambda: validated(X[:0], Y[:0]), "validation data: x has no rows"),
    "validation_label": (lambda: validated(X, Y + 5), r"label 5 at row 0 is not in 0\.\.1"),
    "predict_nan": (lambda: network().predict(having(NAN, 1, 0)), "predict: x has nan at row 1, column 0"),
    "predict_columns": (
        lambda: network().predict(np.ones((2, 4))),
        "x has 4 columns, the layer '0' expects 3",
    ),
    "predict_flat": (lambda: network().predict(X[0]), r"predict: x has shape \(3,\), it must be"),
    "forward_rows": (lambda: network()(X[:0]), "forward: x has no rows"),
    "forward_objects": (
        lambda: network()(np.full((4, 3), print, object)),
        f"forward: x has dtype object, {NUMBERS}",
    ),
    "backward_first": (lambda: network().backward(T), "backward: there is no forward pass to go back from"),
    "backward_shape": (lambda: backward(T[:2]), "backward: dy is 2x2, the last output 4x2"),
    "evaluate_nan": (lambda: evaluate(having(NAN, 1, 0)), "evaluate: x has nan at row 1, column 0"),
    "evaluate_label": (lambda: evaluate(y=Y + 1), r"label 2 at row 1 is not in 0\.\.1"),
    "step_weight": (lambda: step(weight=[1.0]), "there are 1 weights for 4 rows"),
    "step_rows": (lambda: step(X[:0], Y[:0]), "no rows"),
    "gradcheck_nan": (lambda: check(having(NAN, 0, 0)), "gradcheck: x has nan at row 0, column 0"),
    "loss_rows": (lambda: nn.MSELoss()(T, np.ones((3, 2))), "mse: predictions are 4x2, targets 3x2"),
    "loss_label": (lambda: nn.CrossEntropyLoss()(T, [0, 1, 2, 0]), "cross_entropy: label 2 at row 2"),
    "loss_objects": (lambda: nn.MSELoss()(np.full(T.shape, "a", object), T), f"dtype object, {NUMBERS}"),
    "loss_backward_first": (lambda: nn.MSELoss().backward(), "backward: the loss has not been called yet"),
    "class_weights": (lambda: nn.CrossEntropyLoss([1.0])(T, Y), "there are 1 class weights for 2 classes"),
}


@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
@pytest.mark.parametrize("case", CASES)
def test_refused(case):
    call, message = CASES[case]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("at", [0, 1, 17, 63, 64, 65, 999])
@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_the_first_bad_number_is_found_wherever_it_is(at, value, dtype, isa):
    x = np.ones((50, 20), dtype)
    x.flat[at:] = value
    word = "nan" if np.isnan(value) else "infinity"
    with pytest.raises(ValueError, match=f"predict: x has {word} at row {at // 20}, column {at % 20}$"):
        nn.Sequential(nn.Linear(20, 2), dtype=dtype).predict(x)


@pytest.mark.parametrize(
    "options",
    [
        {"y": np.append(np.zeros(63, int), 2)},
        {"validation_data": (np.ones((2, 3)), [0, 7])},
        {"validation_data": (np.ones((2, 4)), [0, 1])},
        {"sample_weight": np.append(np.ones(63), -1.0)},
        {"metrics": ["mse"]},
        {"metrics": ["nothing"]},
    ],
)
def test_a_refused_fit_has_changed_nothing(options):
    """The bad row is the last one, after many steps: it is rejected before the first step."""
    net, y = network(), np.zeros(64, int)
    before = net.state_dict()
    with pytest.raises(ValueError):
        net.fit(np.ones((64, 3)), options.pop("y", y), loss="cross_entropy", batch_size=1, **options)
    assert_same_bits(list(net.state_dict().values()), list(before.values()))
