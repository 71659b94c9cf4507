"""Schedules: values against their formulas, in fit by epoch and by step, states, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import _core, nn, optim
from cmlp.optim import lr_scheduler as s
from reference_schedules import SCHEDULES
from tolerance import assert_same_bits

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 4)), RNG.integers(0, 3, 60)
PARAMETERS = {
    "step": [7, 0.5],
    "multi_step": [0.3, 3, 10, 10, 31],
    "constant": [0.2, 11],
    "linear": [0.1, 0.9, 33],
    "exponential": [0.93],
    "polynomial": [40, 2.5],
    "cosine": [17, 0.01],
    "cosine_restarts": [4, 2, 0.01],
    "one_cycle": [100, 0.3, 0, 0, 0.02, 0.5, 0.001],
    "cyclic": [9, 4, 0, 1, 0.01, 0.2],
    "coslog4": [80],
    "flat_cos": [80, 0.5],
}
CASES = [
    *PARAMETERS.items(),
    ("one_cycle", [100, 0.3, 1, 0, 0.02, 0.5, 0.001]),
    ("one_cycle", [80, 0.4, 0, 1, 0.02, 0.5, 0.001]),
    ("one_cycle", [80, 0.25, 1, 1, 0.02, 0.5, 0.001]),
    ("cyclic", [9, 4, 1, 1, 0.01, 0.2]),
    ("cyclic", [5, 8, 2, 0.97, 0.01, 0.2]),
    ("cosine", [100, -0.5]),
    ("cosine_restarts", [7, 1, 0]),
]


def network(seed=0):
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), seed=seed)
    return net, optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)


def fit(net, optimizer, **options):
    return net.fit(X, Y, **{"loss": "cross_entropy", "optimizer": optimizer, "batch_size": 7, **options})


def values(net):
    return list(net.state_dict().values())


def test_every_schedule_has_its_oracle():
    names = [row["name"] for row in _core.schedules()]
    assert sorted(names) == sorted(SCHEDULES) == sorted(PARAMETERS)
    assert all(row["type"] in s.__all__ for row in _core.schedules())


@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_values(name, parameters):
    got = _core.schedule_table(name, parameters, 0.1, 0, 90)
    expected = [SCHEDULES[name](parameters, 0.1, n) for n in range(90)]
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)
    assert _core.schedule_table(name, parameters, 0.1, 30, 20) == got[30:50]


@pytest.mark.parametrize("interval", ["epoch", "step"])
def test_fit_is_the_loop_with_the_scheduler(interval):
    (net, sgd), (other, by_hand) = network(), network()
    scheduler = s.CosineAnnealingLR(sgd, 40, eta_min=0.01)
    loop = s.CosineAnnealingLR(by_hand, 40, eta_min=0.01)
    history = fit(net, sgd, epochs=4, scheduler=scheduler, scheduler_interval=interval, shuffle=False)
    rates = []
    criterion = nn.CrossEntropyLoss()
    for _ in range(4):
        for first in range(0, 60, 7):
            rates.append(by_hand.lr)
            other.train_step(X[first : first + 7], Y[first : first + 7], criterion, by_hand)
            if interval == "step":
                loop.step()
        if interval == "epoch":
            loop.step()
    assert history.history["lr"] == rates[8::9]
    assert (scheduler.last_epoch, scheduler.get_last_lr()) == (loop.last_epoch, loop.get_last_lr())
    assert_same_bits(values(net), values(other))


def test_a_continued_fit_follows_the_same_schedule():
    (net, sgd), (other, second) = network(), network()
    complete, halves = s.ExponentialLR(sgd, 0.8), s.ExponentialLR(second, 0.8)
    fit(net, sgd, epochs=6, scheduler=complete)
    fit(other, second, epochs=2, scheduler=halves)
    fit(other, second, epochs=6, initial_epoch=2, scheduler=halves)
    assert_same_bits(values(net), values(other))


def test_several_settings_at_once():
    net, sgd = network()
    recorded = []
    schedulers = [
        s.StepLR(sgd, 1, 0.5),
        s.FlatCosLR(sgd, 4, setting="weight_decay"),
        s.LinearLR(sgd, 1.0, 0.5, 3, setting="momentum"),
    ]
    look = [lambda _: recorded.append([sgd.param_groups[0][k] for k in ("lr", "weight_decay", "momentum")])]
    fit(net, sgd, epochs=4, scheduler=schedulers, callbacks=look)
    expected = [[0.1, 1e-3, 0.9], [0.05, 1e-3, 0.75], [0.025, 1e-3, 0.6], [0.0125, 5e-4, 0.45]]
    np.testing.assert_allclose(recorded, expected, rtol=1e-12)


def test_plateau_in_fit():
    net, sgd = network()
    plateau = s.ReduceLROnPlateau(sgd, patience=1, threshold=10.0, threshold_mode="abs", factor=0.5)
    rates = fit(net, sgd, epochs=7, scheduler=plateau, validation_data=(X, Y)).history["lr"]
    assert rates == [0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025]


def test_one_cycle_may_last_for_all_epochs():
    net, sgd = network()
    scheduler = s.OneCycleLR(sgd, 0.3, epochs=4, steps_per_epoch=9)
    fit(net, sgd, epochs=4, scheduler=scheduler, scheduler_interval="step")
    assert scheduler.last_epoch == 36
    with pytest.raises(ValueError, match="beyond the last of 36"):
        fit(net, sgd, epochs=4, scheduler=scheduler, scheduler_interval="step")


def test_no_epochs_leave_the_scheduler_where_it_was():
    net, sgd = network()
    scheduler = s.StepLR(sgd, 1)
    fit(net, sgd, epochs=2, initial_epoch=5, scheduler=scheduler)
    assert scheduler.last_epoch == 0
    with pytest.raises(ValueError, match="batch_size is 0"):
        fit(net, sgd, batch_size=0, scheduler=scheduler)


def test_a_callback_that_stops_leaves_the_scheduler_there():
    net, sgd = network()
    scheduler = s.StepLR(sgd, 1, 0.5)
    fit(net, sgd, epochs=9, scheduler=scheduler, callbacks=[lambda v: v["epoch"] < 2])
    assert (scheduler.last_epoch, scheduler.get_last_lr()) == (3, [0.0125])


def test_groups_keep_their_own_rates():
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    first, last = net[0].parameters(), net[2].parameters()
    sgd = optim.SGD([{"params": first, "lr": 0.5}, {"params": last}], lr=0.1)
    scheduler = s.LambdaLR(sgd, [lambda n: 1 / (n + 1), lambda n: 2.0])
    scheduler.step()
    assert scheduler.get_last_lr() == [0.25, 0.2]


@pytest.mark.parametrize(
    "kind", [lambda o: s.StepLR(o, 2), lambda o: s.OneCycleLR(o, 0.3, 50), s.ReduceLROnPlateau]
)
def test_states(kind):
    (_, one), (_, two) = network(), network()
    scheduler, other = kind(one), kind(two)
    arguments = [1.0] if kind is s.ReduceLROnPlateau else []
    for _ in range(13):
        scheduler.step(*arguments)
    other.load_state_dict(scheduler.state_dict())
    two.load_state_dict(one.state_dict())
    for _ in range(13):
        scheduler.step(*arguments), other.step(*arguments)
    assert scheduler.get_last_lr() == other.get_last_lr()
    assert scheduler.last_epoch == other.last_epoch


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda n, o: s.StepLR(o, 0), "parameter 0 is 0, it must be at least 1"),
        (lambda n, o: s.StepLR(o, 2, setting="beta9"), "SGD has no setting 'beta9'"),
        (lambda n, o: s.OneCycleLR(o, 0.1), "total_steps, or epochs and steps_per_epoch"),
        (lambda n, o: s.CyclicLR(o, 0.1, 0.2, mode="zigzag"), "mode is 'zigzag'; choose from triangular"),
        (lambda n, o: s.SequentialLR(o, [s.StepLR(o, 2)], [3]), "1 schedulers need 0 rising milestones"),
        (lambda n, o: s.ChainedScheduler([]), "there are no schedulers"),
        (lambda n, o: s.ReduceLROnPlateau(o, "low"), "mode is 'low'; choose from min, max"),
        (lambda n, o: fit(n, o, scheduler=3), "3 is not a scheduler"),
        (
            lambda n, o: fit(n, o, scheduler_interval="day"),
            "scheduler_interval is 'day'; choose from epoch, step",
        ),
        (lambda n, o: fit(n, o, scheduler=s.StepLR(network()[1], 2)), "StepLR is over another optimizer"),
        (lambda n, o: fit(n, o, epochs=9, scheduler=s.OneCycleLR(o, 0.1, 5)), "beyond the last of 5"),
        (
            lambda n, o: _core.schedule_table("steep", [], 0.1, 0, 1),
            "unknown schedule 'steep'; choose from step",
        ),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(*network())


ONE_OR_EACH = {
    "OneCycleLR": lambda o, x: s.OneCycleLR(o, x, 10).forms["lr"],
    "OneCycleLR's momentum": lambda o, x: s.OneCycleLR(o, 0.1, 10, base_momentum=x).forms["momentum"],
    "CyclicLR": lambda o, x: s.CyclicLR(o, x, 0.9).forms["lr"],
    "SWALR": lambda o, x: optim.swa_utils.SWALR(o, x).swa_lrs,
    "ReduceLROnPlateau": lambda o, x: s.ReduceLROnPlateau(o, min_lr=x).min_lrs,
}


@pytest.mark.parametrize("kind", ONE_OR_EACH)
def test_one_number_or_one_for_each_group(kind):
    def of(value):
        net, layer = network()[0], nn.Linear(2, 2)
        groups = [{"params": net.parameters()}, {"params": layer.parameters()}]
        return ONE_OR_EACH[kind](optim.SGD(groups, lr=0.1, momentum=0.5), value)

    for one in (np.float32(0.5), np.float64(0.5), np.array(0.5)):
        assert of(one) == of(0.5)
    for each in ((0.5, 0.25), np.array([0.5, 0.25]), [np.float32(0.5), np.float64(0.25)]):
        assert of(each) == of([0.5, 0.25])
    with pytest.raises(ValueError, match="has 3 values, the optimizer has 2 groups"):
        of([0.1, 0.2, 0.3])


def test_the_base_of_schedulers_is_none():
    class Own(s.LRScheduler):
        """A schedule as PyTorch's users write one."""

        def get_lr(self):
            return [0.1]

    optimizer = network()[0]
    for kind in (s.LRScheduler, Own):
        with pytest.raises(TypeError, match="LambdaLR"):
            kind(optim.SGD(optimizer.parameters(), lr=0.1))
