"""Update rules against PyTorch: arguments, defaults and sixty steps with every option."""

from __future__ import annotations

import importlib
import inspect

import numpy as np
import pytest

from cmlp import nn, optim

torch = pytest.importorskip("torch")

STEPS = 60
LIMIT = {"float32": 2e-5, "float64": 1e-9}  # relative to the largest weight
DECAYS = [{}, {"lr": 0.1}, {"weight_decay": 0.3}, {"lr": 0.05, "weight_decay": 0.1, "maximize": True}]
MEANS = [*DECAYS, {"betas": (0.5, 0.9)}, {"eps": 0.1}]
APART = [{"weight_decay": 0.3, "decoupled_weight_decay": True}]
ADAM = [
    *MEANS,
    {"amsgrad": True, "betas": (0.9, 0.5)},
    {"amsgrad": True, "maximize": True, "weight_decay": 0.2},
]
SETTINGS = {
    "SGD": [
        *DECAYS,
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.5},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    ],
    "Adam": [*ADAM, *APART],
    "AdamW": ADAM,
    "NAdam": [*MEANS, *APART, {"momentum_decay": 0.1}],
    "RAdam": [*MEANS, *APART, {"betas": (0.9, 0.99)}],
    "Adamax": MEANS,
    "Adagrad": [*DECAYS, {"lr_decay": 0.1}, {"initial_accumulator_value": 1.0}, {"eps": 0.1}],
    "Adadelta": [*DECAYS, {"rho": 0.5}, {"eps": 0.1}],
    "RMSprop": [
        *DECAYS,
        {"alpha": 0.5},
        {"eps": 0.1},
        {"momentum": 0.9},
        {"centered": True},
        {"centered": True, "momentum": 0.5, "alpha": 0.9, "weight_decay": 0.1},
    ],
    "Rprop": [{}, {"lr": 0.1}, {"etas": (0.25, 1.5)}, {"step_sizes": (0.005, 0.02)}, {"maximize": True}],
    "ASGD": [*DECAYS, {"lambd": 0.5}, {"alpha": 2.0, "lambd": 0.1}, {"t0": 10.0}],
}
SETTINGS["Muon"] = [
    {},
    {"lr": 0.1, "weight_decay": 0.0},
    {"momentum": 0.5, "nesterov": False},
    {"ns_coefficients": (3.0, -3.2, 1.2), "ns_steps": 3},
    {"eps": 10.0, "adjust_lr_fn": "match_rms_adamw"},
    {"adjust_lr_fn": "original"},
]
CASES = [(name, settings) for name, every in SETTINGS.items() for settings in every]
# Of graphics cards, of compiled graphs, or of how PyTorch loops: nothing here for them to choose.
OURS = {"SGD": {"velocity_mode"}, "Adam": {"eps_mode"}, "AdamW": {"eps_mode"}, "Muon": {"betas", "adam_eps"}}
MACHINERY = {"foreach", "capturable", "differentiable", "fused"}


@pytest.fixture(autouse=True)
def muon_in_its_weights_precision(monkeypatch):
    """PyTorch iterates in bfloat16: its own function with that one call taken out."""
    module = importlib.import_module("torch.optim._muon")
    name = "_zeropower_via_newtonschulz"
    source = inspect.getsource(getattr(module, name)).replace("grad.bfloat16()", "grad.clone()")
    space = dict(vars(module))
    exec(source, space)
    monkeypatch.setattr(module, name, space[name])


@pytest.fixture(autouse=True)
def scalars_in_float64():
    """PyTorch keeps NAdam's and ASGD's numbers of a step in its default precision."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def gradients(dtype, rng):
    return (rng.choice([0, 1e-3, 1, 10], size=(STEPS, 3, 5)) * rng.normal(size=(STEPS, 3, 5))).astype(dtype)


def theirs_walked(name, settings, start, run):
    w = torch.tensor(start, requires_grad=True)
    optimizer = getattr(torch.optim, name)([w], **settings)
    for g in run:
        w.grad = torch.tensor(g)
        optimizer.step()
    return w.detach().numpy(), optimizer.state[w]


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_sixty_steps(name, settings, dtype, rng):
    layer = nn.Linear(5, 3, bias=False, dtype=dtype, seed=3)
    optimizer = getattr(optim, name)(layer.parameters(), **settings)
    run = gradients(dtype, rng)
    expected, state = theirs_walked(name, settings, layer.weight.data.copy(), run)
    for g in run:
        layer.weight.grad = g
        optimizer.step()
    limit = LIMIT[dtype] * (1 + abs(expected).max())
    np.testing.assert_allclose(layer.weight.data, expected, rtol=0, atol=limit)
    if name == "ASGD":
        average = optimizer.state_dict()["state"][0][:15].reshape(5, 3).T
        np.testing.assert_allclose(average, state["ax"].numpy(), rtol=0, atol=limit)


def rosenbrock(w):
    """Value and gradient of Rosenbrock's valley in six dimensions."""
    a, b = w[:-1], w[1:]
    g = np.zeros_like(w)
    g[:-1] = -400 * a * (b - a * a) - 2 * (1 - a)
    g[1:] += 200 * (b - a * a)
    return np.sum(100 * (b - a * a) ** 2 + (1 - a) ** 2), g


@pytest.mark.parametrize(
    "settings",
    [
        {"line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 7},
        {"line_search_fn": "strong_wolfe", "lr": 0.1, "max_eval": 9},
        {"lr": 1e-3},
        {"lr": 1e-3, "max_iter": 4, "history_size": 3},
        {"line_search_fn": "strong_wolfe", "tolerance_grad": 10.0},
        {"line_search_fn": "strong_wolfe", "tolerance_change": 0.5},
    ],
)
def test_lbfgs(settings):
    start = np.array([[-1.2, 1.0, -0.5, 0.8, 1.5, -1.0]])
    layer = nn.Linear(6, 1, bias=False, dtype="float64")
    layer.weight.data = start
    w = torch.tensor(start, requires_grad=True)
    ours = optim.LBFGS(layer.parameters(), **settings)
    theirs = torch.optim.LBFGS([w], **settings)
    calls = {"ours": 0, "theirs": 0}

    def our_closure():
        calls["ours"] += 1
        f, g = rosenbrock(layer.weight.data[0])
        layer.weight.grad = [g]
        return f

    def their_closure():
        calls["theirs"] += 1
        f, g = rosenbrock(w.detach().numpy()[0])
        w.grad = torch.tensor(g[None])
        return f

    for _ in range(4):
        assert ours.step(our_closure) == pytest.approx(float(theirs.step(their_closure)), rel=1e-8, abs=1e-9)
        np.testing.assert_allclose(layer.weight.data, w.detach().numpy(), rtol=0, atol=1e-7)
        assert calls["ours"] == calls["theirs"]


@pytest.mark.parametrize("name", [*SETTINGS, "LBFGS"])
def test_arguments_order_and_defaults(name):
    def arguments(owner):
        return {
            key: p.default
            for key, p in inspect.signature(getattr(owner, name)).parameters.items()
            if key not in MACHINERY | OURS.get(name, set())
        }

    ours, theirs = arguments(optim), arguments(torch.optim)
    assert list(ours) == list(theirs)
    ours.pop("params"), theirs.pop("params")
    assert ours == theirs


@pytest.mark.parametrize("name", ["Adam", "NAdam", "ASGD", "RMSprop"])
def test_groups_and_a_changed_rate(name, rng):
    net = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2), dtype="float64", seed=1)
    twins = [torch.tensor(p.data.copy(), requires_grad=True) for p in net.parameters()]
    extra = {"lr": 0.3, "weight_decay": 0.2}
    ours = getattr(optim, name)([{"params": net[0].parameters()}, {"params": net[1].parameters(), **extra}])
    theirs = getattr(torch.optim, name)([{"params": twins[:2]}, {"params": twins[2:], **extra}])
    for step in range(20):
        for p, q in zip(net.parameters(), twins, strict=True):
            g = rng.normal(size=p.shape)
            p.grad, q.grad = g, torch.tensor(g)
        for optimizer in (ours, theirs):
            optimizer.param_groups[0]["lr"] = 0.1 / (1 + step)
            optimizer.step()
    for p, q in zip(net.parameters(), twins, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=0, atol=1e-10)
