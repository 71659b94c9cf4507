"""One object a parameter, modules in one place or shared, reprs that evaluate, copies that are equal."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import cmlp
from cmlp import nn, optim
from every_object import EVERY_LOSS, EVERY_MODULE, EVERY_OPTIMIZER, STOPPING
from tolerance import assert_same_bits

COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda thing: pickle.loads(pickle.dumps(thing))}
NAMES = {**vars(nn), **vars(optim), "EarlyStopping": cmlp.EarlyStopping}
X = np.linspace(0.0, 1.0, 12).reshape(4, 3)


def pair():
    layer = nn.Linear(3, 2)
    return layer, nn.Sequential(layer, nn.Tanh(), nn.Linear(2, 1))


STEPPING = [name for name in EVERY_OPTIMIZER if name not in ("LBFGS", "LevenbergMarquardt")]


# ---- parameters


def test_a_parameter_is_one_object():
    layer, net = pair()
    assert net[0].weight is net[0].weight is layer.weight
    assert net.parameters()[0] is layer.parameters()[0]
    assert len({*net.parameters(), *layer.parameters()}) == 4
    assert {net[0].weight: 1}[layer.weight] == 1
    assert_same_bits(np.asarray(layer.weight), layer.weight.data)
    assert np.asarray(layer.weight, dtype="float64").dtype == np.float64


def test_a_parameter_taken_earlier_is_that_of_the_network():
    layer = nn.Linear(3, 2)
    weight = layer.weight
    weight.data = np.ones((2, 3))
    net = nn.Sequential(nn.Sequential(layer), nn.Linear(2, 1), dtype="float64")
    weight.data[0, 0] = 5.0
    assert (net[0][0].weight is weight, weight.name, weight.dtype) == (True, "0.0.weight", np.float64)
    assert net.state_dict()["0.0.weight"][0].tolist() == [5.0, 1.0, 1.0]


@pytest.mark.parametrize("how", COPIES)
def test_copies_of_parameters(how):
    _, net = pair()
    twin, weight, again = COPIES[how]((net, net[0].weight, net[0].weight))
    assert weight is again is twin[0].weight
    assert_same_bits(weight.data, net[0].weight.data)
    weight.data[...] = 0
    assert net[0].weight.data.any()


def test_gradients_are_taken_along():
    layer = nn.Linear(3, 2)
    optim.SGD(layer.parameters(), lr=0.1)
    layer.weight.data[...] = 1.0
    layer(X)
    layer.backward(np.ones((4, 2)))
    before = layer.weight.grad.copy()
    nn.Sequential(layer)
    assert_same_bits(layer.weight.grad, before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", STEPPING)
def test_an_optimizer_goes_on_when_its_layer_joins_a_network(name, dtype):
    """As a lone layer would continue: with the same bits where the precision stays."""

    def step(layer, optimizer):
        layer.weight.grad, layer.bias.grad = np.full((5, 3), 0.5), np.arange(5.0)
        optimizer.step()

    alone, joined = nn.Linear(3, 5, seed=1), nn.Linear(3, 5, seed=1)
    optimizers = [EVERY_OPTIMIZER[name](layer.parameters()) for layer in (alone, joined)]
    step(alone, optimizers[0]), step(joined, optimizers[1])
    net = nn.Sequential(nn.Linear(3, 3), joined, nn.Linear(5, 1), dtype=dtype)
    step(alone, optimizers[0]), step(joined, optimizers[1])
    optimizers[1].zero_grad()
    assert not net[1].weight.grad.any()
    np.testing.assert_allclose(joined.weight.data, alone.weight.data, rtol=0 if dtype == "float32" else 1e-5)
    steps = [optimizer.state_dict()["steps"] for optimizer in optimizers]
    assert steps == [2, 2]


@pytest.mark.parametrize("name", ["LBFGS", "LevenbergMarquardt"])
def test_a_rule_over_all_rows_goes_on_when_its_layer_joins_a_network(name):
    layer = nn.Linear(3, 1, dtype="float64")
    rule = EVERY_OPTIMIZER[name](layer.parameters())
    net = nn.Sequential(layer, dtype="float64")
    before = net.state_dict()
    net.fit(X, X.sum(axis=1), loss="mse", optimizer=rule, epochs=3)
    assert (net.state_dict()["0.weight"] != before["0.weight"]).any()


# ---- modules in several places


def test_a_module_stands_in_one_place_unless_it_may_be_shared():
    tanh, dropout = nn.Tanh(), nn.Dropout(0.5)
    a, b = nn.Sequential(nn.Linear(3, 3), tanh, tanh), nn.Sequential(tanh)
    assert a[1] is a[2] is b[0]
    a.eval()
    assert (a[1].training, a.training, b.training) == (False, False, True)
    assert_same_bits(b(X.astype("float32")), nn.Tanh()(X.astype("float32")))
    with pytest.raises(ValueError, match="stands in several places"):
        tanh.backward(X)
    nn.Sequential(dropout)
    for twice in ((dropout,), (fresh := nn.Dropout(0.5), fresh)):
        with pytest.raises(ValueError, match=r"Dropout, already belongs .* or stands here twice"):
            nn.Sequential(*twice)


def test_settings_of_a_shared_module_are_those_of_all_its_places():
    leaky = nn.LeakyReLU(0.5)
    a, b = nn.Sequential(leaky, leaky), nn.Sequential(leaky)
    leaky.negative_slope = 0.25
    x = [[-16.0]]
    assert [float(net(x)[0, 0]) for net in (a, b, leaky)] == [-1.0, -4.0, -4.0]
    assert float(a.predict(x)[0, 0]) == -1.0


# ---- reprs and copies


@pytest.mark.parametrize("name", EVERY_MODULE)
def test_reprs_of_modules_evaluate(name):
    module = EVERY_MODULE[name]()
    again = eval(repr(module), dict(NAMES))
    assert (type(again), repr(again)) == (type(module), repr(module))
    assert again._specs() == module._specs()
    assert_same_bits(list(again.state_dict().values()), list(module.state_dict().values()))


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("name", EVERY_MODULE)
def test_copies_of_modules(name, how):
    module = EVERY_MODULE[name]()
    for values in module.state_dict().values():
        assert values.dtype == module._numbers.dtype
    module.eval()
    twin = COPIES[how](module)
    assert (repr(twin), twin.training) == (repr(module), False)
    assert_same_bits(list(twin.state_dict().values()), list(module.state_dict().values()))


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("name", EVERY_LOSS)
def test_reprs_and_copies_of_losses(name, how):
    loss = EVERY_LOSS[name]()
    for again in (eval(repr(loss), dict(NAMES)), COPIES[how](loss), copy.copy(loss)):
        assert (type(again), repr(again)) == (type(loss), repr(loss))
        assert (again.settings, again._core.column) == (loss.settings, loss._core.column)


def test_repr_of_early_stopping_evaluates():
    stopping = STOPPING["EarlyStopping"]()
    assert repr(eval(repr(stopping), dict(NAMES))) == repr(stopping)


@pytest.mark.parametrize("name", EVERY_OPTIMIZER)
def test_reprs_of_optimizers_evaluate(name):
    _, net = pair()
    optimizer = EVERY_OPTIMIZER[name](net.parameters())
    again = eval(repr(optimizer), {**NAMES, "params": net.parameters()})
    assert (type(again), repr(again)) == (type(optimizer), repr(optimizer))


def test_the_repr_of_groups_evaluates():
    _, net = pair()
    groups = [
        {"params": net[0].parameters(), "lr": 0.5},
        {"params": net[2].parameters(), "betas": (0.5, 0.5)},
    ]
    adam = optim.Adam(groups, lr=0.25)
    again = eval(repr(adam), {**NAMES, "params": net.parameters()})
    assert repr(again) == repr(adam)
    assert [group["lr"] for group in again.param_groups] == [0.5, 0.25]


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("name", EVERY_OPTIMIZER)
def test_copies_of_optimizers_with_their_network_go_on_alike(name, how):
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1), dtype="float64", seed=1)
    optimizer, y = EVERY_OPTIMIZER[name](net.parameters()), X.sum(axis=1)
    net.fit(X, y, loss="mse", optimizer=optimizer, epochs=2)
    twin, its = COPIES[how]((net, optimizer))
    assert its.param_groups[0]["params"][0] is twin[0].weight
    for each, rule in ((net, optimizer), (twin, its)):
        each.fit(X, y, loss="mse", optimizer=rule, epochs=2)
    assert_same_bits(list(twin.state_dict().values()), list(net.state_dict().values()))
    with pytest.raises(TypeError, match="state_dict"):
        copy.copy(optimizer)


@pytest.mark.parametrize("how", COPIES)
def test_copies_of_schedulers(how):
    _, net = pair()
    adam = optim.Adam(net.parameters(), lr=1.0)
    scheduler = optim.lr_scheduler.StepLR(adam, 2, gamma=0.5)
    scheduler.step()
    its, twin = COPIES[how]((adam, scheduler))
    assert twin.optimizer is its
    scheduler.step(), twin.step()
    assert (its.lr, adam.lr) == (0.5, 0.5)


# ---- lone modules


@pytest.mark.parametrize("name", [name for name in EVERY_MODULE if not EVERY_MODULE[name]()._has_parameters])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lone_modules_without_parameters_follow_their_input(name, dtype):
    module, x = EVERY_MODULE[name]().eval(), np.linspace(-1, 1, 8).reshape(2, 4).astype(dtype)
    other = "float64" if dtype == "float32" else "float32"
    assert module(x.astype(other)).dtype == other
    y = module(x)
    assert y.dtype == module.backward(np.ones_like(y)).dtype == dtype
    assert_same_bits(y, nn.Sequential(EVERY_MODULE[name](), dtype=dtype).eval()(x))


@pytest.mark.parametrize("how", COPIES)
def test_copies_of_averaged_models(how):
    _, net = pair()
    averaged = optim.swa_utils.AveragedModel(net, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.75))
    averaged.update_parameters(net)
    twin = COPIES[how](averaged)
    net[0].weight.data[...] = 0
    averaged.update_parameters(net), twin.update_parameters(net)
    assert_same_bits(list(twin.state_dict().values()), list(averaged.state_dict().values()))
