"""Backpropagation against central differences: every activation, every loss, every layer, in float64."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import cmlp
from cmlp import _core, nn
from networks import as_targets
from tolerance import TOLERANCE

KINDS = {name: _core.output_kind(name) for name in cmlp.losses()}
KINDS.pop("gaussian_nll")  # two columns of predictions for one of targets: test_loss_settings.py
CLASSES = [name for name, kind in KINDS.items() if kind == "class_logits"]
LIMIT = TOLERANCE["gradcheck", "float64"]
H = np.finfo(float).eps ** (1 / 3)  # where truncation (h^2) and rounding (eps / h) are of a size
WEIGHTS = {"unweighted": None, "weighted": [1.0, 2.0, 0.0, 0.5, 3.0]}
# (name, layers between input and output): what stands between the Linears of a network
LAYERS = {
    "linear": lambda act: [nn.Linear(4, 3)],
    "no_bias": lambda act: [nn.Linear(4, 3, bias=False)],
    "activation": lambda act: [act()],
    "depth_1": lambda act: [nn.Linear(4, 3), act()],
    "depth_2": lambda act: [nn.Linear(4, 5), act(), nn.Linear(5, 3, bias=False)],
    "depth_3": lambda act: [nn.Linear(4, 5), act(), nn.Linear(5, 6), act(), nn.Linear(6, 3)],
    "dropout": lambda act: [nn.Linear(4, 9), act(), nn.Dropout(0.4), nn.Linear(9, 3)],
    "dropout_first": lambda act: [nn.Dropout(0.2), nn.Linear(4, 3), act()],
    "softmax": lambda act: [nn.Linear(4, 5), act(), nn.Softmax(), nn.Linear(5, 3)],
    "nested": lambda act: [nn.Sequential(nn.Linear(4, 5), act()), nn.Sequential(nn.Linear(5, 3))],
}


def network(activation, loss, layers, seed=0, **settings):
    """The network, with probabilities at its end if the loss needs them."""
    end = [nn.Sigmoid()] if KINDS[loss] == "probability" else []
    made = LAYERS[layers](lambda: nn.Activation(activation, **settings))
    return nn.Sequential(*made, *end, seed=seed, dtype="float64")


KINKS = np.array([0, 0.5, 1, 3, 6])  # where slopes of activations jump, on both sides of 0


def clear_of_kinks(net, activation):
    """Whether no input of such an activation was near a kink in the last forward."""
    layers = [fields.get("activation") for _, _, fields in net._core.layers()]
    return all(
        (abs(abs(z)[..., None] - KINKS) > 1e-3).all()
        for z, kind in zip(net._core.outputs(), layers, strict=False)
        if kind == activation
    )


def case(activation, loss, layers, **settings):
    """A network and five rows without inputs near a kink."""
    for seed in range(100):
        rng = np.random.default_rng([seed, len(activation), len(loss)])
        x = rng.normal(size=(5, 4))
        net = network(activation, loss, layers, seed, **settings)
        y = net(x)
        if clear_of_kinks(net, activation):
            net._core.step = seed
            return net, x, y.shape[1], rng
    raise AssertionError("no such rows")


def targets(loss, columns, labels, rng):
    if loss in CLASSES:
        return rng.integers(0, columns, 5) if labels else rng.dirichlet(np.ones(columns), 5)
    return as_targets(loss, rng.uniform(size=(5, columns)))


def worst(net, x, t, criterion, weight=None):
    report = cmlp.gradcheck(net, x, t, criterion, sample_weight=weight, h=H)
    assert {row.name for row in report} == {*net.state_dict(), "input"}
    assert all(row.checked == net.state_dict()[row.name].size for row in report if row.name != "input")
    return report.worst


def pairs():
    """Every pair of activation and layers, of loss and layers, of activation and loss."""
    acts, losses, layers = cmlp.activations(), list(KINDS), list(LAYERS)
    found = {
        (act, losses[(i + j) % len(losses)], at) for i, act in enumerate(acts) for j, at in enumerate(layers)
    }
    found |= {
        (acts[(i + j) % len(acts)], loss, at) for i, loss in enumerate(losses) for j, at in enumerate(layers)
    }
    found |= {
        (act, loss, layers[(i + j) % len(layers)])
        for i, act in enumerate(acts)
        for j, loss in enumerate(losses)
    }
    return sorted(found)


@pytest.mark.parametrize(("activation", "loss", "layers"), pairs())
def test_every_activation_loss_and_layer(activation, loss, layers):
    net, x, columns, rng = case(activation, loss, layers)
    for labels, reduction in itertools.product({False, loss in CLASSES}, ["mean", "sum"]):
        for weight in WEIGHTS.values():
            t = targets(loss, columns, labels, rng)
            assert worst(net, x, t, nn.Loss(loss, reduction=reduction), weight) < LIMIT


@pytest.mark.parametrize("loss", CLASSES)
@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
def test_class_weights_and_smoothing(loss, labels, weight):
    net, x, columns, rng = case("tanh", loss, "depth_2")
    t = targets(loss, columns, labels, rng)
    smooths = loss == "cross_entropy"
    smoothings = [{"label_smoothing": value} for value in (0.0, 0.1, 1.0)] if smooths else [{}]
    for settings, class_weight in itertools.product(smoothings, [None, [0.5, 2.0, 1.5]]):
        criterion = nn.Loss(loss, weight=class_weight, **settings)
        assert worst(net, x, t, criterion, weight) < LIMIT


@pytest.mark.parametrize("slope", [0.3, 0.0, -0.5])
def test_settings_of_activations(slope):
    net, x, _, rng = case("leaky_relu", "mse", "depth_2", negative_slope=slope)
    assert worst(net, x, rng.normal(size=(5, 3)), nn.MSELoss()) < LIMIT


@pytest.mark.parametrize("activation", cmlp.activations())
def test_gradients_in_every_instruction_set(activation, isa):
    net, x, columns, rng = case(activation, "cross_entropy", "depth_3")
    assert worst(net, x, targets("cross_entropy", columns, True, rng), nn.CrossEntropyLoss()) < LIMIT


def test_many_rows_are_more_than_one_chunk():
    """600 rows: the weights' gradients are folded from three chunks of rows."""
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 2), dtype="float64")
    x, t = rng.normal(size=(600, 3)), rng.integers(0, 2, 600)
    report = cmlp.gradcheck(net, x, t, nn.CrossEntropyLoss())
    assert max(row.relative_error for row in report if row.name != "input") < LIMIT
    assert report[-1].relative_error < 1e-5  # of a mean over 600 rows one row's share is small


def test_kinks_are_recognised_and_left_out():
    """Right at ReLU's kink differences and backward disagree, and neither is wrong."""
    net = nn.Sequential(nn.Linear(1, 1, init="constant", init_settings={"value": 1.0}), nn.ReLU())
    report = cmlp.gradcheck(net, [[0.0]], [[1.0]], "mse")
    assert (report.passed, report.kinks) == (True, 2)  # the bias and the input
    assert cmlp.gradcheck(net, [[0.5]], [[1.0]], "mse").kinks == 0
    step = nn.Sequential(nn.Linear(1, 1, init="ones"), nn.Step())
    assert cmlp.gradcheck(step, [[0.0]], [[1.0]], "mse").kinks == 2


def test_a_wrong_gradient_fails():
    """Differences over a step of 0.5 are far from the gradient, as a wrong gradient would be from them."""
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1), seed=1)
    report = cmlp.gradcheck(net, [[0.5, -0.25]], [[1.0]], "mse", h=0.5)
    assert not report
    assert not report.passed
    assert "failed: worst" in str(report)
    assert cmlp.gradcheck(net, [[0.5, -0.25]], [[1.0]], "mse", h=0.5, tolerance=1.0)
    assert "passed: worst" in str(cmlp.gradcheck(net, [[0.5, -0.25]], [[1.0]], nn.MSELoss()))


@pytest.mark.parametrize("mode", [True, False])
def test_the_network_is_left_as_it_was(mode, dtype):
    net = nn.Sequential(nn.Linear(4, 9), nn.Dropout(0.5), nn.Linear(9, 2), dtype=dtype).train(mode)
    net(np.ones((2, 4)))
    before, step = net.state_dict(), net._core.step
    report = cmlp.gradcheck(net, np.ones((5, 4)), [0, 1, 0, 1, 1], nn.CrossEntropyLoss())
    assert report.worst < LIMIT
    assert (net.training, net._core.step, net.dtype) == (mode, step, np.dtype(dtype))
    assert all((net.state_dict()[name] == value).all() for name, value in before.items())
    assert not any(parameter.grad.any() for parameter in net.parameters())


def test_the_report_is_a_table():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    report = cmlp.gradcheck(net, np.ones((2, 2)), np.ones((2, 1)), nn.MSELoss())
    lines = str(report).splitlines()
    assert [line.split()[0] for line in lines[1:]] == [
        *("0.weight", "0.bias", "1.weight", "1.bias", "input", "passed:")
    ]
    assert len({len(line) for line in lines[:-1]}) == 1
