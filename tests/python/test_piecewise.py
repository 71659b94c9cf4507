"""PiecewiseLinearEmbedding and quantile_bins: edges, extremes, training, files, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import cmlp
from cmlp import nn
from tolerance import assert_close, assert_same_bits


def codes(edges, x, dtype="float64"):
    """The layer's e(x): V is the identity, the linear part 0."""
    count = len(edges) - 1
    layer = nn.PiecewiseLinearEmbedding([edges], count, dtype=dtype)
    v, w, b = layer.parameters()
    v.data, w.data, b.data = np.eye(count), np.zeros((1, count)), np.zeros((1, count))
    return layer(np.reshape(x, (-1, 1)))


def test_codes_at_edges_and_beyond(dtype):
    got = codes([0.0, 1.0, 3.0, 4.0], [-2, 0, 0.25, 1, 2, 3, 3.5, 6], dtype)
    expected = [
        [-2, 0, 0],
        [0, 0, 0],
        [0.25, 0, 0],
        [1, 0, 0],
        [1, 0.5, 0],
        [1, 1, 0],
        [1, 1, 0.5],
        [1, 1, 3],
    ]
    assert got.tolist() == expected


@pytest.mark.parametrize("x", [-np.inf, np.inf, np.nan])
def test_what_is_not_finite_does_not_pass_for_a_number(x):
    assert not np.isfinite(codes([0.0, 1.0, 3.0], x)).all()


def test_edges_that_are_equal_in_float32():
    edges = [1e9, 1e9 + 1, 1e9 + 2]
    assert np.isfinite(codes(edges, [1e9, 1e9 + 64, 5.0], "float32")).all()


def test_starts_linear(dtype):
    layer = nn.PiecewiseLinearEmbedding([[0, 1, 2], [0, 5]], 64, dtype=dtype, seed=3)
    v, w, b = layer.parameters()
    assert (v.shape, w.shape, b.shape) == ((3, 64), (2, 64), (2, 64))
    assert not v.data.any()
    for drawn in (w.data, b.data):
        assert 0.11 < abs(drawn).max() <= 1 / 8
        assert abs(drawn.mean()) < 0.03
    x = np.array([[1.5, -2.0]], dtype)
    expected = np.concatenate([1.5 * w.data[0] + b.data[0], -2 * w.data[1] + b.data[1]])
    assert_close(layer(x)[0], expected, "forward", dtype, scale=1)


def test_the_slope_of_the_input_is_that_of_its_bin():
    layer = nn.PiecewiseLinearEmbedding([[0.0, 1.0, 3.0]], 1, dtype="float64")
    v, w, b = layer.parameters()
    v.data, w.data, b.data = [[10.0], [100.0]], [[1.0]], [[0.0]]
    layer(np.array([[-4.0], [0.5], [1.0], [2.0], [9.0]]))
    assert layer.backward(np.ones((5, 1))).ravel().tolist() == [11, 11, 51, 51, 51]


def test_learns_a_step(tmp_path):
    x = np.random.default_rng(0).uniform(-1, 1, (200, 1))
    y = (x > 0.3) * 2.0
    bins = nn.quantile_bins(x, 20)
    net = nn.Sequential(nn.PiecewiseLinearEmbedding(bins, 4), nn.Linear(4, 1))
    history = net.fit(x, y, loss="mse", optimizer="adam", epochs=300, batch_size=50, verbose=0)
    assert history.history["loss"][-1] < 0.05
    cmlp.save(net, tmp_path / "model.safetensors")
    other = cmlp.load(tmp_path / "model.safetensors")
    assert other[0].bins == bins
    assert_same_bits(other.predict(x), net.predict(x))


def test_bins_are_the_distinct_quantiles():
    x = np.stack([np.arange(101.0), np.repeat([0.0, 1.0], [90, 11])], axis=1)
    first, second = nn.quantile_bins(x, 4)
    assert first == [0, 25, 50, 75, 100]
    assert second == [0, 1]
    assert len(nn.quantile_bins(np.random.default_rng(0).normal(size=(500, 1)))[0]) == 49


@pytest.mark.parametrize(
    ("x", "n_bins", "message"),
    [
        (np.zeros((5, 1)), 2, "column 0 is constant"),
        (np.arange(10.0).reshape(5, 2) * [1, 0], 2, "column 1 is constant"),
        ([[1.0], [np.nan], [2.0]], 2, "not finite"),
        ([[1.0], [np.inf], [2.0]], 2, "not finite"),
        ([[1.0], [2.0]], 2, r"x has shape \(2, 1\), n_bins is 2"),
        ([[1.0], [2.0]], 0, "n_bins is 0"),
        ([1.0, 2.0, 3.0], 1, r"x has shape \(3,\)"),
    ],
)
def test_bins_that_cannot_be_are_refused(x, n_bins, message):
    with pytest.raises(ValueError, match="quantile_bins: .*" + message):
        nn.quantile_bins(x, n_bins)


@pytest.mark.parametrize(
    ("bins", "dim", "message"),
    [
        ([], 4, "there are no bins"),
        ([[0, 1], [2]], 4, "the bins of column 1 have 1 edges, they need at least 2"),
        ([[0, 1, 1]], 4, "the edges of column 0 must be finite and increasing"),
        ([[0, np.nan]], 4, "the edges of column 0 must be finite and increasing"),
        ([[0, np.inf]], 4, "the edges of column 0 must be finite and increasing"),
        ([[0, 1]], 0, "embedding_dim is 0, it must be at least 1"),
    ],
)
def test_layers_that_cannot_be_are_refused(bins, dim, message):
    with pytest.raises(ValueError, match="PiecewiseLinearEmbedding: " + message):
        nn.Sequential(nn.PiecewiseLinearEmbedding(bins, dim))


def test_another_width_is_refused():
    net = nn.Sequential(nn.PiecewiseLinearEmbedding([[0, 1]], 2))
    with pytest.raises(ValueError, match=r"x has 2 columns, the layer '0' expects 1"):
        net(np.ones((1, 2)))
