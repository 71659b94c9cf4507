"""Update rules against the oracle over many steps, with every setting; groups, state and what is refused."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import cmlp
from cmlp import _core, nn, optim
from cmlp.optim.settings import TUPLES
from optimizer_settings import SETTINGS
from reference import OPTIMIZERS
from tolerance import assert_close, assert_same_bits

ROWS = {row["name"]: row for row in _core.optimizers()}
STEPS = 25
CASES = [(name, {}) for name in ROWS] + [(name, s) for name, every in SETTINGS.items() for s in every]


def gradients(shape, dtype, rng):
    """A run of gradients, some of them large, some tiny and some 0."""
    scale = rng.choice([0, 1e-6, 1, 100], size=(STEPS, *shape))
    return (scale * rng.normal(size=(STEPS, *shape))).astype(dtype)


def walked(layer, optimizer, run):
    for g in run:
        layer.weight.grad = g
        optimizer.step()
    return layer.weight.data.copy()


def oracle(name, w, run, settings):
    state, w = {}, w.astype(float)
    for step, g in enumerate(run.astype(float), 1):
        w = OPTIMIZERS[name](w, g, state, step, **{**ROWS[name]["parameters"], **settings})
    return w


def test_every_setting_of_every_rule_is_tried():
    for name, row in ROWS.items():
        assert set().union(*SETTINGS[name]) == set(row["parameters"])


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_rule(name, settings, dtype, isa, rng):
    layer = nn.Linear(37, 3, bias=False, dtype=dtype, seed=1)
    before, run = layer.weight.data.copy(), gradients((3, 37), dtype, rng)
    after = walked(layer, optim.Optimizer(layer.parameters(), name, **settings), run)
    expected = oracle(name, before, run, settings)
    assert_close(after, expected, "optimizer", dtype, scale=abs(expected - before).max() + abs(before).max())


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_same_bits_for_any_threads_and_instruction_set(name, settings, dtype, rng, vector_isa, threads):
    run = gradients((5, 700), dtype, rng)[:4]

    def end(count, instructions):
        threads(count), cmlp.runtime.set_isa(instructions)
        layer = nn.Linear(700, 5, bias=False, dtype=dtype)
        return walked(layer, optim.Optimizer(layer.parameters(), name, **settings), run)

    one = end(1, "scalar")
    for count in (1, 2, 3):
        assert_same_bits(end(count, vector_isa), one)


@pytest.mark.parametrize("name", ROWS)
def test_class_and_row_have_the_same_defaults(name):
    parameters = inspect.signature(getattr(optim, ROWS[name]["type"])).parameters
    given = {key: p.default for key, p in parameters.items() if p.default is not p.empty}
    for key, names in TUPLES.items():
        given.update(zip(names, given.pop(key, ()), strict=False))
    for key in ("eps_mode", "velocity_mode"):
        given[key] = {"torch": 0.0, "keras": 1.0}.get(given.get(key), 0.0)
    given["adjust_lr_fn"] = 0.0 if given.get("adjust_lr_fn") is None else np.nan
    assert {key: float(given[key]) for key in ROWS[name]["parameters"]} == ROWS[name]["parameters"]


def test_adams_defaults_are_the_papers():
    expected = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    assert expected.items() <= dict(optim.Adam(nn.Linear(1, 1).parameters()).param_groups[0]).items()


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (
            lambda p: optim.SGD(p, 0.1, 0.9, nesterov=True),
            ("sgd", {"lr": 0.1, "momentum": 0.9, "nesterov": 1.0}),
        ),
        (lambda p: optim.SGD(p, maximize=True), ("sgd", {"maximize": 1.0})),
        (
            lambda p: optim.Adam(p, betas=(0.8, 0.9), eps_mode="keras"),
            ("adam", {"beta1": 0.8, "beta2": 0.9, "eps_mode": 1.0}),
        ),
        (lambda p: optim.AdamW(p, 0.01, weight_decay=0.5), ("adamw", {"lr": 0.01, "weight_decay": 0.5})),
        (lambda p: optim.Adam(p, amsgrad=True), ("adam", {"amsgrad": 1.0})),
        (
            lambda p: optim.Rprop(p, etas=(0.4, 1.3), step_sizes=(1e-3, 2)),
            ("rprop", {"eta_minus": 0.4, "eta_plus": 1.3, "step_min": 1e-3, "step_max": 2.0}),
        ),
        (
            lambda p: optim.Adan(p, betas=(0.5, 0.6, 0.7)),
            ("adan", {"beta1": 0.5, "beta2": 0.6, "beta3": 0.7}),
        ),
    ],
)
def test_arguments_of_classes_are_settings_of_rows(one, two, rng):
    run, ends = gradients((3, 4), "float64", rng), []
    for make in (one, lambda p: optim.Optimizer(p, two[0], **two[1])):
        layer = nn.Linear(4, 3, bias=False, dtype="float64")
        ends.append(walked(layer, make(layer.parameters()), run))
    assert_same_bits(*ends)


@pytest.mark.parametrize("name", ROWS)
def test_groups_have_settings_of_their_own(name, dtype, rng):
    net = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3), nn.Linear(3, 2), dtype=dtype)
    before = net.state_dict()
    groups = [{"params": net[0].parameters() + net[2].parameters(), "lr": 0.25}, {"params": [net[1].weight]}]
    optimizer = optim.Optimizer(groups, name, lr=0.5)
    grads = {key: rng.normal(size=value.shape).astype(dtype) for key, value in before.items()}
    for key, parameter in net.named_parameters():
        parameter.grad = grads[key]
    optimizer.step()
    for key, value in net.state_dict().items():
        lr = {"0": 0.25, "2": 0.25, "1": 0.5}[key[0]]
        moved = before[key] if key == "1.bias" else oracle(name, before[key], grads[key][None], {"lr": lr})
        assert_close(value, moved, "optimizer", dtype, scale=1)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_state_carries_over(name, settings, dtype, rng):
    run, ends = gradients((3, 37), dtype, rng), []
    for cut in (0, 7):
        layer = nn.Linear(37, 3, bias=False, dtype=dtype)
        optimizer = optim.Optimizer(layer.parameters(), name, **settings)
        walked(layer, optimizer, run[:cut])
        again = optim.Optimizer(layer.parameters(), name)
        again.load_state_dict(optimizer.state_dict())
        ends.append(walked(layer, again, run[cut:]))
        assert again.state_dict()["steps"] == STEPS
    assert_same_bits(*ends)


@pytest.mark.parametrize("name", ROWS)
def test_a_setting_changed_between_steps_counts_from_the_next(name, rng):
    """Changing the learning rate keeps the state."""
    run = gradients((3, 4), "float64", rng)
    layer = nn.Linear(4, 3, bias=False, dtype="float64")
    optimizer = optim.Optimizer(layer.parameters(), name, **({"momentum": 0.9} if name == "sgd" else {}))
    state, w = {}, layer.weight.data.copy()
    for step, g in enumerate(run, 1):
        optimizer.lr = 0.1 / step
        if "weight_decay" in ROWS[name]["parameters"]:
            optimizer.param_groups[0]["weight_decay"] = 0.01 * step
        now = {key: optimizer._core.setting(key) for key in ROWS[name]["parameters"]}
        w = OPTIMIZERS[name](w, g, state, step, **now)
        walked(layer, optimizer, [g])
    assert_close(layer.weight.data, w, "optimizer", scale=abs(w).max())
    assert optimizer.lr == 0.1 / STEPS


def test_momentum_switched_on_later_starts_from_rest(rng):
    layer = nn.Linear(4, 3, bias=False, dtype="float64")
    before, g = layer.weight.data.copy(), rng.normal(size=(3, 4))
    optimizer = optim.SGD(layer.parameters(), lr=0.5)
    walked(layer, optimizer, [g])
    optimizer.param_groups[0]["momentum"] = 0.9
    walked(layer, optimizer, [g, g])
    assert_close(layer.weight.data, before - 0.5 * (g + g + 1.9 * g), "optimizer", scale=1)


def test_parameters_of_two_networks_in_one_optimizer(rng):
    layers = [nn.Linear(2, 2, seed=seed) for seed in (1, 2)]
    before = [layer.weight.data.copy() for layer in layers]
    optimizer = optim.SGD([p for layer in layers for p in layer.parameters()], lr=1.0)
    for layer in layers:
        layer.weight.grad = np.ones((2, 2))
    optimizer.step()
    assert_same_bits([layer.weight.data for layer in layers], [w - 1 for w in before])
    optimizer.zero_grad()
    assert not any(layer.weight.grad.any() for layer in layers)


def test_padding_of_rows_stays_zero_through_decay_and_momentum(rng):
    """Rows are padded to cache lines; a step must leave nothing there that a norm would count."""
    layer = nn.Linear(3, 33, dtype="float64")
    layer.weight.grad = rng.normal(size=(33, 3))
    optimizer = optim.Adam(layer.parameters(), weight_decay=0.1)
    optimizer.step()
    used = sum(np.count_nonzero(array) for array in optimizer._core.state())
    assert used == 2 * 33 * 3


def test_groups_speak_pytorchs_names():
    layer = nn.Linear(2, 2)
    group = optim.Adam([{"params": layer.parameters(), "betas": (0.5, 0.75)}]).param_groups[0]
    assert group["betas"] == (0.5, 0.75)
    group["betas"] = (0.25, 0.5)
    assert (group["beta1"], group["beta2"]) == (0.25, 0.5)
    with pytest.raises(ValueError, match="Adam: betas has 3 values, not 2"):
        group["betas"] = (0.1, 0.2, 0.3)
    with pytest.raises(KeyError):
        optim.SGD(layer.parameters()).param_groups[0]["betas"]


def test_numbers_kept_between_steps_are_part_of_the_state(rng):
    """NAdam's product of momenta follows a momentum_decay that was changed on the way, as in PyTorch."""
    layer = nn.Linear(4, 3, bias=False, dtype="float64")
    optimizer = optim.NAdam(layer.parameters(), momentum_decay=0.5)
    walked(layer, optimizer, gradients((3, 4), "float64", rng)[:3])
    factors = [0.9 * (1 - 0.5 * 0.96 ** (k * 0.5)) for k in (1, 2, 3)]
    assert_close(optimizer.state_dict()["memory"][0][0], np.prod(factors), "optimizer")


def test_centred_rmsprop_survives_a_constant_gradient():
    """v less the squared mean rounds to below 0 there; its root must not turn the weights NaN."""
    layer = nn.Linear(33, 5, bias=False)
    optimizer = optim.RMSprop(layer.parameters(), alpha=0.5, centered=True)
    walked(layer, optimizer, np.broadcast_to(np.linspace(0.1, 1, 165).reshape(5, 33), (200, 5, 33)))
    assert np.isfinite(layer.weight.data).all()


def test_asgd_keeps_the_average_of_the_weights(rng):
    layer = nn.Linear(1, 1, bias=False, dtype="float64")
    optimizer = optim.ASGD(layer.parameters(), lr=0.5, t0=2.0)
    recorded = [walked(layer, optimizer, [g]) for g in rng.normal(size=(6, 1, 1))]
    average = optimizer.state_dict()["state"][0][0]
    assert_close(average, np.mean(recorded[3:]), "optimizer")
