"""Every public callable with a valid call, and the bad values that take the place of each argument."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np

import cmlp
from cmlp import estimators, nn, optim, plot, runtime
from cmlp.optim import lr_scheduler, swa_utils

mpl.use("Agg")
X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
LABELS = np.arange(12) % 2
VALUES = X[:, 0] * 2


class Stranger:
    """An object of a kind that nothing takes."""

    def __repr__(self) -> str:
        return "a Stranger"


BAD: dict[str, Any] = {
    "another kind": Stranger(),
    "a class": Stranger,
    "None": None,
    "text": "nonsense",
    "empty text": "",
    "empty list": [],
    "negative": -1,
    "fraction": 0.5,
    "huge": 2**70,
    "not a number": math.nan,
    "infinity": math.inf,
    "list of strangers": [Stranger()],
    "dict": {"nonsense": 1},
}
NEVER_TAKEN = ("another kind", "a class", "list of strangers")


def net(*more: nn.Module, out: int = 2) -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, out), *more, seed=1)


def sgd(network: nn.Sequential | None = None) -> optim.Optimizer:
    return optim.SGD((network or net()).parameters(), lr=0.1, momentum=0.5)


def weight() -> nn.Parameter:
    return nn.Linear(3, 4).weight


def fitted(kind: str = "classifier") -> Any:
    made = CACHE.get(kind)
    if made is None:
        settings = {"max_iter": 9, "tol": 9.0, "n_iter_no_change": 1, "hidden_layer_sizes": (4,)}
        model = cmlp.MLPClassifier if kind == "classifier" else cmlp.MLPRegressor
        made = model(random_state=0, **settings).fit(X, LABELS if kind == "classifier" else VALUES)
        CACHE[kind] = made
    return made


CACHE: dict[str, Any] = {}

# The arguments without a default.
REQUIRED: dict[str, Callable[[], dict[str, Any]]] = {
    "Activation": lambda: {"name": "relu"},
    "BatchEnsemble": lambda: {"in_features": 3, "out_features": 2, "members": 2},
    "BatchNorm1d": lambda: {"num_features": 3},
    "ConstantLR": lambda: {"optimizer": sgd()},
    "CosLog4LR": lambda: {"optimizer": sgd(), "total_iters": 5},
    "CosineAnnealingLR": lambda: {"optimizer": sgd(), "T_max": 5},
    "CosineAnnealingWarmRestarts": lambda: {"optimizer": sgd(), "T_0": 5},
    "CyclicLR": lambda: {"optimizer": sgd(), "base_lr": 0.1, "max_lr": 0.2},
    "Embedding": lambda: {"num_embeddings": 4, "embedding_dim": 2},
    "ExponentialLR": lambda: {"optimizer": sgd(), "gamma": 0.9},
    "FlatCosLR": lambda: {"optimizer": sgd(), "total_iters": 5},
    "LRScheduler": lambda: {"optimizer": sgd()},
    "LambdaLR": lambda: {"optimizer": sgd(), "lr_lambda": lambda epoch: 0.9**epoch},
    "LayerNorm": lambda: {"normalized_shape": 3},
    "Linear": lambda: {"in_features": 3, "out_features": 2},
    "LinearLR": lambda: {"optimizer": sgd()},
    "Loss": lambda: {"name": "mse"},
    "MultiStepLR": lambda: {"optimizer": sgd(), "milestones": [2, 4]},
    "OneCycleLR": lambda: {"optimizer": sgd(), "max_lr": 0.2, "total_steps": 10},
    "Optimizer": lambda: {"params": net().parameters(), "name": "adam"},
    "ParametricActivation": lambda: {"activation": "leaky_relu", "features": 3},
    "PeriodicEmbedding": lambda: {"in_features": 3},
    "PiecewiseLinearEmbedding": lambda: {"bins": nn.quantile_bins(X, 3)},
    "PolynomialLR": lambda: {"optimizer": sgd()},
    "RMSNorm": lambda: {"normalized_shape": 3},
    "ReduceLROnPlateau": lambda: {"optimizer": sgd()},
    "SWALR": lambda: {"optimizer": sgd(), "swa_lr": 0.05},
    "Scale": lambda: {"features": 3},
    "StepLR": lambda: {"optimizer": sgd(), "step_size": 2},
    "Threshold": lambda: {"threshold": 0.1, "value": 0.0},
    "AveragedModel": lambda: {"model": net()},
    "calculate_gain": lambda: {"nonlinearity": "relu"},
    "clip_grad_norm_": lambda: {"parameters": net().parameters(), "max_norm": 1.0},
    "clip_grad_value_": lambda: {"parameters": net().parameters(), "clip_value": 1.0},
    "constant_": lambda: {"parameter": weight(), "val": 1.0},
    "data_driven_": lambda: {"module": net(), "x": X},
    "gradcheck": lambda: {"net": net(), "x": X, "y": LABELS, "criterion": nn.CrossEntropyLoss()},
    "param_groups": lambda: {"module": net(), "factors": {}},
    "quantile_bins": lambda: {"x": X},
    "sparse_": lambda: {"parameter": weight(), "sparsity": 0.5},
    "update_bn": lambda: {"loader": [X], "model": net()},
    "loss_curve": lambda: {"model": fitted()},
    "score_curve": lambda: {"model": {"loss": [1.0], "accuracy": [0.5]}},
    "weights": lambda: {"model": fitted()},
    "activation_histograms": lambda: {"model": fitted(), "X": X},
    "gradient_flow": lambda: {"model": fitted(), "X": X, "y": LABELS},
    "decision_boundary": lambda: {"model": cmlp.Perceptron("adaline").fit(X[:, :2], LABELS), "X": X[:, :2]},
    "confusion_matrix": lambda: {"model": fitted(), "X": X, "y": LABELS},
    "calibration_curve": lambda: {"model": fitted(), "X": X, "y": LABELS},
    "permutation_importance": lambda: {"model": fitted(), "X": X, "y": LABELS},
}
CONSTRUCTED = (nn, optim, lr_scheduler)
SKIPPED = {
    "ChainedScheduler", "SequentialLR", "LRScheduler", "Parameter", "Module", "GradcheckReport", "History",
    "NonFiniteError", "shutdown", "set_isa",
}  # fmt: skip


def default_arguments(name: str, function: Callable[..., Any]) -> dict[str, Any]:
    if name in REQUIRED:
        return REQUIRED[name]()
    first = next(iter(inspect.signature(function).parameters), "")
    if first == "params":
        return {"params": net().parameters()}
    return {"parameter": weight()} if first == "parameter" else {}


def public(module: Any) -> dict[str, Callable[..., Any]]:
    """Return the classes and functions that the module names."""
    own = [
        name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == module.__name__
    ]
    names = [name for name in getattr(module, "__all__", own) if name not in SKIPPED and name[0] != "_"]
    found = {name: getattr(module, name) for name in names}
    return {name: thing for name, thing in found.items() if callable(thing) and not inspect.ismodule(thing)}


def parameters_of(function: Callable[..., Any]) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind in kinds]


Call = tuple[str, str, Callable[[], tuple[Callable[..., Any], dict[str, Any]]]]


def constructors() -> list[Call]:
    calls = []
    for module in (nn, optim, lr_scheduler, swa_utils, nn.init, nn.utils, plot):
        for name, function in public(module).items():
            for argument in parameters_of(function):
                make = lambda name=name, function=function: (function, default_arguments(name, function))  # noqa: E731
                calls.append((name, argument, make))
    return calls


def estimator_fit(kind: str) -> Any:
    def fit(**settings: Any) -> Any:
        extra = {"max_iter": 2, "hidden_layer_sizes": (4,), "random_state": 0, **settings}
        made = getattr(estimators, kind)(**extra)
        return made.fit(X, VALUES if "Regressor" in kind else LABELS)

    return fit


def estimator_calls() -> list[Call]:
    calls = []
    for kind in ("MLPClassifier", "MLPRegressor", "QuantileMLPRegressor", "MLPTransformer"):
        for argument in getattr(estimators, kind)().get_params():
            calls.append((kind, argument, lambda kind=kind: (estimator_fit(kind), {})))
    return calls


def method_calls() -> list[Call]:
    """Return the calls of networks' and estimators' methods."""

    def of(owner: Callable[[], Any], method: str, valid: Callable[[Any], dict[str, Any]]) -> list[Call]:
        def make() -> tuple[Callable[..., Any], dict[str, Any]]:
            made = owner()
            return getattr(made, method), valid(made)

        arguments = parameters_of(getattr(owner(), method))
        return [(method, argument, make) for argument in arguments]

    rows = lambda made: {"x": X, "y": LABELS, "loss": "cross_entropy"}  # noqa: E731
    step = lambda made: {"x": X, "y": LABELS, "criterion": nn.CrossEntropyLoss(), "optimizer": sgd(made)}  # noqa: E731
    return [
        *of(net, "fit", rows),
        *of(net, "evaluate", rows),
        *of(net, "train_step", step),
        *of(net, "predict", lambda made: {"x": X}),
        *of(net, "forward", lambda made: {"x": X}),
        *of(net, "__call__", lambda made: {"x": X}),
        *of(net, "trace", lambda made: {"x": X}),
        *of(net, "to", lambda made: {"dtype": "float64"}),
        *of(net, "load_state_dict", lambda made: {"state": net().state_dict()}),
        *of(net, "reset_parameters", lambda made: {}),
        *of(net, "train", lambda made: {}),
        *of(nn.CrossEntropyLoss, "__call__", lambda made: {"y": X, "target": LABELS}),
        *of(sgd, "load_state_dict", lambda made: {"state": sgd().state_dict()}),
        *of(sgd, "add_param_group", lambda made: {"param_group": {"params": nn.Linear(2, 2).parameters()}}),
        *of(cmlp.Perceptron, "fit", lambda made: {"X": X, "y": LABELS}),
        *of(fitted, "predict", lambda made: {"X": X}),
        *of(fitted, "predict_proba", lambda made: {"X": X}),
        *of(fitted, "transform", lambda made: {"X": X}),
        *of(lambda: fitted("regressor"), "predict", lambda made: {"X": X}),
        *of(lambda: cmlp.MLPClassifier(max_iter=2), "fit", lambda made: {"X": X, "y": LABELS}),
        *of(lambda: cmlp.MLPRegressor(max_iter=2), "fit", lambda made: {"X": X, "y": VALUES}),
        *of(
            lambda: cmlp.MLPClassifier(), "partial_fit", lambda made: {"X": X, "y": LABELS, "classes": [0, 1]}
        ),
        *of(lambda: cmlp.MLPRegressor(), "partial_fit", lambda made: {"X": X, "y": VALUES}),
    ]


def top_level_calls(folder: Any) -> list[Call]:
    valid = {
        cmlp.gradcheck: REQUIRED["gradcheck"],
        cmlp.EarlyStopping: dict,
        cmlp.Perceptron: dict,
        cmlp.save: lambda: {"net": net(), "path": folder / "model.safetensors"},
        cmlp.load: lambda: {"path": folder / "model.safetensors"},
        cmlp.fit_many: lambda: {"estimator": cmlp.MLPClassifier(max_iter=2), "X": X, "y": LABELS},
    }
    calls: list[Call] = [
        (function.__name__, argument, lambda f=function, v=arguments: (f, v()))
        for function, arguments in valid.items()
        for argument in parameters_of(function)
    ]
    calls.append(("set_num_threads", "count", lambda: (cmlp.set_num_threads, {})))
    calls.append(("Execution", "threads", lambda: (runtime.Execution, {})))
    calls.append(("set_isa", "name", lambda: (runtime.set_isa, {})))
    return calls
