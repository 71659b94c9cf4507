"""Parameter groups, SWALR and update_bn against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import nn, optim

torch = pytest.importorskip("torch")

RULES = [
    "SGD",
    "Adam",
    "AdamW",
    "NAdam",
    "RAdam",
    "Adamax",
    "Adagrad",
    "Adadelta",
    "RMSprop",
    "Rprop",
    "ASGD",
]


@pytest.fixture(autouse=True)
def scalars_in_float64():
    """PyTorch keeps NAdam's and ASGD's numbers of a step in its default precision."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def pair():
    ours = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2), dtype="float64")
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
    theirs.load_state_dict({key: torch.tensor(value) for key, value in ours.state_dict().items()})
    return ours, theirs


def optimizers(name, ours, theirs):
    """Of the first layer, the last to come later."""
    return [
        getattr(module, name)([{"params": list(net[0].parameters()), "lr": 0.03}], lr=0.01)
        for module, net in ((optim, ours), (torch.optim, theirs))
    ]


@pytest.mark.parametrize("name", RULES)
def test_sixty_steps_with_a_group_that_comes_later(name):
    ours, theirs = pair()
    rules = optimizers(name, ours, theirs)
    rng = np.random.default_rng(1)
    for step in range(60):
        if step == 20:
            for rule, net in zip(rules, (ours, theirs), strict=True):
                rule.add_param_group({"params": list(net[2].parameters())})
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            a.grad = rng.normal(size=a.shape)
            b.grad = torch.tensor(a.grad)
        for rule in rules:
            rule.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-9, atol=1e-9)
    assert [g["lr"] for g in rules[0].param_groups] == [g["lr"] for g in rules[1].param_groups]


@pytest.mark.filterwarnings("ignore:Detected call of")
@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("epochs", [0, 1, 10])
def test_swalr_after_another_schedule(strategy, epochs):
    ours, theirs = pair()
    series = []
    for module, rule in zip((optim, torch.optim), optimizers("SGD", ours, theirs), strict=True):
        first = module.lr_scheduler.StepLR(rule, 3, 0.5)
        then = module.swa_utils.SWALR(rule, 0.05, anneal_epochs=epochs, anneal_strategy=strategy)
        rates = []
        for n in range(30):
            rates.append(rule.param_groups[0]["lr"])
            (first if n < 8 and epochs else then).step()
        series.append(rates)
    np.testing.assert_allclose(series[0], series[1], rtol=1e-10)


def test_update_bn():
    ours, theirs = pair()
    batches = [np.random.default_rng(seed).normal(2, 3, (count, 3)) for seed, count in enumerate((5, 9, 7))]
    optim.swa_utils.update_bn(batches, ours)
    torch.optim.swa_utils.update_bn([(torch.tensor(x), 0) for x in batches], theirs)
    for key, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[key], value.numpy(), rtol=1e-10)
