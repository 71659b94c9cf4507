"""What docs/pytorch.md lists and no other comparison covers: what PyTorch does, and what cmlp does."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from cmlp import nn, optim

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")
T = torch.nn
SIDES = ((optim, lambda: nn.Linear(1, 1, dtype="float64")), (torch.optim, lambda: T.Linear(1, 1).double()))


def of_each(run):
    """The result of run(optim module, layer) here and there."""
    return [run(module, layer()) for module, layer in SIDES]


def test_a_batch_that_is_not_finite_is_left_out_of_the_running_statistics():
    ours, theirs = nn.BatchNorm1d(1), T.BatchNorm1d(1)
    ours([[np.inf], [1.0]]), theirs(torch.tensor([[np.inf], [1.0]]))
    assert dict(ours.named_buffers())["running_mean"].tolist() == [0]
    assert not torch.isfinite(theirs.running_mean).any()
    assert dict(ours.named_buffers())["num_batches_tracked"].dtype == np.float32


@pytest.mark.parametrize(
    ("settings", "label"), [({}, -100), ({"weight": [0.0, 1.0]}, 0)], ids=["ignored", "weight 0"]
)
def test_the_mean_of_no_row_is_0(settings, label):
    tensors = {key: torch.tensor(value) for key, value in settings.items()}
    assert nn.CrossEntropyLoss(**settings)([[1.0, 2.0]], [label]) == 0
    assert math.isnan(T.CrossEntropyLoss(**tensors)(torch.tensor([[1.0, 2.0]]), torch.tensor([label])))


def test_targets_are_not_broadcast():
    y, t = np.array([[1.0], [2.0]]), np.array([1.0, 2.0])
    assert nn.MSELoss()(y, t) == 0
    assert T.MSELoss()(torch.tensor(y), torch.tensor(t)) == 0.5


def test_probabilities_out_of_range_are_nan():
    assert math.isnan(nn.BCELoss()([[1.5]], [[1.0]]))
    with pytest.raises(RuntimeError):
        T.BCELoss()(torch.tensor([[1.5]]), torch.tensor([[1.0]]))


def test_a_vector_is_a_row_to_xavier():
    bias = nn.init.xavier_uniform_(nn.Linear(3, 64).bias).data
    assert 0 < abs(bias).max() <= math.sqrt(6 / 65)
    with pytest.raises(ValueError, match="fewer than 2 dimensions"):
        T.init.xavier_uniform_(torch.zeros(64))


def test_eps_is_above_0():
    with pytest.raises(ValueError, match=r"eps is 0, it must be in \(0,inf\)"):
        optim.Adam(nn.Linear(1, 1).parameters(), eps=0.0)
    torch.optim.Adam(T.Linear(1, 1).parameters(), eps=0.0)


def test_a_parameter_without_a_gradient_decays():
    def run(module, layer):
        before = float(layer.weight.data[0, 0])
        module.SGD([layer.weight], lr=0.5, weight_decay=1.0).step()
        return float(layer.weight.data[0, 0]) / before

    assert of_each(run) == [0.5, 1.0]


def test_dampening_counts_from_the_step_that_momentum_is_switched_on():
    def run(module, layer):
        optimizer = module.SGD([layer.weight], lr=1.0, dampening=0.5)
        before = float(layer.weight.data[0, 0])
        for _ in range(2):
            layer.weight.grad = np.ones((1, 1)) if module is optim else torch.ones_like(layer.weight)
            optimizer.step()
            optimizer.param_groups[0]["momentum"] = 0.9
        return before - float(layer.weight.data[0, 0])

    assert of_each(run) == pytest.approx([1.5, 2.0])


def test_muon_takes_vectors():
    optim.Muon(nn.Linear(2, 2).parameters()).step()
    with pytest.raises(ValueError, match="2D parameters"):
        torch.optim.Muon(T.Linear(2, 2).parameters())


def test_a_rate_set_by_hand_holds_until_the_next_step_of_a_scheduler():
    def run(module, layer):
        sgd = module.SGD(layer.parameters(), lr=1.0)
        scheduler = module.lr_scheduler.ExponentialLR(sgd, 0.5)
        sgd.param_groups[0]["lr"] = 8.0
        scheduler.step()
        return sgd.param_groups[0]["lr"]

    assert of_each(run) == [0.5, 4.0]


def test_of_several_schedulers_the_last_counts():
    def run(module, layer):
        sgd = module.SGD(layer.parameters(), lr=1.0)
        for scheduler in [module.lr_scheduler.ExponentialLR(sgd, 0.5) for _ in range(2)]:
            scheduler.step()
        return sgd.param_groups[0]["lr"]

    assert of_each(run) == [0.5, 0.25]


def test_norms_of_gradients_are_1_2_and_infinity():
    with pytest.raises(ValueError, match="norm_type is 3, it must be 1, 2 or infinity"):
        nn.utils.clip_grad_norm_(nn.Linear(1, 1).parameters(), 1.0, 3)


def test_every_layer_and_loss_of_torch_is_here_or_listed():
    """Names of PyTorch's that neither cmlp.nn has nor docs/pytorch.md names, but for those of its groups."""
    page = (Path(__file__).parents[2] / "docs/pytorch.md").read_text(encoding="utf-8")
    groups = "Conv Pool Unpool Pad RNN GRU LSTM Transformer Norm2d Norm3d Upsampl Shuffle Unshuffle Fold"
    groups += (
        " Unfold Lazy Dropout2d Dropout3d LocalResponse CrossMap InstanceNorm Uninitialized Parameter Buffer"
    )
    groups += " DataParallel SyncBatchNorm Container Options"
    names = [name for name in dir(T) if name[0].isupper() and not any(g in name for g in groups.split())]
    assert [name for name in names if not hasattr(nn, name) and f"`{name}`" not in page] == []
    schedulers = [
        name for name, kind in vars(torch.optim.lr_scheduler).items()
        if isinstance(kind, type) and issubclass(kind, torch.optim.lr_scheduler.LRScheduler)
    ]  # fmt: skip
    missing = [
        name for name in schedulers if not hasattr(optim.lr_scheduler, name) and f"`{name}`" not in page
    ]
    assert [name for name in missing if not name.startswith("_")] == []
    rules = [name for name in dir(torch.optim) if name[0].isupper()]
    assert [name for name in rules if not hasattr(optim, name) and f"`{name}`" not in page] == []


def test_schedules_over_no_steps():
    def rates(make):
        def run(module, layer):
            sgd = module.SGD(layer.parameters(), lr=1.0)
            scheduler = make(module.lr_scheduler, sgd)
            return [
                scheduler.get_last_lr()[0],
                (sgd.step(), scheduler.step(), scheduler.get_last_lr()[0])[-1],
            ]

        return of_each(run)

    assert rates(lambda m, o: m.ConstantLR(o, 0.5, 0)) == [[1.0, 1.0], [0.5, 0.5]]
    assert rates(lambda m, o: m.LinearLR(o, 0.5, 1.0, 0)) == [[1.0, 1.0], [0.5, 0.5]]
    with pytest.raises(ValueError, match="must be at least 1"):
        optim.lr_scheduler.PolynomialLR(optim.SGD(nn.Linear(1, 1).parameters()), 0)


def test_the_step_after_the_last_of_one_cycle():
    def run(module, layer):
        sgd = module.SGD(layer.parameters(), lr=1.0, momentum=0.9)
        scheduler = module.lr_scheduler.OneCycleLR(sgd, 1.0, 4, anneal_strategy="linear")
        for _ in range(4):
            sgd.step(), scheduler.step()
        return scheduler.get_last_lr()[0]

    ours, theirs = of_each(run)
    assert (ours, theirs < 0) == (pytest.approx(1 / 25 / 1e4), True)


def test_a_chain_with_a_factor_of_0():
    sgd = optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    chain = optim.lr_scheduler.ChainedScheduler([optim.lr_scheduler.ConstantLR(sgd, 0.0, 1)])
    with pytest.raises(
        ValueError, match="ConstantLR: it is 0 at step 0, and a chain multiplies what it leaves"
    ):
        chain.step()
