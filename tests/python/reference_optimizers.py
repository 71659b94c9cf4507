"""The oracle of the update rules: rule(w, g, state, step, **settings) -> w in NumPy; step counts from 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
State = dict[str, Any]


def _gradient(w: Array, g: Array, s: dict[str, float], *, added: bool = True) -> Array:
    """The gradient of the rule: negated with maximize, with weight decay added."""
    return (-g if s["maximize"] else g) + (s["weight_decay"] * w if added else 0)


def _decayed(w: Array, s: dict[str, float]) -> Array:
    return w * (1 - s["lr"] * s["weight_decay"])


def _mean(state: State, name: str, x: Array, beta: float) -> Array:
    state[name] = beta * state.get(name, 0.0) + (1 - beta) * x
    return state[name]


def _sgd(w: Array, g: Array, state: State, step: int, **s: float) -> Array:
    g = _gradient(w, g, s)
    if s["momentum"]:
        keras = s.get("velocity_mode") in (1, "keras")
        inside, outside = (s["lr"], 1.0) if keras else (1.0, s["lr"])
        v = inside * g if step == 1 else s["momentum"] * state["v"] + inside * (1 - s["dampening"]) * g
        state["v"] = v
        return w - (s["lr"] * g + outside * s["momentum"] * v if s["nesterov"] else outside * v)
    return w - s["lr"] * g


def _adam(w: Array, g: Array, state: State, step: int, **s: float) -> Array:
    apart = bool(s.get("decoupled_weight_decay", 0))
    g = _gradient(w, g, s, added=not apart)
    w = _decayed(w, s) if apart else w
    m, v = _mean(state, "m", g, s["beta1"]), _mean(state, "v", g * g, s["beta2"])
    if s["amsgrad"]:
        v = state["largest"] = np.maximum(state.get("largest", 0.0), v)
    correction1, correction2 = 1 - s["beta1"] ** step, 1 - s["beta2"] ** step
    if s["eps_mode"] in (1, "keras"):  # Keras: beside the square root of the uncorrected mean
        return w - s["lr"] * math.sqrt(correction2) / correction1 * m / (np.sqrt(v) + s["eps"])
    return w - s["lr"] * m / correction1 / (np.sqrt(v / correction2) + s["eps"])


def _adamw(w: Array, g: Array, state: State, step: int, **s: float) -> Array:
    return _adam(w, g, state, step, **{**s, "decoupled_weight_decay": 1.0})


def _nadam(w: Array, g: Array, state: State, step: int, **s: float) -> Array:
    apart = bool(s["decoupled_weight_decay"])
    g = _gradient(w, g, s, added=not apart)
    w = _decayed(w, s) if apart else w
    m, v = _mean(state, "m", g, s["beta1"]), _mean(state, "v", g * g, s["beta2"])
    mu, after = (s["beta1"] * (1 - 0.5 * 0.96 ** (k * s["momentum_decay"])) for k in (step, step + 1))
    product = state["product"] = state.get("product", 1.0) * mu
    ahead = (1 - mu) / (1 - product) * g + after / (1 - product * after) * m
    return w - s["lr"] * ahead / (np.sqrt(v / (1 - s["beta2"] ** step)) + s["eps"])


def _radam(w: Array, g: Array, state: State, step: int, **s: float) -> Array:
    apart = bool(s["decoupled_weight_decay"])
    g = _gradient(w, g, s, added=not apart)
    w = _decayed(w, s) if apart else w
    m, v = _mean(state, "m", g, s["beta1"]), _mean(state, "v", g * g, s["beta2"])
    decayed, longest = s["beta2"] ** step, 2 / (1 - s["beta2"]) - 1
    length = longest - 2 * step * decayed / (1 - decayed)
    move = m / (1 - s["beta1"] ** step)
    if length > 5:
        r = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        move = move * math.sqrt(r) * math.sqrt(1 - decayed) / (np.sqrt(v) + s["eps"])
    return w - s["lr"] * move


def _adamax(w: Array, g: Array, state: State, step: int, **s: float) -> Array:
    g = _gradient(w, g, s)
    m = _mean(state, "m", g, s["beta1"])
    u = state["u"] = np.maximum(s["beta2"] * state.get("u", 0.0), abs(g) + s["eps"])
    return w - s["lr"] / (1 - s["beta1"] ** step) * m / u


def _adagrad(w: Array, g: Array, state: State, step: int, **s: float) -> Array:
    g = _gradient(w, g, s)
    v = state["v"] = state.get("v", s["initial_accumulator_value"]) + g * g
    return w - s["lr"] / (1 + (step - 1) * s["lr_decay"]) * g / (np.sqrt(v) + s["eps"])


def _adadelta(w: Array, g: Array, state: State, step: int, **s: float) -> Array:
    g = _gradient(w, g, s)
    v = _mean(state, "v", g * g, s["rho"])
    d = np.sqrt(state.get("u", 0.0) + s["eps"]) / np.sqrt(v + s["eps"]) * g
    _mean(state, "u", d * d, s["rho"])
    return w - s["lr"] * d


def _rmsprop(w: Array, g: Array, state: State, step: int, **s: float) -> Array:
    g = _gradient(w, g, s)
    v = _mean(state, "v", g * g, s["alpha"])
    if s["centered"]:
        v = np.maximum(v - _mean(state, "mean", g, s["alpha"]) ** 2, 0)
    move = g / (np.sqrt(v) + s["eps"])
    if s["momentum"]:
        move = state["b"] = s["momentum"] * state.get("b", 0.0) + move
    return w - s["lr"] * move


def _rprop(w: Array, g: Array, state: State, step: int, **s: float) -> Array:
    g = -g if s["maximize"] else g
    turn = np.sign(g * state.get("g", 0.0))
    factor = np.select([turn > 0, turn < 0], [s["eta_plus"], s["eta_minus"]], 1.0)
    size = state["size"] = np.clip(state.get("size", s["lr"]) * factor, s["step_min"], s["step_max"])
    state["g"] = np.where(turn < 0, 0, g)
    return w - np.sign(state["g"]) * size


def _asgd(w: Array, g: Array, state: State, step: int, **s: float) -> Array:
    eta, mu = state.get("eta", s["lr"]), state.get("mu", 1.0)
    g = _gradient(w, g, s)
    w = w * (1 - s["lambd"] * eta) - eta * g
    state["average"] = w if mu == 1 else state["average"] + mu * (w - state["average"])
    state["eta"] = s["lr"] / (1 + s["lambd"] * s["lr"] * step) ** s["alpha"]
    state["mu"] = 1 / max(1, step - s["t0"])
    return w


def _lion(w: Array, g: Array, state: State, step: int, **s: float) -> Array:
    g, m = _gradient(w, g, s, added=False), state.get("m", 0.0)
    state["m"] = s["beta2"] * m + (1 - s["beta2"]) * g
    return _decayed(w, s) - s["lr"] * np.sign(s["beta1"] * m + (1 - s["beta1"]) * g)


def _adan(w: Array, g: Array, state: State, step: int, **s: float) -> Array:
    g = _gradient(w, g, s, added=False)
    d, state["g"] = g - state.get("g", g), g
    m, v = _mean(state, "m", g, s["beta1"]), _mean(state, "v", d, s["beta2"])
    n = _mean(state, "n", (g + s["beta2"] * d) ** 2, s["beta3"])
    ahead = m / (1 - s["beta1"] ** step) + s["beta2"] * v / (1 - s["beta2"] ** step)
    move = s["lr"] * ahead / (np.sqrt(n / (1 - s["beta3"] ** step)) + s["eps"])
    if s["no_prox"]:
        return _decayed(w, s) - move
    return (w - move) / (1 + s["lr"] * s["weight_decay"])


def _orthogonalized(x: Array, s: dict[str, float]) -> Array:
    if len(x) > len(x.T):
        return _orthogonalized(x.T, s).T
    x = x / max(np.linalg.norm(x), s["eps"])
    for _ in range(int(s["ns_steps"])):
        gram = x @ x.T
        x = s["ns_a"] * x + (s["ns_b"] * gram + s["ns_c"] * gram @ gram) @ x
    return x


def _muon(w: Array, g: Array, state: State, step: int, **s: float) -> Array:
    if w.ndim == 1:
        rest = {"eps": s["adam_eps"], "amsgrad": 0.0, "maximize": 0.0, "eps_mode": 0.0}
        return _adamw(w, g, state, step, **{**s, **rest})
    m = _mean(state, "m", g, s["momentum"])
    update = _orthogonalized(g + s["momentum"] * (m - g) if s["nesterov"] else m, s)
    out, inputs = w.shape
    as_adamw = s["adjust_lr_fn"] in (1, "match_rms_adamw")
    ratio = 0.2 * math.sqrt(max(out, inputs)) if as_adamw else math.sqrt(max(1, out / inputs))
    return _decayed(w, s) - s["lr"] * ratio * update


OPTIMIZERS: dict[str, Callable[..., Array]] = {
    "sgd": _sgd,
    "adam": _adam,
    "adamw": _adamw,
    "nadam": _nadam,
    "radam": _radam,
    "adamax": _adamax,
    "adagrad": _adagrad,
    "adadelta": _adadelta,
    "rmsprop": _rmsprop,
    "rprop": _rprop,
    "asgd": _asgd,
    "lion": _lion,
    "adan": _adan,
    "muon": _muon,
}
