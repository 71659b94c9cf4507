"""Estimators in model files: the network, with parameters and fitted attributes in its metadata."""

from __future__ import annotations

import json
from typing import Any

from sklearn.utils.validation import check_is_fitted

from cmlp import nn
from cmlp.estimators.autoencoder import MLPTransformer
from cmlp.estimators.classifier import MLPClassifier
from cmlp.estimators.plain_values import NotPlainError, decode, encode
from cmlp.estimators.quantiles import QuantileMLPRegressor
from cmlp.estimators.regressor import MLPRegressor
from cmlp.files import BAD_DATA, ESTIMATOR_KEY

VERSION = 1
LONGEST = 90_000_000  # bytes of a description: the header of a file has at most 100 million
_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (MLPClassifier, MLPRegressor, MLPTransformer, QuantileMLPRegressor)
}


def to_network(estimator: Any) -> nn.Sequential:
    """Return a copy of the estimator's network whose metadata describe the estimator.

    Raises
    ------
    ValueError
        If it is not fitted, is of another class, or holds an object that is not plain data.
    """
    kind = type(estimator).__name__
    if _KINDS.get(kind) is not type(estimator):
        raise ValueError(
            f"save: net is an estimator ({kind}) that is not one of {', '.join(_KINDS)}: write it with"
            " joblib.dump(model, path) and read it with joblib.load(path)"
        )
    check_is_fitted(estimator)
    net: nn.Sequential = estimator._connect().copy()
    state = estimator.__getstate__()
    del state["_net"]
    description = {
        "version": VERSION,
        "type": kind,
        "state": {name: _encoded(kind, name, value) for name, value in state.items()},
    }
    text = json.dumps(description, allow_nan=False)
    if len(text) > LONGEST:
        raise ValueError(
            f"save: the state of the {kind} takes {len(text)} bytes as text, a model file holds {LONGEST}:"
            " write its net_, the network alone, or the estimator with joblib.dump(model, path)"
        )
    net.metadata[ESTIMATOR_KEY] = text
    return net


def _encoded(kind: str, name: str, value: Any) -> Any:
    try:
        return encode(value)
    except NotPlainError as error:
        raise ValueError(
            f"save: {name} of the {kind} holds a value of type {error}, a model file holds plain data only:"
            f" set {name} to None with set_params, or write the estimator with joblib.dump(model, path)"
        ) from None


def from_network(net: nn.Sequential) -> Any:
    """Return the estimator that a network's metadata describe; the description leaves the metadata.

    Raises
    ------
    ValueError
        If the description is not complete or of another version.
    """
    try:
        data = json.loads(net.metadata.pop(ESTIMATOR_KEY))
        if data["version"] != VERSION:
            raise ValueError(f"its version is {data['version']!r}, this cmlp reads {VERSION}")
        kind = _KINDS[data["type"]]
        state = {_attribute(kind, name): decode(value) for name, value in data["state"].items()}
        estimator = object.__new__(kind)
        estimator.__setstate__({**state, "_net": net})
        estimator._validate_params()
    except (*BAD_DATA, ValueError) as error:
        raise ValueError(f"load: the estimator in the file cannot be read: {error!r}") from error
    return estimator


def _attribute(kind: type[Any], name: str) -> str:
    """Return the name of an attribute that holds data; raise ValueError for one of a method."""
    if hasattr(kind, name) and callable(getattr(kind, name)):
        raise ValueError(f"{name} is a method")
    return name
