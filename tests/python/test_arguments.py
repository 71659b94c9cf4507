"""Arguments that are refused are refused each time, and before the call has an effect."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import nn, optim
from cmlp._argument_rules import rule_of
from cmlp._arguments import ArgumentError, checked


class Stranger:
    """Nothing that any function takes."""


# annotation, a value that is right, a wrong one of the same type
OF_VALUES = [
    ("bool", 1, 2),
    ("bool | None", np.int64(0), np.int64(3)),
    ("Literal['sum', 'mean']", "sum", "product"),
    ("list[int]", [1], ["a"]),
    ("Sequence[str] | None", ("a",), (1,)),
    ("tuple[float, float]", (1.0, 2.0), (1.0,)),
    ("Factors", {"a": {}}, {"a": 1}),
    ("Numbers", [1.0], ["a"]),
    ("float", np.array(1.0), np.ones(2)),
    ("npt.DTypeLike", np.float32, np.int32),
    ("npt.ArrayLike", [1.0], [Stranger()]),
]


@pytest.mark.parametrize(("annotation", "right", "wrong"), OF_VALUES)
def test_a_right_value_does_not_make_another_of_its_type_right(annotation, right, wrong):
    rule = rule_of(annotation)
    assert (rule.allows(right), rule.allows(wrong)) == (True, False)
    assert not rule.by_type(type(right))

    class Thing:
        def __init__(self, value):
            """Take anything."""

    Thing.__init__.__annotations__["value"] = annotation
    Thing.__init__ = checked(Thing.__init__, None, method=True)
    for _ in range(2):
        Thing(right)
        with pytest.raises(ArgumentError, match="Thing: value is"):
            Thing(wrong)


@pytest.mark.parametrize(
    ("annotation", "value"), [("bool", True), ("float | None", None), ("Module", nn.ReLU())]
)
def test_types_that_decide_are_looked_at_once(annotation, value):
    assert rule_of(annotation).by_type(type(value))


@pytest.mark.parametrize("wrong", [2, -1, "yes"])
def test_a_constructor_refuses_a_value_each_time(wrong):
    layer = nn.Linear(2, 2)
    for use_buffers in (True, 1, np.True_):
        optim.swa_utils.AveragedModel(layer, use_buffers=use_buffers)
        with pytest.raises(ValueError, match="AveragedModel: use_buffers is"):
            optim.swa_utils.AveragedModel(layer, use_buffers=wrong)


def test_the_first_argument_of_a_function_is_checked():
    def function(value: bool = False) -> None:
        """Take anything."""

    function.__annotations__["value"] = "bool"
    with pytest.raises(ArgumentError, match="function: value is"):
        checked(function, "function", method=False)(Stranger())


def test_a_wrong_argument_has_no_effect():
    calls = []

    class Thing:
        def change(self, value):
            calls.append(value)

    Thing.change.__annotations__["value"] = "float"
    with pytest.raises(ArgumentError, match="change: value is"):
        checked(Thing.change, "change", method=True)(Thing(), Stranger())
    assert calls == []


def test_a_step_with_a_closure_that_is_no_function():
    layer = nn.Linear(1, 1)
    before = layer.weight.data.copy()
    layer.weight.grad[...] = 1
    with pytest.raises(TypeError, match="step: closure is 3, it must be a function or None"):
        optim.SGD(layer.parameters(), lr=0.1).step(3)
    assert layer.weight.data == before


@pytest.mark.parametrize("cls", [nn.Linear, nn.ReLU, nn.Sequential, nn.Residual, optim.Adam])
def test_the_constructor_of_every_class_is_checked(cls):
    with pytest.raises((TypeError, ValueError)):
        cls(Stranger())


def test_a_constructor_that_a_subclass_calls_is_checked():
    class Own(nn.Dropout):
        def __init__(self, p):
            super().__init__(0.5, inplace=p)

    with pytest.raises(ArgumentError, match="Own: inplace is"):
        Own([])


def adam():
    return optim.Adam(nn.Linear(1, 1).parameters())


def fit(**options):
    return nn.Sequential(nn.Linear(1, 1)).fit([[0.0]], [1.0], **{"loss": "mse", "verbose": False, **options})


S = optim.lr_scheduler
NAMED = {
    "StepLR": (lambda: S.StepLR(adam(), -1), r"parameter 0 is -1, .* \(StepLR: step_size=-1\)$"),
    "LinearLR": (lambda: S.LinearLR(adam(), end_factor=np.inf), r"\(LinearLR: end_factor=inf\)$"),
    "CyclicLR": (lambda: S.CyclicLR(adam(), 0.1, 1.0, base_momentum=[]), "base_momentum has 0 values"),
    "LambdaLR": (lambda: S.LambdaLR(adam(), []), "lr_lambda has 0 functions, the optimizer has 1 groups"),
    "Activation": (
        lambda: nn.Activation("reloo"),
        r"'reloo'; .* \(Activation: name='reloo'\)$",
    ),
    "Optimizer": (lambda: optim.SGD([]), "SGD: there are no parameters in params"),
    "a member": (lambda: optim.SGD([3]), "SGD: params has 3, it is not a Parameter"),
    "fit(loss)": (lambda: fit(loss=None), "^fit: loss is None, it must be a Loss or text"),
    "fit(n_threads)": (lambda: fit(n_threads=0.5), "^fit: n_threads is 0.5, it must be an integer or None"),
    "FocalLoss": (lambda: nn.FocalLoss(alpha=-1.0), r"\(FocalLoss: alpha=-1.0\)$"),
    "its own name": (lambda: S.ExponentialLR(adam(), 0.9, setting="momentum"), "has no setting 'momentum'$"),
}


@pytest.mark.parametrize("case", NAMED)
def test_a_message_names_the_argument(case):
    call, message = NAMED[case]
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_a_message_with_the_same_number_for_another_reason_is_left_as_it_is():
    def callback(event):
        raise ValueError("5 must be")

    with pytest.raises(ValueError, match=r"^5 must be$"):
        fit(epochs=5, callbacks=callback)
    with pytest.raises(ValueError, match=r"5 columns, .* expects 1$|expects 1$"):
        nn.Sequential(nn.Linear(1, 1)).fit(np.ones((3, 5)), np.ones(3), loss="mse", epochs=5)
