"""Schedulers against PyTorch: the values of every step to 1e-10."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from schedule_pairs import CASES, STEPS, optimizers, same, series

from cmlp import nn, optim
from cmlp.optim import lr_scheduler

torch = pytest.importorskip("torch")
warnings.filterwarnings("ignore", module="torch")


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_every_step(name, settings):
    ours, theirs = optimizers()
    mine = getattr(lr_scheduler, name)(ours, **settings)
    reference = getattr(torch.optim.lr_scheduler, name)(theirs, **settings)
    same(mine.get_last_lr(), reference.get_last_lr())
    same(series(mine, ours), series(reference, theirs))


@pytest.mark.parametrize(("name", "settings"), [c for c in CASES if c[0] in ("OneCycleLR", "CyclicLR")])
def test_momentum_of_cycles(name, settings):
    ours, theirs = optimizers()
    mine = getattr(lr_scheduler, name)(ours, **settings)
    reference = getattr(torch.optim.lr_scheduler, name)(theirs, **settings)
    same(series(mine, ours, key="momentum"), series(reference, theirs, key="momentum"))


def test_betas_of_one_cycle():
    ours = optim.Adam(nn.Linear(2, 1).parameters())
    theirs = torch.optim.Adam([torch.zeros(2, requires_grad=True)])
    mine = lr_scheduler.OneCycleLR(ours, 0.1, 61)
    reference = torch.optim.lr_scheduler.OneCycleLR(theirs, 0.1, 61)
    for _ in range(STEPS):
        same(ours.param_groups[0]["betas"], theirs.param_groups[0]["betas"])
        ours.step(), theirs.step(), mine.step(), reference.step()


def build(module, optimizer, kind):
    if kind == "chained":
        parts = [module.ConstantLR(optimizer, 0.1, 8), module.ExponentialLR(optimizer, 0.95)]
        return module.ChainedScheduler([*parts, module.CosineAnnealingLR(optimizer, 80)])
    parts = [module.LinearLR(optimizer, 0.1, total_iters=10), module.CosineAnnealingLR(optimizer, 30, 0.001)]
    return module.SequentialLR(optimizer, [*parts, module.StepLR(optimizer, 5)], [10, 35])


@pytest.mark.parametrize("kind", ["chained", "sequential"])
def test_compounds(kind):
    ours, theirs = optimizers()
    mine, reference = build(lr_scheduler, ours, kind), build(torch.optim.lr_scheduler, theirs, kind)
    same(series(mine, ours), series(reference, theirs))


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize(
    "settings", [{}, {"threshold_mode": "abs", "cooldown": 2}, {"min_lr": 0.03, "factor": 0.5}]
)
def test_plateau(mode, settings):
    ours, theirs = optimizers()
    mine = lr_scheduler.ReduceLROnPlateau(ours, mode, patience=2, **settings)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, mode, patience=2, **settings)
    for value in np.random.default_rng(0).normal(size=80):
        mine.step(value), reference.step(value)
        same(mine.get_last_lr(), reference.get_last_lr())
        assert mine.num_bad_epochs == reference.num_bad_epochs
