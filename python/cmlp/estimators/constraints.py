"""What the parameters of the estimators may be, in scikit-learn's way of saying it."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np

import cmlp
from cmlp.estimators._sklearn_compat import Interval, Options, StrOptions
from cmlp.nn.losses import Loss
from cmlp.nn.module import Module

_POSITIVE = Interval(Real, 0, None, closed="neither")
_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
COUNT: Any = Interval(Integral, 1, 2**53, closed="both")
_THREADS: Any = Interval(Integral, 1, 2**31 - 1, closed="both")
SHARE: Any = Interval(Real, 0, 1, closed="left")
_ANY_LOSS: list[Any] = [StrOptions(set(cmlp.losses())), Loss]

SCIKIT_LEARN: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", COUNT],
    "activation": [StrOptions({"logistic", *cmlp.activations()}), Module, "array-like"],
    "solver": [StrOptions({"lbfgs", *cmlp.optimizers()}), callable],
    "alpha": [_NOT_NEGATIVE],
    "batch_size": [StrOptions({"auto"}), COUNT],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
    "learning_rate_init": [_POSITIVE],
    "power_t": [_NOT_NEGATIVE],
    "max_iter": [COUNT],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [_NOT_NEGATIVE],
    "verbose": ["verbose", StrOptions({"bar"})],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [SHARE],
    "beta_1": [SHARE],
    "beta_2": [SHARE],
    "epsilon": [_POSITIVE],
    "n_iter_no_change": [COUNT, Options(Real, {np.inf})],
    "max_fun": [COUNT],
}
OURS: dict[str, list[Any]] = {
    "dropout": [SHARE],
    "input_dropout": [SHARE],
    "batch_norm": ["boolean"],
    "layer_norm": ["boolean"],
    "residual": ["boolean"],
    "init": [StrOptions({"sklearn", "auto", *cmlp.initializers()})],
    "schedule": [callable, None],
    "clip_grad_norm": [_NOT_NEGATIVE, None],
    "max_steps": [COUNT, None],
    "scoring": [str, callable, None],
    "callbacks": ["array-like", callable, None],
    "missing": [StrOptions({"impute"}), None],
    "dtype": [StrOptions({"float32", "float64"}), None],
    "n_threads": [_THREADS, None],
    "time_limit": [_POSITIVE, None],
    "transform_layer": [Integral],
}
COMMON = {**SCIKIT_LEARN, **OURS}
CLASSIFIER: dict[str, list[Any]] = {
    **COMMON,
    "loss": [StrOptions({"log_loss"}), *_ANY_LOSS],
    "class_weight": [StrOptions({"balanced"}), dict, list, None],
}
REGRESSOR: dict[str, list[Any]] = {
    **COMMON,
    "loss": [StrOptions({"squared_error", "poisson"}), *_ANY_LOSS],
    "target_transform": [StrOptions({"standardize"}), None],
}
