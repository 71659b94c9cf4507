"""Embedding: which columns are codes, gradients by code, padding, what is refused, and files.

Also the order of columns that all layers with ``columns=`` share.
"""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import nn, optim
from reference_layers import expected
from tolerance import TOLERANCE, assert_same_bits

X = np.array([[0.5, 2, 1], [-1.0, 0, 3], [2.5, 2, 3], [0.25, 1, 0]])
COLUMNS = [[1], [2], [1, 2]]


def network(columns, dtype="float64", **more):
    return nn.Sequential(
        nn.Embedding(4, 3, columns=columns, **more), nn.Linear(3 + 2 * len(columns), 2), dtype=dtype
    )


@pytest.mark.parametrize("columns", COLUMNS)
def test_forward(columns, dtype, isa):
    net = nn.Sequential(nn.Embedding(4, 3, columns=columns), dtype=dtype)
    assert_same_bits(net(X.astype(dtype)), expected(net, X, True).astype(dtype))


def test_all_columns_by_default():
    layer = nn.Embedding(4, 2)
    weight = layer.parameters()[0].data
    assert_same_bits(layer([[3, 0], [1, 1]]), weight[[[3, 0], [1, 1]]].reshape(2, 4))


@pytest.mark.parametrize("columns", COLUMNS)
def test_gradients(columns):
    net = network(columns)
    dy = np.random.default_rng(0).normal(size=net(X).shape)
    net.backward(dy)
    grads = [parameter.grad.copy() for parameter in net.parameters()]
    # Codes cannot be moved a little: the weights' differences are taken by hand.
    weight = net.parameters()[0].data
    for at in np.ndindex(weight.shape):
        kept, h = weight[at], 1e-5
        weight[at] = kept + h
        above = (net(X) * dy).sum()
        weight[at] = kept - h
        slope = (above - (net(X) * dy).sum()) / (2 * h)
        weight[at] = kept
        assert abs(slope - grads[0][at]) < TOLERANCE["gradcheck", "float64"] * (1 + abs(slope))


def test_codes_have_no_gradient_and_the_other_columns_pass():
    net = nn.Sequential(nn.Embedding(4, 3, columns=[1]))
    net(X)
    dx = net.backward(np.arange(20.0).reshape(4, 5))
    assert dx[:, 0].tolist() == [0, 5, 10, 15]
    assert dx[:, 1].tolist() == [0, 0, 0, 0]
    assert dx[:, 2].tolist() == [4, 9, 14, 19]


def test_padding_stays_zero():
    net = network([1], padding_idx=-2)
    assert net[0].padding_idx == 2
    net.fit(X, np.ones((4, 2)), loss="mse", optimizer="adam", epochs=3, verbose=0)
    weight = net.parameters()[0].data
    assert not weight[2].any()
    assert weight[[0, 1, 3]].all()


def test_several_categorical_columns_the_last_first():
    net = nn.Sequential(nn.Embedding(4, 3, columns=[2]), nn.Embedding(3, 2, columns=[1]), nn.Linear(6, 1))
    first, second = net.parameters()[0].data, net.parameters()[1].data
    values = dict(net.trace(X))
    assert_same_bits(values["1: Embedding"][:, 1:3], second[X[:, 1].astype(int)])
    assert_same_bits(values["1: Embedding"][:, 3:], first[X[:, 2].astype(int)])


@pytest.mark.parametrize("value", [-1.0, 4.0, 1.5, 1e30])
def test_what_is_no_code_is_refused(value):
    x = X.copy()
    x[2, 1] = value
    with pytest.raises(ValueError, match=r"at row 2, column 1, it must be a code 0..3"):
        network([1]).predict(x)


def test_refusals():
    with pytest.raises(ValueError, match="padding_idx is 4, there are 4 embeddings"):
        nn.Embedding(4, 2, 4)
    with pytest.raises(ValueError, match=r"columns are \[2, 1\], they must be increasing"):
        nn.Embedding(4, 2, columns=[2, 1])
    with pytest.raises(ValueError, match="x has 2 columns, the layer '0' reads column 2"):
        network([2]).predict(X[:, :2])
    with pytest.raises(ValueError, match="embedding_dim is 0, it must be at least 1"):
        nn.Embedding(4, 0)([[1]])


def test_files(tmp_path):
    net = network([1, 2], padding_idx=0)
    cmlp.save(net, tmp_path / "model.safetensors")
    other = cmlp.load(tmp_path / "model.safetensors")
    assert repr(other) == repr(net)
    assert_same_bits(other.predict(X), net.predict(X))


COLUMN_LAYERS = {
    "Embedding": lambda columns: nn.Embedding(9, 3, columns=columns),
    "PeriodicEmbedding": lambda columns: nn.PeriodicEmbedding(7, 4, 3, columns=columns),
    "PiecewiseLinearEmbedding": lambda columns: nn.PiecewiseLinearEmbedding(
        [[-1.0, k] for k in range(1, 1 + len(columns))], 3, columns=columns
    ),
}


@pytest.mark.parametrize("name", COLUMN_LAYERS)
@pytest.mark.parametrize("columns", [[0], [6], [2, 3], [0, 2, 3, 6], [0, 1, 2, 3, 4, 5, 6]])
def test_numbers_take_the_place_of_their_column_and_the_others_pass(name, columns, dtype, tmp_path):
    net = nn.Sequential(COLUMN_LAYERS[name](columns), dtype=dtype)
    x = np.random.default_rng(0).integers(0, 9, (5, 7)).astype(dtype)
    y = net(x)
    assert y.shape == (5, 7 + 2 * len(columns))
    places = np.cumsum([0] + [3 if j in columns else 1 for j in range(6)])
    passed = [j for j in range(7) if j not in columns]
    assert_same_bits(y[:, places[passed]], x[:, passed])
    dy = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
    assert_same_bits(net.backward(dy)[:, passed], dy[:, places[passed]])
    for j in columns:
        other = x.copy()
        other[:, j] = (other[:, j] + 1) % 9
        own = np.isin(np.arange(y.shape[1]), places[j] + np.arange(3))
        assert ((net(other) != y).any(axis=0) == own).all()
    cmlp.save(net, tmp_path / "model.safetensors")
    again = cmlp.load(tmp_path / "model.safetensors")
    assert again[0].columns == columns
    assert_same_bits(again.predict(x), net.predict(x))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.PeriodicEmbedding(3, columns=[1, 3]), "in_features is 3, columns name 3"),
        (lambda: nn.PeriodicEmbedding(3, columns=[2, 1]), r"columns are \[2, 1\], they must be increasing"),
        (lambda: nn.PeriodicEmbedding(3, columns=[]), r"columns are \[\], they must be increasing"),
        (
            lambda: nn.PiecewiseLinearEmbedding([[0, 1]], columns=[0, 1]),
            "there are 2 columns and bins of 1, each column has its own",
        ),
        (
            lambda: nn.PiecewiseLinearEmbedding([[0, 1]], columns=[3]),
            "x has 3 columns, the layer '0' reads column 3",
        ),
    ],
)
def test_columns_that_cannot_be_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        nn.Sequential(make())(np.ones((2, 3)))


def test_a_network_embeds_some_columns():
    x = np.random.default_rng(0).uniform(-1, 1, (256, 3))
    y = np.sin(9 * x[:, [1]]) + x[:, [2]]
    net = nn.Sequential(nn.PeriodicEmbedding(3, 8, 6, sigma=1.0, columns=[1]), nn.Linear(8, 1))
    adam = optim.Adam(net.parameters(), lr=0.02)
    history = net.fit(x, y, loss="mse", optimizer=adam, epochs=200, batch_size=64, verbose=0)
    assert history.history["loss"][-1] < 0.02
