"""Estimators in model files: the network, with parameters and fitted attributes in its metadata."""

from __future__ import annotations

import json
from typing import Any

from sklearn.utils.validation import check_is_fitted

from cmlp import nn
from cmlp._model_kinds import ESTIMATOR_KEY
from cmlp.estimators.autoencoder import MLPTransformer
from cmlp.estimators.classifier import MLPClassifier
from cmlp.estimators.ensembles import MLPEnsembleClassifier, MLPEnsembleRegressor
from cmlp.estimators.plain_values import NotPlainError, decode, encode
from cmlp.estimators.quantiles import QuantileMLPRegressor
from cmlp.estimators.regressor import MLPRegressor
from cmlp.files import BAD_DATA
from cmlp.nn.module import make_core

VERSION = 1
LONGEST = 90_000_000  # bytes of a description: the header of a file has at most 100 million
_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (MLPClassifier, MLPRegressor, MLPTransformer, QuantileMLPRegressor)
}
_ENSEMBLES: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (MLPEnsembleClassifier, MLPEnsembleRegressor)
}


def to_network(estimator: Any) -> nn.Sequential:
    """Return a copy of the estimator's network whose metadata describe the estimator.

    Raises
    ------
    ValueError
        If it is not fitted, is of another class, or holds an object that is not plain data.
    """
    kind = type(estimator).__name__
    if {**_KINDS, **_ENSEMBLES}.get(kind) is not type(estimator):
        raise ValueError(
            f"save: net is an estimator ({kind}) that is not one of {', '.join([*_KINDS, *_ENSEMBLES])}:"
            " write it with joblib.dump(model, path) and read it with joblib.load(path)"
        )
    check_is_fitted(estimator)
    if kind in _ENSEMBLES:
        net, description = _joined(estimator), _description_of_ensemble(estimator)
    else:
        net, description = estimator._connect().copy(), _description(estimator)
    text = json.dumps({"version": VERSION, **description}, allow_nan=False)
    if len(text) > LONGEST:
        raise ValueError(
            f"save: the state of the {kind} takes {len(text)} bytes as text, a model file holds {LONGEST}:"
            " write its net_, the network alone, or the estimator with joblib.dump(model, path)"
        )
    net.metadata[ESTIMATOR_KEY] = text
    return net


def _description(estimator: Any) -> dict[str, Any]:
    """Return the class and the state of an estimator, without its network."""
    state = estimator.__getstate__()
    state.pop("_net", None)
    return _encoded(type(estimator).__name__, state)


def _encoded(kind: str, state: dict[str, Any]) -> dict[str, Any]:
    encoded = {}
    for name, value in state.items():
        try:
            encoded[name] = encode(value)
        except NotPlainError as error:
            raise ValueError(
                f"save: {name} of the {kind} holds a value of type {error}, a model file holds plain data"
                f" only: set {name} to None with set_params, or write the estimator with"
                " joblib.dump(model, path)"
            ) from None
    return {"type": kind, "state": encoded}


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
        return _ensemble_of(data, net) if data["type"] in _ENSEMBLES else _estimator_of(data, net)
    except (*BAD_DATA, ValueError) as error:
        raise ValueError(f"load: the estimator in the file cannot be read: {error!r}") from error


def _estimator_of(data: dict[str, Any], net: nn.Sequential | None) -> Any:
    """Return an estimator with this network; without one, an estimator that is not fitted."""
    kind = _KINDS[data["type"]]
    state = {_attribute(kind, name): decode(value) for name, value in data["state"].items()}
    estimator = object.__new__(kind)
    estimator.__setstate__(state if net is None else {**state, "_net": net})
    estimator._validate_params()
    return estimator


def _attribute(kind: type[Any], name: str) -> str:
    """Return the name of an attribute that holds data; raise ValueError for one of a method."""
    if hasattr(kind, name) and callable(getattr(kind, name)):
        raise ValueError(f"{name} is a method")
    return name


# ---- ensembles: the networks of the members as one network, nn.Ensemble


def _joined(ensemble: Any) -> nn.Sequential:
    nets = [member._connect() for member in ensemble.estimators_]
    dtype = nets[0].dtype
    return nn.Sequential(nn.Ensemble(*(net.copy() for net in nets), dtype=dtype), dtype=dtype).eval()


def _description_of_ensemble(ensemble: Any) -> dict[str, Any]:
    state = dict(ensemble.__getstate__())
    members, base = state.pop("estimators_"), state.pop("estimator")
    nets = [member._connect() for member in members]
    return {
        **_encoded(type(ensemble).__name__, state),
        "estimator": None if base is None else _encoded(type(base).__name__, base.get_params(deep=False)),
        "members": [_description(member) for member in members],
        "networks": [[net._core.seed, net._core.step] for net in nets],
    }


def _ensemble_of(data: dict[str, Any], net: nn.Sequential) -> Any:
    kind = _ENSEMBLES[data["type"]]
    joined: Any = net[0]
    parts = zip(data["members"], data["networks"], joined, strict=True)
    members = [_estimator_of(each, _alone(part, *counts)) for each, counts, part in parts]
    state = {_attribute(kind, name): decode(value) for name, value in data["state"].items()}
    ensemble = object.__new__(kind)
    base = None if data["estimator"] is None else _estimator_of(data["estimator"], None)
    ensemble.__setstate__({**state, "estimator": base, "estimators_": members})
    ensemble._validate_params()
    return ensemble


def _alone(part: Any, seed: int, step: int) -> nn.Sequential:
    """Return a member's network as it was before it joined the others."""
    net: nn.Sequential = nn.Sequential._of_core(make_core(part._specs(), seed, part.dtype))
    net.load_state_dict(part.state_dict())
    net._core.step = step
    return net.eval()
