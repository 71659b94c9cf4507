"""Parameter groups: made by kind and name, added later, honoured by explicit, fused and fitted steps."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import nn, optim
from cmlp.optim import lr_scheduler, swa_utils
from reference_optimizers import OPTIMIZERS
from tolerance import assert_close, assert_same_bits

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(50, 3)), RNG.normal(size=(50, 2))
FACTORS = {"Linear.bias": {"lr": 0.1, "weight_decay": 0.0}, "Scale.*": {"lr": 6.0}, "2.*": {"lr": 0.5}}


def network(dtype="float64"):
    return nn.Sequential(nn.Scale(3), nn.Tanh(), nn.Linear(3, 4), nn.Linear(4, 2), dtype=dtype)


def grouped(net):
    return optim.AdamW(optim.param_groups(net, FACTORS, lr=0.01, weight_decay=0.5))


def values(net):
    return list(net.state_dict().values())


def test_factors_multiply_by_kind_and_name():
    by_name = {
        p.name: (group["lr"], group["weight_decay"])
        for group in grouped(network()).param_groups
        for p in group["params"]
    }
    assert by_name == {
        "0.weight": (pytest.approx(0.06), 0.5),
        "2.weight": (0.005, 0.5),
        "2.bias": (pytest.approx(0.0005), 0.0),
        "3.weight": (0.01, 0.5),
        "3.bias": (pytest.approx(0.001), 0.0),
    }


def test_same_factors_share_a_group():
    groups = optim.param_groups(network(), {"*.bias": {"lr": 0.5}}, lr=1.0)
    assert [len(group["params"]) for group in groups] == [3, 2]
    part = optim.param_groups(network()[2], {"Linear.bias": {"lr": 0.5}, "weight": {"lr": 3.0}}, lr=1.0)
    assert [group["lr"] for group in part] == [3.0, 0.5]


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({"Linear.bais": {"lr": 0.1}}, "no parameter fits 'Linear.bais'"),
        ({"*.bias": {"momentum": 0.1}}, "factors of momentum, which is not given"),
    ],
)
def test_factors_that_do_nothing_are_refused(factors, message):
    with pytest.raises(ValueError, match=message):
        optim.param_groups(network(), factors, lr=0.1)


def test_steps_fused_steps_and_fit_honour_groups(dtype):
    loss = nn.MSELoss()
    explicit, fused, fitted, apart = (network(dtype) for _ in range(4))
    one, two, three = grouped(explicit), grouped(fused), grouped(fitted)
    others = [optim.AdamW(group["params"], **_settings(group)) for group in grouped(apart).param_groups]
    for _ in range(4):
        for net, optimizers in ((explicit, [one]), (apart, others)):
            net.zero_grad()
            loss(net(X), Y)
            net.backward(loss.backward())
            for optimizer in optimizers:
                optimizer.step()
        fused.train_step(X, Y, loss, two)
    fitted.fit(X, Y, loss=loss, optimizer=three, epochs=4, batch_size=50, shuffle=False, verbose=0)
    for net in (fused, fitted, apart):
        assert_same_bits(values(net), values(explicit))


def _settings(group):
    return {key: group[key] for key in ("lr", "weight_decay")}


def test_a_schedule_moves_every_group_from_its_own_rate():
    nets = [network(), network()]
    rules = [grouped(net) for net in nets]
    schedules = [lr_scheduler.ExponentialLR(rule, 0.5) for rule in rules]
    options = {"loss": "mse", "batch_size": 20, "verbose": 0}
    nets[0].fit(X, Y, optimizer=rules[0], epochs=3, scheduler=schedules[0], **options)
    for epoch in range(3):
        nets[1].fit(X, Y, optimizer=rules[1], epochs=epoch + 1, initial_epoch=epoch, **options)
        schedules[1].step()
    assert_same_bits(values(nets[0]), values(nets[1]))
    assert schedules[0].get_last_lr() == [rate / 8 for rate in schedules[0].base_lrs]
    assert len(set(schedules[0].get_last_lr())) == 5


def test_groups_against_the_formula():
    net = network()
    optimizer = optim.SGD(optim.param_groups(net, {"*.bias": {"lr": 0.0}}, lr=0.1), momentum=0.9)
    start, run = net.state_dict(), [RNG.normal(size=(4, 3)) for _ in range(5)]
    for g in run:
        for parameter in net.parameters():
            parameter.grad = np.resize(g, parameter.shape)
        optimizer.step()
    rule = {"lr": 0.1, "momentum": 0.9, "dampening": 0.0, "weight_decay": 0.0, "nesterov": 0, "maximize": 0}
    expected, state = start["2.weight"], {}
    for step, g in enumerate(run, 1):
        expected = OPTIMIZERS["sgd"](expected, g, state, step, **rule)
    assert_close(net.state_dict()["2.weight"], expected, "optimizer", "float64", scale=1)
    assert_same_bits(net.state_dict()["2.bias"], start["2.bias"])


@pytest.mark.parametrize("name", ["SGD", "Adam", "NAdam", "RAdam", "Rprop", "ASGD", "Adagrad", "Muon"])
def test_a_group_that_comes_later_is_as_on_its_own(name, dtype):
    make = getattr(optim, name)
    joint, apart = network(dtype), network(dtype)
    optimizer = make(joint[3].parameters())
    first, second = make(apart[3].parameters()), None
    for step in range(6):
        if step == 3:
            optimizer.add_param_group({"params": joint[2].parameters(), "lr": 0.3})
            second = make(apart[2].parameters(), lr=0.3)
        for net in (joint, apart):
            for parameter in net.parameters():
                parameter.grad = np.resize(np.cos(np.arange(5) + step), parameter.shape)
        for each in (optimizer, first, *([second] if second else [])):
            each.step()
    assert_same_bits(values(joint), values(apart))
    # and so after its state was kept
    again = make(joint[3].parameters())
    again.add_param_group({"params": joint[2].parameters()})
    again.load_state_dict(optimizer.state_dict())
    again.step(), first.step(), second.step()
    assert_same_bits(values(joint), values(apart))


def test_one_parameter_and_schedulers():
    net = network()
    sgd = optim.SGD(net[3].parameters(), lr=1.0)
    before = lr_scheduler.ExponentialLR(sgd, 0.5)
    sgd.add_param_group({"params": net[2].weight, "lr": 0.25})
    before.step()
    assert [group["lr"] for group in sgd.param_groups] == [0.5, 0.25]
    after = lr_scheduler.ExponentialLR(sgd, 0.5)
    assert after.base_lrs == [1.0, 0.25]
    averaging = swa_utils.SWALR(sgd, [0.1, 0.2], anneal_epochs=1)
    averaging.step()
    assert averaging.get_last_lr() == [0.1, 0.2]


def test_a_closure_is_called_first_and_its_value_returned():
    net, loss = network(), nn.MSELoss()
    optimizer = optim.SGD(net.parameters(), lr=0.1)

    def closure():
        optimizer.zero_grad()
        value = loss(net(X), Y)
        net.backward(loss.backward())
        return value

    first = optimizer.step(closure)
    assert first == loss(network()(X), Y)
    assert closure() < first
    assert optimizer.step() is None


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ({"params": []}, "there are no parameters"),
        ({"params": [np.ones(3)]}, "is not a Parameter"),
        ({"params": network("float32").parameters()}, "different dtypes"),
        ({"lr": 0.1}, "there are no parameters"),
    ],
)
def test_groups_that_do_not_fit_are_refused(group, message):
    optimizer = optim.SGD(network().parameters())
    with pytest.raises(ValueError, match=message):
        optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1


def test_a_parameter_twice_or_a_setting_unknown_is_refused():
    net = network()
    optimizer = optim.SGD(net[3].parameters())
    with pytest.raises(ValueError, match="SGD: a parameter is given twice"):
        optimizer.add_param_group({"params": net.parameters()})
    with pytest.raises(ValueError, match="beta1"):
        optimizer.add_param_group({"params": net[2].parameters(), "beta1": 0.5})
    assert len(optimizer.param_groups) == 1
    optimizer.step()


@pytest.mark.parametrize("joins", [False, True])
def test_zero_grad_is_of_all_groups_wherever_the_parameters_are(joins):
    layer, other = nn.Linear(2, 3), nn.Linear(3, 1)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    optimizer.add_param_group({"params": [other.weight]})
    if joins:
        nn.Sequential(layer, other)
    for parameter in (*layer.parameters(), *other.parameters()):
        parameter.grad[...] = 1
    optimizer.zero_grad()
    assert [float(abs(p.grad).max()) for p in (*layer.parameters(), *other.parameters())] == [0, 0, 0, 1]
