"""BatchNorm1d: running statistics, what may not touch them, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import nn, optim
from tolerance import assert_close, assert_same_bits


def batches(count, dtype="float64"):
    return np.random.default_rng(3).normal(2, 3, (count, 16, 4)).astype(dtype)


@pytest.mark.parametrize("momentum", [0.1, 0.0, 1.0, None])
def test_running_statistics(momentum, dtype, isa):
    layer = nn.BatchNorm1d(4, momentum=momentum, dtype=dtype)
    mean, var = np.zeros(4), np.ones(4)
    for count, x in enumerate(batches(5, dtype), 1):
        layer(x)
        share = 1 / count if momentum is None else momentum
        mean = (1 - share) * mean + share * x.astype(float).mean(axis=0)
        var = (1 - share) * var + share * x.astype(float).var(axis=0, ddof=1)
    buffers = dict(layer.named_buffers())
    assert_close(buffers["running_mean"], mean, "forward", dtype, scale=1)
    assert_close(buffers["running_var"], var, "forward", dtype, scale=1)
    assert (buffers["num_batches_tracked"].shape, float(buffers["num_batches_tracked"])) == ((), 5)


def test_names_and_shapes_are_pytorchs():
    net = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2))
    names = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert list(net.state_dict()) == [*(f"0.{name}" for name in names), "1.weight", "1.bias"]
    assert [value.shape for value in net.state_dict().values()] == [(3,)] * 4 + [(), (2, 3), (2,)]
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert [name for name, _ in net.named_buffers()] == [f"0.{name}" for name in names[2:]]
    assert net.n_parameters == 6 + 8
    with pytest.raises(ValueError, match=r"has no 0\.running_mean"):
        net.load_state_dict({key: v for key, v in net.state_dict().items() if key != "0.running_mean"})


def test_evaluation_changes_nothing_and_prediction_too():
    net = nn.Sequential(nn.BatchNorm1d(4), dtype="float64")
    net(batches(1)[0])
    before = net.state_dict()
    net.predict(batches(1)[0])
    net.eval()(batches(1)[0] * 5)
    assert_same_bits(list(net.state_dict().values()), list(before.values()))


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_optimizers_and_decay_leave_the_buffers_alone(optimizer):
    net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), dtype="float64")
    rule = optim.Optimizer(net.parameters(), optimizer, lr=0.5, weight_decay=0.5)
    before = [value.copy() for _, value in net.named_buffers()]
    rule.step()
    assert_same_bits([value for _, value in net.named_buffers()], before)


def test_a_step_that_is_refused_leaves_finite_statistics():
    net = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 1))
    x = batches(1)[0]
    net(x)
    before = net.state_dict()
    net(np.where(np.arange(4) == 2, np.inf, x))
    assert_same_bits(list(net.state_dict().values()), list(before.values()))


def test_early_stopping_restores_the_statistics_of_the_best_epoch():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 4)), rng.normal(size=(64, 1))

    def trained(epochs, **more):
        net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1), seed=1)
        net.fit(x, y, loss="mse", optimizer=optim.Adam(net.parameters(), lr=0.05), epochs=epochs,
                batch_size=16, verbose=0, validation_data=(x[:20], y[:20] + 1), **more)  # fmt: skip
        return net

    net = trained(15, early_stopping=cmlp.EarlyStopping(patience=15))
    values = net.history.to_dict()["metrics"]["val_loss"] if "metrics" in net.history.to_dict() else None
    best = int(np.argmin(values or net.history.history["val_loss"]))
    expected = trained(best + 1).state_dict()
    assert_same_bits(list(net.state_dict().values()), list(expected.values()))


def test_training_learns_with_batch_norm():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5)) * [1, 10, 100, 1000, 0.01]
    y = (x / [1, 10, 100, 1000, 0.01]).sum(axis=1, keepdims=True)
    net = nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 1))
    net.fit(x, y, loss="mse", optimizer="adam", epochs=150, batch_size=20, verbose=0)
    assert np.mean((net.predict(x) - y) ** 2) < 0.2


def test_refusals():
    with pytest.raises(ValueError, match="a training batch of one row has no variance"):
        nn.BatchNorm1d(2)([[1.0, 2.0]])
    with pytest.raises(ValueError, match=r"momentum is 1.5, it must be in \[0, 1\] or None"):
        nn.BatchNorm1d(2, momentum=1.5)
    with pytest.raises(ValueError, match="eps is -1, it must be finite"):
        nn.Sequential(nn.BatchNorm1d(2, eps=-1))
    with pytest.raises(ValueError, match="x has 3 columns, the layer '0' expects 2"):
        nn.Sequential(nn.BatchNorm1d(2))(np.ones((2, 3)))
    assert nn.BatchNorm1d(2).eval()([[1.0, 2.0]]).shape == (1, 2)
