"""Networks and plain classifiers as scikit-learn's displays take models (needs scikit-learn)."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from cmlp import nn
from cmlp.estimators._sklearn_compat import BaseEstimator, ClassifierMixin, RegressorMixin
from cmlp.estimators.network import output_of

_PAIRS = ((0, 1), (-1, 1))  # the targets of one logit


class _Wrapped(BaseEstimator):
    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: Any, y: Any = None) -> Self:
        """Do nothing: the model is trained already."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True


class PlainClassifier(ClassifierMixin, _Wrapped):
    """A classifier with ``predict`` and ``classes_`` that is no estimator of scikit-learn's."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.classes_: Any = model.classes_

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the model's labels."""
        labels: npt.NDArray[Any] = self.model.predict(X)
        return labels


class NetworkRegressor(RegressorMixin, _Wrapped):
    """A network whose outputs are values."""

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the outputs, one number a row where there is one."""
        z: npt.NDArray[Any] = self.model.predict(np.asarray(X))
        return z.ravel() if z.shape[1] == 1 else z


class NetworkClassifier(ClassifierMixin, _Wrapped):
    """A network whose outputs are logits of classes, or probabilities where its last layer makes them."""

    def __init__(self, model: nn.Sequential, classes: npt.NDArray[Any]) -> None:
        super().__init__(model)
        self.classes: npt.NDArray[Any] = classes
        self.classes_: npt.NDArray[Any] = classes

    def predict_proba(self, X: Any) -> npt.NDArray[Any]:
        """Return the probability of each class, (rows, classes)."""
        z: npt.NDArray[Any] = self.model.predict(np.asarray(X))
        last = list(self.model)[-1]
        if z.shape[1] == 1:
            positive = z if isinstance(last, nn.Sigmoid) else output_of("logistic", z)
            return np.hstack([1 - positive, positive])
        if isinstance(last, nn.LogSoftmax):
            z = np.exp(z)
        return z if isinstance(last, nn.Softmax | nn.LogSoftmax) else output_of("softmax", z)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the likeliest class of each row."""
        labels: npt.NDArray[Any] = self.classes[self.predict_proba(X).argmax(axis=1)]
        return labels


def wrapped(model: Any, x: Any, y: Any, function: str) -> Any:
    """Return the model, wrapped where scikit-learn's displays could not read it."""
    if isinstance(model, nn.Sequential):
        outputs = model.predict(np.asarray(x)[:1]).shape[1]
        classes = _classes(outputs, None if y is None else np.unique(np.asarray(y)), function)
        return NetworkRegressor(model) if classes is None else NetworkClassifier(model, classes)
    if not hasattr(model, "__sklearn_tags__") and hasattr(model, "classes_"):
        return PlainClassifier(model)
    return model


def _classes(outputs: int, labels: npt.NDArray[Any] | None, function: str) -> npt.NDArray[Any] | None:
    """Return the classes that a network with so many outputs predicts; None where its output is a value."""
    if labels is not None and labels.dtype.kind in "OUSb":  # in the order of their codes
        if len(labels) == max(outputs, 2):
            return labels
        raise ValueError(f"{function}: the network has {outputs} outputs, y has {len(labels)} labels")
    if outputs == 1:
        given = None if labels is None else set(labels.tolist())
        return next((np.array(pair) for pair in _PAIRS if given and given <= set(pair)), None)
    if labels is None or (labels.dtype.kind in "iu" and labels.min() >= 0 and labels.max() < outputs):
        return np.arange(outputs)
    raise ValueError(
        f"{function}: the network has {outputs} outputs, y must hold integers from 0 to {outputs - 1}"
    )
