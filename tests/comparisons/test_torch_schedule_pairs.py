"""Schedulers against PyTorch: every pair of them, the shortest schedules, and runs that are resumed."""

from __future__ import annotations

import itertools

import pytest
from schedule_pairs import CASES, optimizers, same, series

from cmlp import nn, optim
from cmlp.optim import lr_scheduler

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

# Each scheduler as one of a pair; the base rate is 0.1.
PARTS = {
    "StepLR": lambda m, o: m.StepLR(o, 3, 0.5),
    "MultiStepLR": lambda m, o: m.MultiStepLR(o, [2, 5, 5, 9], 0.7),
    "ConstantLR": lambda m, o: m.ConstantLR(o, 0.1, 3),
    "LinearLR": lambda m, o: m.LinearLR(o, 0.2, 0.9, 6),
    "ExponentialLR": lambda m, o: m.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda m, o: m.PolynomialLR(o, 9, 1.5),
    "CosineAnnealingLR": lambda m, o: m.CosineAnnealingLR(o, 8, 0.001),
    "LambdaLR": lambda m, o: m.LambdaLR(o, lambda n: 1 / (n + 1)),
    "CosineAnnealingWarmRestarts": lambda m, o: m.CosineAnnealingWarmRestarts(o, 3, 2, 0.002),
    "OneCycleLR": lambda m, o: m.OneCycleLR(o, 0.5, 30, cycle_momentum=False),
    "CyclicLR": lambda m, o: m.CyclicLR(o, 0.01, 0.2, 4, cycle_momentum=False),
    "SWALR": lambda m, o: (optim if m is lr_scheduler else torch.optim).swa_utils.SWALR(o, 0.03, 4),
}
PAIRS = list(itertools.product(PARTS, PARTS))


def pair(first, second, join, steps):
    """Return both series of two schedulers on one optimizer, joined; None for one that falls below 0."""

    def run(module, optimizer):
        parts = [PARTS[first](module, optimizer), PARTS[second](module, optimizer)]
        return series(join(module, optimizer, parts), optimizer, steps)

    ours, theirs = optimizers()
    expected = run(torch.optim.lr_scheduler, theirs)
    if min(expected) >= 0:
        return run(lr_scheduler, ours), expected
    with pytest.raises(ValueError, match=r"lr is -.*, it must be in \[0,inf\)"):
        run(lr_scheduler, ours)
    return [], []


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_every_pair_chained(first, second):
    ours, theirs = pair(first, second, lambda m, o, parts: m.ChainedScheduler(parts), 24)
    made_later = second == "CyclicLR" and first != "CyclicLR"  # PyTorch's first rate is the initial one then
    same(ours[made_later:], theirs[made_later:])


@pytest.mark.parametrize("milestone", [0, 1, 7])
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_every_pair_in_sequence(first, second, milestone):
    same(*pair(first, second, lambda m, o, parts: m.SequentialLR(o, parts, [milestone]), 20))


def test_a_sequence_in_a_chain():
    def build(module, optimizer):
        warm_up = module.LinearLR(optimizer, 0.1, total_iters=4), module.CosineAnnealingLR(optimizer, 9, 0.01)
        parts = module.SequentialLR(optimizer, list(warm_up), [4]), module.StepLR(optimizer, 5, 0.5)
        return module.ChainedScheduler(list(parts))

    ours, theirs = optimizers()
    same(
        series(build(lr_scheduler, ours), ours, 14),
        series(build(torch.optim.lr_scheduler, theirs), theirs, 14),
    )


# The shortest schedules, and steps far past their ends.
EDGES = [
    ("StepLR", {"step_size": 1, "gamma": 0.0}),
    ("MultiStepLR", {"milestones": []}),
    ("MultiStepLR", {"milestones": [0]}),
    ("ConstantLR", {"total_iters": 1}),
    ("LinearLR", {"total_iters": 1}),
    ("LinearLR", {"end_factor": 0.0}),
    ("PolynomialLR", {"total_iters": 1}),
    ("PolynomialLR", {"power": 0.0}),
    ("CosineAnnealingLR", {"T_max": 1}),
    ("CosineAnnealingLR", {"T_max": 2, "eta_min": 0.2}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 2}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.2, "step_size_up": 1}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.2, "step_size_up": 1, "mode": "triangular2"}),
    ("ExponentialLR", {"gamma": 1.0}),
]


@pytest.mark.parametrize(("name", "settings"), EDGES)
def test_edges(name, settings):
    ours, theirs = optimizers()
    mine = getattr(lr_scheduler, name)(ours, **settings)
    reference = getattr(torch.optim.lr_scheduler, name)(theirs, **settings)
    same(series(mine, ours), series(reference, theirs))


@pytest.mark.parametrize("settings", [{"pct_start": 0.0}, {"pct_start": 1.0}, {"three_phase": True}, {}])
@pytest.mark.parametrize("total", [1, 2, 9])
def test_one_cycle_to_its_last_step(settings, total):
    if (settings.get("three_phase") and total < 9) or (settings.get("pct_start") == 1 and total == 1):
        pytest.skip("PyTorch divides by the length of a phase of no steps")
    ours, theirs = optimizers()
    mine = lr_scheduler.OneCycleLR(ours, 0.5, total, **settings)
    reference = torch.optim.lr_scheduler.OneCycleLR(theirs, 0.5, total, **settings)
    rates = []
    for step in range(total):
        rates.append((mine.get_last_lr(), reference.get_last_lr()))
        if step + 1 < total:
            theirs.step(), mine.step(), reference.step()
    same(*zip(*rates, strict=True))


@pytest.mark.parametrize("setting", ["lr", "weight_decay"])
@pytest.mark.parametrize(("name", "settings"), [c for c in CASES if c[0] not in ("OneCycleLR", "CyclicLR")])
def test_resumed_by_last_epoch(name, settings, setting):
    """The optimizer's state, and a new scheduler with ``last_epoch``: the rates of the uninterrupted run."""

    def optimizer():
        ours, _ = optimizers()
        ours.add_param_group({"params": nn.Linear(2, 1, dtype="float64").parameters(), "lr": 0.3})
        ours.param_groups[0]["weight_decay"], ours.param_groups[1]["weight_decay"] = 0.1, 0.01
        return ours

    def values(scheduler, steps):
        rows = []
        for _ in range(steps):
            rows.append(scheduler.get_last_lr())
            scheduler.step()
        return rows

    make = getattr(lr_scheduler, name)
    complete = optimizer()
    scheduler = make(complete, **settings, setting=setting)
    values(scheduler, 5)
    saved = complete.state_dict()
    resumed = optimizer()
    resumed.load_state_dict(saved)
    same(values(make(resumed, **settings, last_epoch=4, setting=setting), 20), values(scheduler, 20))
    if setting == "lr":
        _, theirs = optimizers()
        for group, other in zip(theirs.param_groups, resumed.param_groups, strict=False):
            assert other["initial_lr"] == group["lr"]


@pytest.mark.parametrize(("name", "settings"), [c for c in CASES if c[0] in ("OneCycleLR", "CyclicLR")])
def test_cycles_resumed_by_last_epoch(name, settings):
    complete, resumed = optimizers()[0], optimizers()[0]
    make = getattr(lr_scheduler, name)
    scheduler = make(complete, **settings)
    series(scheduler, complete, 5)
    resumed.load_state_dict(complete.state_dict())
    same(series(make(resumed, **settings, last_epoch=4), resumed, 20), series(scheduler, complete, 20))
