"""Names, settings and options that are refused, each with its message; unknown names list the valid ones."""

from __future__ import annotations

import re

import numpy as np
import pytest

import cmlp
from cmlp import nn, optim

NAN = float("nan")
X, Y = np.arange(12.0).reshape(4, 3) / 10, np.array([0, 1, 1, 0])


def network(**options):
    return nn.Sequential(nn.Linear(3, 2), **options)


def linear(**options):
    return nn.Sequential(nn.Linear(3, 2, **options))


def weights(**options):
    return network(**options).parameters()


def fit(**options):
    return network().fit(X, Y, **{"loss": "cross_entropy", **options})


def stop(*arguments, **options):
    return fit(early_stopping=cmlp.EarlyStopping(*arguments, **options))


def set_rate(value):
    optim.SGD(weights()).lr = value


def unknown(kind, name):
    return re.escape(f"unknown {kind} '{name}'; choose from " + ", ".join(getattr(cmlp, LISTS[kind])()))


LISTS = {
    "activation": "activations",
    "loss": "losses",
    "optimizer": "optimizers",
    "metric": "metrics",
    "initializer": "initializers",
}
NAMES = {
    "activation": (lambda: nn.Sequential(nn.Activation("rleu")), unknown("activation", "rleu")),
    "loss": (lambda: nn.Loss("mes"), unknown("loss", "mes")),
    "loss_in_fit": (lambda: fit(loss="mes"), unknown("loss", "mes")),
    "loss_in_evaluate": (lambda: network().evaluate(X, Y, loss="mes"), unknown("loss", "mes")),
    "optimizer": (lambda: optim.Optimizer(weights(), "adm"), unknown("optimizer", "adm")),
    "optimizer_in_fit": (lambda: fit(optimizer="adm"), unknown("optimizer", "adm")),
    "metric": (lambda: fit(metrics=["acc"]), unknown("metric", "acc")),
    "initializer": (lambda: linear(init="hee"), r"unknown initializer 'hee'; choose from auto, zeros"),
    "empty_name": (lambda: nn.Loss(""), unknown("loss", "")),
    "case_of_letters": (lambda: nn.Loss("MSE"), "unknown loss 'MSE'; did you mean 'mse'"),
    "reduction": (lambda: nn.MSELoss("avg"), "reduction is 'avg'; choose from mean, sum, none"),
    "isa": (lambda: cmlp.runtime.set_isa("mmx"), "mmx.*" + ", ".join(cmlp.runtime.isas())),
    "dtype": (lambda: network(dtype="float16"), "unknown dtype 'float16'; choose from float32, float64"),
    "dtype_of_nothing": (lambda: network(dtype="float33"), "unknown dtype 'float33'; choose from float32"),
    "dtype_of_layer": (lambda: nn.Linear(1, 1, dtype="int32")([[1]]), "unknown dtype 'int32'; choose from"),
    "verbose": (lambda: fit(verbose="loud"), "verbose is 'loud'; choose from True, False, 2, 'auto'"),
    "gelu": (lambda: nn.GELU("erf"), "GELU: approximate is 'erf'; choose from none, tanh"),
    "eps_mode": (lambda: optim.Adam(weights(), eps_mode="tf"), "eps_mode is 'tf'; choose from torch, keras"),
    "monitor": (lambda: stop("acc"), unknown("metric", "acc")),
    "monitor_no_metric": (lambda: stop("accuracy"), "monitor is 'accuracy', which is not among the metrics"),
    "monitor_no_data": (lambda: stop("val_loss"), "monitor is 'val_loss', but there are no validation data"),
}
SETTINGS = {
    "activation": (
        lambda: nn.Sequential(nn.Activation("leaky_relu", slope=1)),
        "no parameter 'slope'; it takes",
    ),
    "loss": (lambda: nn.Loss("mse", beta=1), "loss 'mse' has no parameter 'beta'"),
    "optimizer": (
        lambda: optim.Optimizer(weights(), "sgd", beta1=1),
        "'sgd' has no parameter 'beta1'; it takes: lr",
    ),
    "group": (lambda: optim.SGD([{"params": weights(), "rate": 1}]), "'sgd' has no parameter 'rate'"),
    "initializer": (
        lambda: linear(init="normal", init_settings={"gain": 1}),
        "no parameter 'gain'; it takes: mean",
    ),
    "smoothing": (lambda: nn.CrossEntropyLoss(label_smoothing=1.5), r"label_smoothing is 1.5, .*\[0, 1\]"),
    "smoothing_by_name": (lambda: nn.Loss("cross_entropy", label_smoothing=-1), "label_smoothing is -1"),
    "class_weights": (lambda: nn.Loss("mse", weight=[1.0]), "mse: the loss takes no class weights"),
    "class_weights_negative": (lambda: nn.CrossEntropyLoss([1.0, -1.0]), "weight"),
    "class_weights_nan": (lambda: nn.CrossEntropyLoss([1.0, NAN]), "weight"),
    "dropout": (lambda: nn.Dropout(1.5), r"Dropout: p is 1.5, it must be in \[0, 1\]"),
    "dropout_nan": (lambda: nn.Dropout(NAN), "Dropout: p is nan, it must be in"),
    "softmax": (lambda: nn.Softmax(0), "Softmax: dim is 0, it must be 1 or -1"),
    "mismatch": (
        lambda: nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 2)),
        "4 columns, the layer '1' expects 5",
    ),
    "no_columns": (
        lambda: nn.Sequential(nn.Linear(0, 4)),
        "in_features is 0, it must be at least 1",
    ),
    "negative_columns": (
        lambda: nn.Sequential(nn.Linear(3, -4)),
        "out_features is -4, it must be at least 1",
    ),
    "no_layers": (lambda: nn.Sequential(), "Sequential: there are no layers"),
    "not_a_layer": (lambda: nn.Sequential(np.tanh), "Sequential: .* is not a module"),
    "seed": (lambda: network(seed=-1), "seed is -1"),
    "threads_0": (lambda: cmlp.set_num_threads(0), "set_num_threads: count is 0, it must be at least 1"),
    "threads_negative": (lambda: cmlp.set_num_threads(-2), "set_num_threads: count is -2"),
}
OPTIMIZERS = {
    "no_parameters": (lambda: optim.SGD([]), "SGD: there are no parameters"),
    "net_without": (
        lambda: optim.Adam(nn.Sequential(nn.ReLU()).parameters()),
        "Adam: there are no parameters",
    ),
    "mixed_dtypes": (
        lambda: optim.SGD(weights() + weights(dtype="float64")),
        "SGD: parameters have different dtypes",
    ),
    "other_dtype": (lambda: fit(optimizer=optim.SGD(weights(dtype="float64"))), "float64"),
    "other_network": (lambda: fit(optimizer=optim.SGD(weights())), "optimizer"),
    "rate_negative": (lambda: optim.SGD(weights(), lr=-1), r"SGD: lr is -1, it must be in \[0, ?inf\)"),
    "rate_nan": (lambda: optim.Adam(weights(), lr=NAN), "Adam: lr is nan"),
    "rate_by_name": (lambda: optim.Optimizer(weights(), "sgd", lr=-1.0), r"SGD: lr is -1, it must be in"),
    "rate_set_negative": (lambda: set_rate(-1.0), "lr is -1"),
    "rate_set_nan": (lambda: set_rate(NAN), "lr is nan"),
    "beta": (lambda: optim.Adam(weights(), betas=(0.9, 1.0)), r"Adam: beta2 is 1, it must be in \[0,1\)"),
    "beta_by_name": (lambda: optim.Optimizer(weights(), "adam", beta1=1.0), "beta1 is 1"),
    "momentum": (lambda: optim.SGD(weights(), momentum=-0.1), r"SGD: momentum is -0.1, it must be in"),
    "nesterov": (lambda: optim.SGD(weights(), nesterov=True), "SGD: nesterov needs momentum above 0"),
    "decay": (
        lambda: optim.AdamW(weights(), weight_decay=-1),
        "AdamW: weight_decay is -1, it must be in",
    ),
}
FIT = {
    "epochs": (lambda: fit(epochs=-1), "fit: epochs is -1, it must be at least 0"),
    "batch_size": (lambda: fit(batch_size=0), "fit: batch_size is 0, it must be at least 1"),
    "patience": (lambda: stop(patience=-1), "EarlyStopping: patience is -1, it must be at least 1"),
    "patience_0": (lambda: stop(patience=0), "patience is 0"),
    "min_delta": (lambda: stop(min_delta=-1.0), "min_delta is -1"),
    "every_steps": (lambda: fit(every_steps=-1, step_callbacks=[print]), "every_steps is -1"),
    "step_callbacks": (lambda: fit(step_callbacks=[print]), "every_steps is None"),
    "step_callbacks_0": (lambda: fit(step_callbacks=[print], every_steps=0), "every_steps is 0"),
    "batch_size_fraction": (lambda: fit(batch_size=2.5), "batch_size"),
    "batch_size_word": (lambda: fit(batch_size="8"), "batch_size is 8, it must be an integer"),
    "epochs_huge": (lambda: fit(epochs=2**63), "epochs"),
    "clip_negative": (lambda: fit(clip_grad_norm=-1.0), "clip_grad_norm is -1"),
    "clip_nan": (lambda: fit(clip_grad_norm=NAN), "clip_grad_norm is nan"),
    "time_limit": (lambda: fit(time_limit=-1.0), "time_limit is -1"),
    "initial_epoch": (lambda: fit(initial_epoch=-1), "initial_epoch is -1"),
    "split": (lambda: fit(validation_split=1.5), r"fit: validation_split is 1.5, it must be in \(0, 1\)"),
    "split_of_few": (lambda: fit(validation_split=0.9), "validation_split 0.9 of 4 rows leaves"),
    "reduction_none": (lambda: fit(loss=nn.CrossEntropyLoss(reduction="none")), "'none'; choose mean or sum"),
}
EVERY = {"name": NAMES, "setting": SETTINGS, "optimizer": OPTIMIZERS, "fit": FIT}
CASES = [(f"{kind}_{case}", *row) for kind, cases in EVERY.items() for case, row in cases.items()]


@pytest.mark.parametrize(("call", "message"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_refused(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
