"""What a model file may hold beside a plain network: each kind of model as a network, and back."""

from __future__ import annotations

import copy
import json
from typing import Any

from cmlp import nn
from cmlp._plain_values import NotPlainError, PlainReader, PlainWriter
from cmlp.optim.swa_utils import AveragedModel
from cmlp.perceptron import Perceptron

# Keys of the metadata that say of which kind a model is; the text describes it.
ESTIMATOR_KEY, TABLE_KEY = "cmlp.estimator", "cmlp.table"
_MODULE_KEY, _AVERAGE_KEY, _PERCEPTRON_KEY = "cmlp.module", "cmlp.average", "cmlp.perceptron"
OWN_KEYS = (ESTIMATOR_KEY, _MODULE_KEY, _AVERAGE_KEY, _PERCEPTRON_KEY)


def network_of(model: Any) -> nn.Sequential:
    """Return the network that is written for a model, with what else it is in its metadata.

    Raises
    ------
    ValueError
        For what is no model of cmlp, and for one that holds functions or other objects.
    """
    if isinstance(model, nn.Sequential):
        return model
    if isinstance(model, nn.Module):
        return _network_of_module(model)
    if isinstance(model, AveragedModel):
        return _network_of_average(model)
    if isinstance(model, Perceptron):
        return _network_of_perceptron(model)
    if hasattr(model, "_to_network"):
        network: nn.Sequential = model._to_network()
        return network
    if hasattr(model, "get_params"):
        from cmlp.estimators.model_file import to_network  # scikit-learn loads at first need

        return to_network(model)
    raise ValueError(f"save: net is {type(model).__name__}, it must be a network or an estimator of cmlp")


def model_of(net: nn.Sequential) -> Any:
    """Return the model that the metadata of a network describe; scikit-learn and Arrow load at first need."""
    if ESTIMATOR_KEY in net.metadata:
        from cmlp.estimators import model_file

        return model_file.from_network(net)
    if TABLE_KEY in net.metadata:
        from cmlp.tabular.estimators import from_network

        return from_network(net)
    if _PERCEPTRON_KEY in net.metadata:
        return _perceptron_of(net)
    if _AVERAGE_KEY in net.metadata:
        return _average_of(net)
    if _MODULE_KEY in net.metadata:
        del net.metadata[_MODULE_KEY]
        return copy.deepcopy(net[0])
    return net


def require_mappable(net: nn.Sequential, what: str) -> None:
    """Raise ValueError for a model that is not its network in the file, but copies parts of it."""
    kinds = {_MODULE_KEY: "a module", _AVERAGE_KEY: "an average", _PERCEPTRON_KEY: "a Perceptron"}
    found = [kind for key, kind in kinds.items() if key in net.metadata]
    if "members" in json.loads(net.metadata.get(ESTIMATOR_KEY, "{}")):
        found.append("an ensemble of estimators")
    if found:
        raise ValueError(
            f"{what} is for a Sequential, an estimator of one network or a tabular model; this is {found[0]},"
            " whose weights are copied when it is loaded"
        )


# ---- modules that are no Sequential


def _network_of_module(module: nn.Module) -> nn.Sequential:
    net = nn.Sequential(copy.deepcopy(module), dtype=module._numbers.dtype)
    for own, other in zip(net._rows(), module._rows(), strict=True):
        own.data[...] = other.data
    net.train(module.training)
    net.metadata[_MODULE_KEY] = type(module).__name__
    return net


# ---- averages


def _network_of_average(average: AveragedModel) -> nn.Sequential:
    values = average._settings()
    net = network_of(average.module).copy()
    net.metadata[_AVERAGE_KEY] = json.dumps(values)
    return net


def _average_of(net: nn.Sequential) -> AveragedModel:
    values = json.loads(net.metadata.pop(_AVERAGE_KEY))
    module: nn.Module = model_of(net)
    return AveragedModel._restored(module, values)


# ---- the perceptron


def _network_of_perceptron(model: Perceptron) -> nn.Sequential:
    """Return a linear layer with its weights, which other readers find there."""
    if not hasattr(model, "coef_"):
        raise ValueError("save: the Perceptron has no weights yet, call fit or set_weights first")
    neurons, features = model.coef_.shape
    net = nn.Sequential(nn.Linear(features, neurons), dtype="float64")
    net.load_state_dict({"0.weight": model.coef_, "0.bias": model.intercept_})
    state = {name: value for name, value in vars(model).items() if name not in ("coef_", "intercept_")}
    try:
        values = PlainWriter().encode(state)
    except NotPlainError as error:
        raise ValueError(f"save: the Perceptron holds a value of type {error}") from None
    is_estimator = type(model).__module__.startswith("cmlp.estimators")
    net.metadata[_PERCEPTRON_KEY] = json.dumps({"estimator": is_estimator, "state": values})
    return net


def _perceptron_of(net: nn.Sequential) -> Perceptron:
    data = json.loads(net.metadata.pop(_PERCEPTRON_KEY))
    kind: type[Perceptron] = Perceptron
    if data["estimator"]:
        from cmlp import estimators

        kind = estimators.Perceptron
    model = object.__new__(kind)
    values = net.state_dict()
    weights = {"coef_": values["0.weight"], "intercept_": values["0.bias"]}
    vars(model).update({**PlainReader().decode(data["state"]), **weights})
    model._neuron()  # raises where the options do not fit
    return model
