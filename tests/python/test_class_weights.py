"""Weights of classes in net.fit: by name, dict and array; ignored labels; what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import nn
from tolerance import assert_same_bits

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 3)), (RNG.random(40) < 0.3).astype(int)


def fitted(x, y, loss=None, **options):
    net = nn.Sequential(nn.Linear(3, 2), seed=0)
    net.fit(x, y, loss=loss or nn.CrossEntropyLoss(), shuffle=False, batch_size=40, epochs=2, **options)
    return list(net.state_dict().values())


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("label", [-100, 7])
@pytest.mark.parametrize("weight", ["balanced", [1.0, 5.0], {1: 5.0}, {0: 0.5}])
def test_ignored_rows_have_no_part_in_it(weight, label, reduction):
    """The training is that of the other rows, but for the order in which their gradients are added."""
    loss = nn.CrossEntropyLoss(ignore_index=label, reduction=reduction)
    y = Y.copy()
    y[:5] = label
    got, want = fitted(X, y, loss, class_weight=weight), fitted(X[5:], Y[5:], loss, class_weight=weight)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_rows_that_are_all_ignored_need_no_weights():
    y = np.full(40, -100)
    assert_same_bits(fitted(X, y, class_weight="balanced"), fitted(X, y))


@pytest.mark.parametrize(
    "weight", [{}, {0: 1.0, 1: 1.0}, {0: 1.0, 5: 3.0}, np.ones(2), np.float32([1, 1, 9])]
)
def test_classes_without_a_weight_have_1(weight):
    assert_same_bits(fitted(X, Y, class_weight=weight), fitted(X, Y))


@pytest.mark.parametrize("y", [Y.astype(np.int8), Y[:, None], Y.tolist()])
def test_kinds_of_labels(y):
    assert_same_bits(fitted(X, y, class_weight={1: 3.0}), fitted(X, Y, class_weight={1: 3.0}))


REFUSED = {
    "keys of a JSON file": ({"0": 1, "1": 100}, "class_weight has the keys '0', '1', y has the classes 0, 1"),
    "one such key": ({0: 1.0, "1": 100.0}, "class_weight has the keys '1', y has the classes 0, 1"),
    "keys of no class": ({5: 1.0, 6: 2.0}, "class_weight has the keys 5, 6, y has the classes 0, 1"),
    "below 0": ({1: -1.0}, "class_weight has -1.0, it must be finite and at least 0"),
    "not finite": ([1.0, np.inf], "class_weight has inf"),
    "nan": ({0: np.nan}, "class_weight has nan"),
    "too short": ([1.0], r"class_weight has shape \(1,\), y has classes up to 1"),
    "a word": ("even", "class_weight is 'even'; choose 'balanced', a dict or an array"),
    "words": (["a", "b"], "class_weight has dtype <U1, it must hold real numbers"),
}


@pytest.mark.parametrize(("weight", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        fitted(X, Y, class_weight=weight)
