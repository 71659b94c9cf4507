"""skl2onnx's converters for the estimators that are scikit-learn's in all but name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cmlp.estimators.classifier import MLPClassifier
from cmlp.estimators.regressor import MLPRegressor

_ACTIVATIONS = ("identity", "logistic", "relu", "tanh")  # that its converters know
_OUTPUTS = ("identity", "logistic", "softmax")
_PLAIN = ("batch_norm", "layer_norm", "residual", "missing")


def register_onnx() -> None:
    """Have skl2onnx convert MLPClassifier and MLPRegressor; call it once, before ``to_onnx``.

    It needs skl2onnx (``pip install 'cmlp[onnx]'``). Networks of scikit-learn's layers are converted: the
    activations identity, logistic, relu and tanh, with or without dropout; one output of a regressor. Others
    are refused with their parameter's name.

    Raises
    ------
    ImportError
        Without skl2onnx.
    """
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )
    from skl2onnx.operator_converters import multilayer_perceptron as theirs

    options = {
        "zipmap": [True, False, "columns"],
        "output_class_labels": [False, True],
        "nocl": [True, False],
    }
    update_registered_converter(
        MLPClassifier,
        "CmlpMLPClassifier",
        calculate_linear_classifier_output_shapes,
        _checked(theirs.convert_sklearn_mlp_classifier),
        options=options,
    )
    update_registered_converter(
        MLPRegressor,
        "CmlpMLPRegressor",
        calculate_linear_regressor_output_shapes,
        _checked(theirs.convert_sklearn_mlp_regressor),
    )


def _checked(convert: Callable[..., None]) -> Callable[..., None]:
    def converter(scope: Any, operator: Any, container: Any) -> None:
        fitted = operator.raw_operator
        _check(fitted)
        operator.raw_operator = fitted._without_scaler() if isinstance(fitted, MLPRegressor) else fitted
        try:
            convert(scope, operator, container)
        finally:
            operator.raw_operator = fitted

    return converter


def _check(model: Any) -> None:
    """Raise ValueError unless the network is one that scikit-learn's estimators could have."""
    others = [name for name in _PLAIN if getattr(model, name)]
    if model.activation not in _ACTIVATIONS:
        others.append("activation")
    if model.out_activation_ not in _OUTPUTS or model._objective.columns > 1:
        others.append("loss")
    if isinstance(model, MLPRegressor) and model.n_outputs_ > 1:
        others.append("several outputs")
    if others:
        raise ValueError(
            f"to_onnx: {type(model).__name__} has {', '.join(others)} that skl2onnx cannot convert"
        )
    model._connect()
