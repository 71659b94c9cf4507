"""skl2onnx's converters for the estimators that are scikit-learn's in all but name."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from cmlp.estimators.classifier import MLPClassifier
from cmlp.estimators.regressor import MLPRegressor

# cmlp's names of the activations that its converters know, and theirs.
_ACTIVATIONS = {"identity": "identity", "sigmoid": "logistic", "relu": "relu", "tanh": "tanh"}
_OUTPUTS = ("identity", "logistic", "softmax")
_PLAIN = ("batch_norm", "layer_norm", "residual")


def register_onnx() -> None:
    """Have skl2onnx convert MLPClassifier and MLPRegressor; call it once, before ``to_onnx``.

    It needs skl2onnx (``pip install 'cmlp[onnx]'``). The fitted network is converted, whatever its parameters
    were changed to, where it has scikit-learn's layers: the activations identity, logistic, relu and tanh,
    with or without dropout. Others are refused with their parameter's name, as are several outputs of a
    regressor, one-against-the-rest losses with several classes, a single class, two labels a row, and labels
    that are not text or integers of 32 bits.

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
        model = operator.raw_operator
        unscaled = model._without_scaler() if isinstance(model, MLPRegressor) else model
        operator.raw_operator = _as_scikit_learn(unscaled)
        try:
            convert(scope, operator, container)
        finally:
            operator.raw_operator = model

    return converter


def _as_scikit_learn(model: Any) -> SimpleNamespace:
    """Return what skl2onnx reads of the fitted network; raise ValueError for what it converts wrongly."""
    model._connect()
    activations = _hidden_activations(model)
    others = [name for name in _PLAIN if model._layout[name]]
    others += [] if model._imputer is None else ["missing"]
    if len(activations) > 1 or not activations <= _ACTIVATIONS.keys():
        others.append("activation")
    if model.out_activation_ not in _OUTPUTS or model._objective.columns > 1:
        others.append("loss")
    others += _other_classes(model) if isinstance(model, MLPClassifier) else _other_values(model)
    if others:
        raise ValueError(
            f"to_onnx: {type(model).__name__} has {', '.join(others)} that skl2onnx cannot convert"
        )
    fields = vars(model) | {"activation": _ACTIVATIONS[next(iter(activations), "identity")]}
    return SimpleNamespace(**(_one_logit(fields) if _is_softmax_of_two(model) else fields))


def _hidden_activations(model: Any) -> set[str]:
    """Return the names of the activations of the hidden layers; one with settings has another name."""
    specs = [fields for each in model._layout["activation"] for _, _, fields in each]
    return {spec["activation"] if not spec["settings"] else repr(spec) for spec in specs}


def _other_values(model: Any) -> list[str]:
    return ["several outputs"] if model.n_outputs_ > 1 else []


def _other_classes(model: Any) -> list[str]:
    """Return what skl2onnx makes other labels or probabilities of."""
    others = ["loss"] if model._one_against_rest else []
    if model._label_binarizer.y_type_.startswith("multilabel"):
        return [*others, "two labels a row"] if model.n_outputs_ == 2 else others
    if len(model.classes_) == 1:
        return ["a single class"]
    return others if _are_labels(model.classes_) else [*others, "labels"]


def _are_labels(classes: Any) -> bool:
    """Return whether ONNX has these classes: text, or numbers that skl2onnx's 32 bits hold."""
    if classes.dtype.kind in "biuf":
        limits = np.iinfo(np.int32)
        inside = (classes >= limits.min).all() and (classes <= limits.max).all()
        return bool(inside and (classes == np.floor(classes)).all())
    return all(isinstance(label, str) for label in classes.tolist())


def _is_softmax_of_two(model: Any) -> bool:
    return isinstance(model, MLPClassifier) and model.out_activation_ == "softmax" and model.n_outputs_ == 2


def _one_logit(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a logistic output instead of a softmax of two: the difference of its logits."""
    *coefs, last = fields["coefs_"]
    *intercepts, bias = fields["intercepts_"]
    return fields | {
        "coefs_": [*coefs, last[:, 1:] - last[:, :1]],
        "intercepts_": [*intercepts, bias[1:] - bias[:1]],
        "out_activation_": "logistic",
        "n_outputs_": 1,
    }
