"""Initialisers: moments and bounds by the oracle, seeds, precision, what "auto" picks and what zeros do."""

from __future__ import annotations

import math

import numpy as np
import pytest

import cmlp
from cmlp import _core, nn
from reference import ACTIVATIONS, INITIALIZERS
from tolerance import assert_close, assert_same_bits

ROWS = {row["name"]: row for row in _core.initializers()}
SETTINGS = {
    "constant": {"value": -0.7},
    "normal": {"mean": 0.5, "std": 0.2},
    "uniform": {"low": -0.5, "high": 2.0},
    **{name: {"gain": 0.5} for name, row in ROWS.items() if "gain" in row["parameters"]},
    "kaiming_uniform": {"gain": 0.5, "fan_out": 1.0},
    "kaiming_normal": {"gain": 0.5, "fan_out": 1.0},
    "trunc_normal": {"mean": 0.5, "std": 0.2, "a": 0.6, "b": 1.0},
    "sparse": {"sparsity": 0.3, "std": 0.2},
}
CASES = [(name, {}) for name in ROWS] + list(SETTINGS.items())
AUTO = {
    "sigmoid": "xavier_uniform",
    "tanh": "xavier_uniform",
    "identity": "xavier_uniform",
    "selu": "lecun_normal",
    "softsign": "xavier_uniform",
    "hardtanh": "xavier_uniform",
    "hardsigmoid": "xavier_uniform",
    "log_sigmoid": "xavier_uniform",
    "tanhshrink": "xavier_uniform",
    "softshrink": "xavier_uniform",
    "hardshrink": "xavier_uniform",
    "step": "xavier_uniform",
}  # the others: kaiming_uniform
SAMPLES = [
    case
    for case in CASES
    if case[0] not in ("zeros", "constant", "orthogonal", "ones", "eye", "trunc_normal", "sparse")
]  # of one distribution
SIZES = [(400, 300), (300, 400), (1000, 50)]


def drawn(name, settings=None, n=40, m=30, seed=0, dtype="float64"):
    layer = nn.Linear(n, m, init=name, init_settings=settings, seed=seed, dtype=dtype)
    return layer.weight.data.copy()


def test_every_setting_is_tried():
    assert all(set(SETTINGS.get(name, {})) == set(row["parameters"]) for name, row in ROWS.items())


@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize(("name", "settings"), CASES)
def test_moments_and_bounds(name, settings, n, m):
    w = drawn(name, settings, n, m)
    mean, std, low, high = INITIALIZERS[name](n, m, **settings)
    assert w.shape == (m, n)
    assert abs(w.mean() - mean) <= 5 * std / math.sqrt(w.size) + 1e-15
    assert abs(w.std() - std) <= 5 * std / math.sqrt(w.size) + 1e-15
    assert low <= w.min()
    assert w.max() <= high
    if (
        std > 0 and math.isfinite(high) and name not in ("orthogonal", "eye")
    ):  # a uniform one comes near its bounds
        assert w.min() - low < 1e-3 * (high - low) > high - w.max()


@pytest.mark.parametrize(("name", "settings"), SAMPLES)
def test_shape_of_the_distribution(name, settings):
    """Kolmogorov-Smirnov distance of all weights from the distribution itself."""
    w = np.sort(drawn(name, settings, 400, 300).ravel())
    mean, std, low, high = INITIALIZERS[name](400, 300, **settings)
    normal = np.vectorize(lambda z: math.erfc(-z / math.sqrt(2)) / 2)
    cdf = normal((w - mean) / std) if math.isinf(high) else (w - low) / (high - low)
    steps = np.arange(w.size + 1) / w.size
    assert max(abs(cdf - steps[1:]).max(), abs(cdf - steps[:-1]).max()) < 1.95 / math.sqrt(
        w.size
    )  # p = 0.001


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [(0, 1, -2, 2), (0.5, 0.2, 0.6, 1), (0, 1, 3, 9), (1, 2, -50, -4), (0, 1, -0.1, 0.2)],
)
def test_shape_of_the_truncated_normal(mean, std, a, b):
    w = np.sort(drawn("trunc_normal", {"mean": mean, "std": std, "a": a, "b": b}, 300, 200).ravel())
    normal = np.vectorize(lambda z: math.erfc(-(z - mean) / std / math.sqrt(2)) / 2)
    cdf = (normal(w) - normal(a)) / (normal(b) - normal(a))
    steps = np.arange(w.size + 1) / w.size
    assert max(abs(cdf - steps[1:]).max(), abs(cdf - steps[:-1]).max()) < 1.95 / math.sqrt(w.size)
    assert a <= w[0] <= w[-1] <= b


@pytest.mark.parametrize(("sparsity", "zeros"), [(0.0, 0), (0.1, 3), (0.5, 15), (0.51, 16), (1.0, 30)])
def test_sparse_columns(sparsity, zeros):
    w = drawn("sparse", {"sparsity": sparsity, "std": 1.0})  # 30 rows, 40 columns
    assert ((w == 0).sum(axis=0) == zeros).all()


def test_eye():
    assert_same_bits(drawn("eye", None, 5, 3), np.eye(3, 5))


@pytest.mark.parametrize(
    ("init", "activation"),
    [("kaiming_normal", "relu"), ("kaiming_uniform", "relu"), ("lecun_normal", "selu")],
)
def test_variance_is_kept_through_fifty_layers(init, activation, rng):
    stack = [part for _ in range(50) for part in (nn.Linear(256, 256, init=init), nn.Activation(activation))]
    y = nn.Sequential(*stack, seed=0, dtype="float64").predict(rng.normal(size=(400, 256)))
    assert 0.1 < (y**2).mean() < 10


@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
def test_kaiming_by_pytorchs_arguments(mode):
    layer = nn.Linear(400, 100, dtype="float64")
    w = nn.init.kaiming_normal_(layer.weight, a=0.5, mode=mode, nonlinearity="leaky_relu").data
    expected = math.sqrt(2 / 1.25 / {"fan_in": 400, "fan_out": 100}[mode])
    assert abs(w.std() / expected - 1) < 5 / math.sqrt(2 * w.size)
    with pytest.raises(ValueError, match="mode is 'fan'; choose from fan_in, fan_out"):
        nn.init.kaiming_normal_(layer.weight, mode="fan")
    with pytest.raises(ValueError, match="nonlinearity is 'gelu'; choose from"):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="gelu")


@pytest.mark.parametrize("gain", [1.0, 0.5])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (7, 7), (20, 5), (5, 20), (130, 129), (1, 9), (9, 1)])
def test_orthogonal(n, m, gain):
    w = drawn("orthogonal", {"gain": gain}, n, m)
    product = w @ w.T if m <= n else w.T @ w
    assert_close(product, gain**2 * np.eye(min(n, m)), "initializer", scale=1)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_seeds(name, settings):
    one = drawn(name, settings, seed=3)
    assert_same_bits(drawn(name, settings, seed=3), one)
    random = name != "eye" and INITIALIZERS[name](40, 30, **settings)[1] > 0  # its standard deviation
    others = [drawn(name, settings, seed=seed) for seed in (0, 1, 2, 4, 2**32 + 3, 2**63 - 1)]
    assert [bool((other != one).any()) for other in others] == [random] * 6


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_single_precision_is_double_rounded(name, settings, isa):
    assert_same_bits(drawn(name, settings, dtype="float32"), drawn(name, settings).astype("float32"))


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_every_instruction_set_draws_the_same(name, settings, vector_isa):
    w = drawn(name, settings)
    cmlp.runtime.set_isa("scalar")
    assert_same_bits(drawn(name, settings), w)


@pytest.mark.parametrize("name", ROWS)
def test_biases(name):
    bias = nn.Linear(40, 3000, init=name, dtype="float64").bias.data
    if name == "torch":
        assert abs(bias).max() <= 1 / math.sqrt(40)
        assert abs(bias.std() - 1 / math.sqrt(3 * 40)) < 0.003
    else:
        assert not bias.any()


def test_layers_draw_numbers_of_their_own():
    net = nn.Sequential(nn.Linear(30, 30), nn.Linear(30, 30), seed=1)
    assert (net[0].weight.data != net[1].weight.data).mean() > 0.99


@pytest.mark.parametrize("between", [[], [nn.Dropout]])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_auto_picks_by_the_activation_that_follows(activation, between):
    def weight(init):
        layers = [
            nn.Linear(20, 10, init=init),
            *[kind() for kind in between],
            nn.Activation(activation),
            nn.Linear(10, 2),
        ]
        return nn.Sequential(*layers, seed=5)[0].weight.data

    assert_same_bits(weight("auto"), weight(AUTO.get(activation, "kaiming_uniform")))


def test_auto_at_the_end_and_before_softmax_is_xavier():
    for end in ([], [nn.Softmax()], [nn.Linear(3, 2)]):
        auto = nn.Sequential(nn.Linear(5, 3), *end, seed=2)[0].weight.data
        assert_same_bits(auto, drawn("xavier_uniform", None, 5, 3, 2, "float32"))


def test_zeros_keep_all_units_equal_after_training(rng):
    """Nothing breaks the symmetry: the network learns as if each layer had one unit."""
    x, y = rng.normal(size=(60, 4)), rng.integers(0, 2, 60)
    net = nn.Sequential(
        nn.Linear(4, 8, init="zeros"), nn.Sigmoid(), nn.Linear(8, 2, init="zeros"), seed=0, dtype="float64"
    )
    net.fit(x, y, loss="cross_entropy", epochs=20)
    hidden, out = net[0].weight.data, net[2].weight.data
    assert (hidden == hidden[0]).all()
    assert (out == out[:, :1]).all()
    assert hidden.any()
    assert out.any()


@pytest.mark.parametrize("name", [n for n in ROWS if hasattr(nn.init, n + "_") and "kaiming" not in n])
def test_functions_of_nn_init_fill_in_place(name, dtype):
    fill, layer = getattr(nn.init, name + "_"), nn.Linear(40, 30, dtype=dtype)
    settings = SETTINGS.get(name, {})
    arguments = {
        {"value": "val", "low": "a", "high": "b"}.get(key, key): value for key, value in settings.items()
    }
    seed = {} if name in ("zeros", "constant", "ones", "eye") else {"seed": 9}
    view = layer.weight.data
    assert_same_bits(fill(layer.weight, **arguments, **seed).data, view)
    expected = nn.Linear(40, 30, init=name, init_settings=settings, dtype=dtype, **seed).weight.data
    assert_same_bits(layer.weight.data, expected)


def test_nn_init_has_a_function_for_every_row():
    assert {name for name in ROWS if not hasattr(nn.init, name + "_")} == {"torch"}


def test_reset_parameters_draws_again():
    def network(seed):
        return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), seed=seed)

    def values(net):
        return list(net.state_dict().values())

    net = network(1)
    net.reset_parameters(2)
    assert_same_bits(values(net), values(network(2)))
    net.reset_parameters()
    assert_same_bits(values(net), values(network(2)))
    net.reset_parameters(1)
    assert_same_bits(values(net), values(network(1)))
