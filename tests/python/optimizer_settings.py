"""Settings to try of each update rule: every one with another value than its default."""

from __future__ import annotations

# Each setting with another value than its default, alone or with those it needs.
_COMMON = [{"lr": 0.1}, {"maximize": 1.0}]
_DECAY = [*_COMMON, {"weight_decay": 0.3}]
_MEANS = [*_DECAY, {"beta1": 0.5}, {"beta1": 0.0, "beta2": 0.0}, {"beta2": 0.9}]
_ADAM = [
    *_MEANS,
    {"eps": 0.1},
    {"eps": 0.1, "eps_mode": 1.0},
    {"eps_mode": 1.0},
    {"amsgrad": 1.0, "beta2": 0.5},
    {"amsgrad": 1.0, "eps_mode": 1.0, "weight_decay": 0.1},
]
_ALL = {"lr": 0.05, "weight_decay": 0.2, "maximize": 1.0}
_APART = [{"weight_decay": 0.3, "decoupled_weight_decay": 1.0}, {"eps": 0.1}]
SETTINGS: dict[str, list[dict[str, float]]] = {
    "sgd": [
        *_DECAY,
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.4},
        {"momentum": 0.9, "nesterov": 1.0},
        {**_ALL, "momentum": 0.8, "nesterov": 1.0},
        {"velocity_mode": 1.0},
        {"momentum": 0.9, "dampening": 0.4, "velocity_mode": 1.0},
        {**_ALL, "momentum": 0.8, "nesterov": 1.0, "velocity_mode": 1.0},
    ],
    "adam": [*_ADAM, _APART[0], {**_ALL, "beta1": 0.7, "beta2": 0.8, "eps": 1e-3, "eps_mode": 1.0}],
    "adamw": [*_ADAM, {**_ALL, "beta1": 0.7, "beta2": 0.8, "eps": 1e-3, "eps_mode": 1.0}],
    "nadam": [*_MEANS, *_APART, {"momentum_decay": 0.3}, {"momentum_decay": 0.0}],
    "radam": [*_MEANS, *_APART, {**_ALL, "beta1": 0.7, "beta2": 0.8, "eps": 1e-3}],
    "adamax": [*_MEANS, {"eps": 0.1}],
    "adagrad": [
        *_DECAY,
        {"lr_decay": 0.5},
        {"initial_accumulator_value": 2.0},
        {"eps": 0.1},
        {**_ALL, "lr_decay": 0.1},
    ],
    "adadelta": [*_DECAY, {"rho": 0.5}, {"eps": 0.1}, {**_ALL, "rho": 0.7}],
    "rmsprop": [
        *_DECAY,
        {"alpha": 0.5},
        {"eps": 0.1},
        {"momentum": 0.9},
        {"centered": 1.0},
        {**_ALL, "momentum": 0.5, "centered": 1.0, "alpha": 0.8},
    ],
    "rprop": [
        *_COMMON,
        {"eta_minus": 0.25},
        {"eta_plus": 1.5},
        {"step_min": 0.02},
        {"step_max": 0.015},
        {"lr": 0.0},
    ],
    "asgd": [*_DECAY, {"lambd": 0.5}, {"lambd": 0.5, "alpha": 2.0}, {"t0": 5.0}, {**_ALL, "t0": 0.0}],
    "lion": [*_MEANS, _ALL],
    "adan": [
        *_MEANS,
        {"beta3": 0.5},
        {"eps": 0.1},
        {"no_prox": 1.0},
        {**_ALL, "no_prox": 1.0},
        {**_ALL, "beta1": 0.5, "beta2": 0.6, "beta3": 0.7},
    ],
    "muon": [
        {"lr": 0.1},
        {"weight_decay": 0.3},
        {"momentum": 0.5},
        {"nesterov": 0.0},
        {"ns_a": 3.0, "ns_b": -3.2, "ns_c": 1.2, "ns_steps": 3.0},
        {"eps": 10.0},
        {"adjust_lr_fn": 1.0},
        {"beta1": 0.5, "beta2": 0.9, "adam_eps": 0.1},
    ],
}
