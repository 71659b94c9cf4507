"""What users of other libraries try: slices, lists, empty batches, foreign names, mistakes, traces."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import nn, optim
from tolerance import assert_same_bits

X = np.linspace(0.0, 1.0, 12).reshape(4, 3)


def test_slices_are_views():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2), seed=1)
    head, tail = net[:2], net[-2:]
    assert (len(head), head[0] is net[0], list(tail.state_dict())) == (2, True, ["3.weight", "3.bias"])
    x = X.astype("float32")
    assert_same_bits(net[2:].predict(head.predict(x)), net.predict(x))
    head[0].weight.data[...] = 0
    assert not net[0].weight.data.any()
    alone = tail.copy()
    assert list(alone.state_dict()) == ["1.weight", "1.bias"]
    with pytest.raises(ValueError, match="belongs to a larger one"):
        head.fit(x, x, loss="mse")
    for bad in (slice(None, None, 2), slice(2, 2), slice(None, None, -1)):
        with pytest.raises(ValueError, match="neighbouring layers"):
            net[bad]


def test_a_list_of_layers_is_taken():
    layers = [nn.Linear(3, 4), nn.ReLU()]
    assert [module for _, module in nn.Sequential(layers).named_modules()][1:] == layers


def test_modules_are_named():
    net = nn.Sequential(nn.Linear(3, 3), nn.Residual(nn.Linear(3, 3), tanh := nn.Tanh()), tanh)
    assert [name for name, _ in net.named_modules()] == ["", "0", "1", "1.0", "1.1"]
    assert [type(module).__name__ for module in net.modules()][2:4] == ["Residual", "Linear"]


@pytest.mark.parametrize(
    "module", [lambda: nn.Linear(3, 2), lambda: nn.Sequential(nn.Linear(3, 2), nn.Softmax())]
)
def test_an_empty_batch_in_evaluation_mode(module, dtype):
    net = nn.Sequential(module(), dtype=dtype).eval()
    empty = np.zeros((0, 3), dtype)
    for y in (net(empty), net.predict(empty), net[0](empty)):
        assert (y.shape, y.dtype) == ((0, 2), dtype)
    with pytest.raises(ValueError, match="has no rows"):
        net.train()(empty)
    with pytest.raises(ValueError, match="4 columns"):
        net.eval()(np.zeros((0, 4)))


def test_a_subclass_with_a_forward_is_refused_with_advice():
    with pytest.raises(TypeError, match=r"Net: a forward of its own .* stack layers in nn.Sequential"):
        type("Net", (nn.Module,), {"forward": lambda self, x: x})


@pytest.mark.parametrize(
    ("thing", "name", "message"),
    [
        (nn.Linear(1, 1), "cuda", "CPUs"),
        (nn.Sequential(nn.Linear(1, 1)), "compile", "loss=, optimizer="),
        (nn, "Dense", r"nn.Linear\(in_features, out_features\)"),
        (cmlp, "no_grad", "predict"),
        (cmlp, "manual_seed", "seed="),
        (nn.MSELoss()([[1.0]], [[0.0]]), "backward", r"net.backward\(criterion.backward\(\)\)"),
    ],
)
def test_names_of_other_libraries_raise_with_ours(thing, name, message):
    with pytest.raises(AttributeError, match=message):
        getattr(thing, name)


def test_more_names_of_other_libraries():
    from cmlp import Sequential

    assert Sequential is nn.Sequential
    with pytest.raises(TypeError, match="unexpected argument 'learning_rate'; cmlp calls it 'lr'"):
        optim.Adam(nn.Linear(1, 1).parameters(), learning_rate=0.1)
    with pytest.raises(ValueError, match="CPUs"):
        nn.Sequential(nn.Linear(1, 1)).to("cuda")


# ---- gradients of hidden values


def test_trace_with_a_loss_shows_the_gradient_by_every_value(rng):
    net = nn.Sequential(
        nn.Linear(3, 4), nn.Tanh(), nn.Residual(nn.Linear(4, 4), nn.ReLU()), nn.Linear(4, 2), dtype="float64"
    )
    x, y, loss = rng.normal(size=(5, 3)), rng.normal(size=(5, 2)), nn.MSELoss()
    rows = net.trace(x, y, loss)
    grads = [parameter.grad.copy() for parameter in net.parameters()]
    net.zero_grad()
    loss(net(x), y)
    assert_same_bits(rows[0].gradient, net.backward(loss.backward()))
    assert_same_bits(grads, [parameter.grad for parameter in net.parameters()])
    for at, rest in (
        (2, net[2:]),
        (len(rows) - 2, net[3:]),
    ):  # inputs of the residual, the last layer
        numeric = np.zeros_like(rows[at].value)
        for place in np.ndindex(*numeric.shape):
            step = np.zeros_like(numeric)
            step[place] = 1e-6
            ends = [loss(rest.predict(rows[at].value + sign * step), y) for sign in (1, -1)]
            numeric[place] = (ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose(rows[at].gradient, numeric, atol=1e-8)


# ---- classic mistakes


@pytest.mark.parametrize(
    ("last", "loss", "remedy"),
    [
        (nn.Identity, "bce", "bce_with_logits"),
        (nn.Sigmoid, "bce_with_logits", "leave the last layer out"),
        (nn.Softmax, "cross_entropy", "leave the last layer out"),
        (nn.Softmax, "nll", "LogSoftmax"),
    ],
)
def test_a_last_layer_that_does_not_fit_the_loss_warns_once(last, loss, remedy, recwarn):
    net = nn.Sequential(nn.Linear(3, 2, init="zero"), nn.Sequential(last()), nn.Dropout(0.0))
    net[0].bias.data[...] = 0.5  # a probability
    x, t = X, np.array([0, 1, 1, 0])
    y = t if nn.Loss(loss)._core.takes_labels else np.eye(2)[t]
    for _ in range(2):
        net.fit(x, y, loss=loss, verbose=False)
    texts = [str(warning.message) for warning in recwarn.list]
    assert len(texts) == 1
    assert remedy in texts[0]
