"""Every layer that is no activation, with its options: values, gradients, bits, files, copies and texts."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import cmlp
from cmlp import nn
from cmlp.catalogue import catalogue
from reference_layers import BRACKETS, LAYERS, expected
from tolerance import TOLERANCE, assert_close, assert_same_bits

BINS = [[-1, 0.5], [-2, -1, 0, 1, 2], [0.25, 0.5, 0.75], [-9, 9], [-0.5, 0, 0.1, 3], [1, 2]]
# name: (makes the layers for six columns of numbers, whether they draw random numbers in training)
KINDS = {
    "log_softmax": (lambda: [nn.LogSoftmax()], False),
    "layer_norm": (lambda: [nn.LayerNorm(6)], False),
    "layer_norm_no_bias": (lambda: [nn.LayerNorm((6,), eps=0.1, bias=False)], False),
    "layer_norm_plain": (lambda: [nn.LayerNorm(6, elementwise_affine=False)], False),
    "rms_norm": (lambda: [nn.RMSNorm(6)], False),
    "rms_norm_plain": (lambda: [nn.RMSNorm(6, eps=0.5, elementwise_affine=False)], False),
    "batch_norm": (lambda: [nn.BatchNorm1d(6)], False),
    "batch_norm_cumulative": (lambda: [nn.BatchNorm1d(6, 1e-3, None)], False),
    "batch_norm_plain": (lambda: [nn.BatchNorm1d(6, affine=False)], False),
    "batch_norm_no_bias": (lambda: [nn.BatchNorm1d(6, bias=False)], False),
    "batch_norm_untracked": (lambda: [nn.BatchNorm1d(6, track_running_stats=False)], False),
    "prelu": (lambda: [nn.PReLU()], False),
    "prelu_each": (lambda: [nn.PReLU(6, 0.5)], False),
    "rrelu": (lambda: [nn.RReLU()], True),
    "alpha_dropout": (lambda: [nn.AlphaDropout(0.3)], True),
    "glu": (lambda: [nn.GLU()], False),
    "swiglu": (lambda: [nn.SwiGLU()], False),
    "geglu": (lambda: [nn.GEGLU()], False),
    "flatten": (lambda: [nn.Flatten()], False),
    "scale": (lambda: [nn.Scale(6)], False),
    "ntk": (lambda: [nn.Linear(6, 3, parametrization="ntk")], False),
    "ntk_no_bias": (lambda: [nn.Linear(6, 3, bias=False, parametrization="ntk")], False),
    "parametric": (lambda: [nn.ParametricActivation(nn.Tanh(), 6)], False),
    "periodic": (lambda: [nn.PeriodicEmbedding(6, 5, 3)], False),
    "periodic_columns": (lambda: [nn.PeriodicEmbedding(6, 4, 3, columns=[0, 1, 4])], False),
    "periodic_wide": (lambda: [nn.PeriodicEmbedding(6, 37, 11, columns=[0, 2, 3, 4])], False),
    "periodic_last": (lambda: [nn.PeriodicEmbedding(6, 3, 5, columns=[5])], False),
    "piecewise_columns": (lambda: [nn.PiecewiseLinearEmbedding(BINS[:2], 3, columns=[1, 3])], False),
    "piecewise": (lambda: [nn.PiecewiseLinearEmbedding(BINS, 3)], False),
    "ensemble": (lambda: [nn.BatchEnsemble(3, 4, 2, init="normal")], False),
    "ensemble_first": (lambda: [nn.BatchEnsemble(6, 4, 3, shared_input=True, init="signs")], False),
    "residual": (lambda: [nn.Residual(nn.LayerNorm(6), nn.Linear(6, 6))], False),
    "residual_share": (
        lambda: [nn.Residual(nn.Linear(6, 6), nn.ParametricActivation(nn.Tanh(), 6)), nn.Scale(6)],
        False,
    ),
    "nested_residual": (
        lambda: [
            nn.Residual(nn.Linear(6, 6), nn.Residual(nn.Scale(6)), nn.Sequential(nn.PReLU())),
            nn.Scale(6),
        ],
        False,
    ),
    "mean": (
        lambda: [nn.Ensemble(nn.Linear(6, 3), nn.Sequential(nn.Linear(6, 4), nn.PReLU(), nn.Linear(4, 3)))],
        False,
    ),
    "batch_norm_members": (
        lambda: [nn.Ensemble(nn.BatchNorm1d(6), nn.Residual(nn.BatchNorm1d(6)), weights=[2.0, -0.5])],
        False,
    ),
    "random_members": (
        lambda: [nn.Ensemble(nn.AlphaDropout(0.3), nn.Flatten(), nn.Sequential(nn.Scale(6), nn.RReLU()))],
        True,
    ),
    "nested_ensembles": (
        lambda: [
            nn.Ensemble(
                nn.Sequential(nn.Ensemble(nn.LayerNorm(6), nn.Linear(6, 6), weights=[1.5, -1.0]), nn.PReLU()),
                nn.Ensemble(nn.Residual(nn.Ensemble(nn.Scale(6), nn.Linear(6, 6)))),
                nn.Flatten(),
                weights=[0.25, 2.0, -0.5],
            ),
            nn.Residual(nn.Ensemble(nn.Linear(6, 6), nn.Flatten())),
            nn.Linear(6, 2),
        ],
        False,
    ),
}
NAMES = list(KINDS)
PLAIN = [name for name, (_, random) in KINDS.items() if not random]
# Every kind in evaluation mode, and those that compute something else in training mode there too.
MODES = [(name, False) for name in NAMES]
MODES += [(name, True) for name, (_, random) in KINDS.items() if random or name.startswith("batch_norm")]


def network(name, dtype="float64", seed=0):
    """The layers in a network, their parameters and buffers away from where they start."""
    net = nn.Sequential(*KINDS[name][0](), dtype=dtype, seed=seed)
    rng = np.random.default_rng(7)
    for key, value in net.state_dict().items():
        if "num_batches" not in key:
            dict(net._named_values())[key][...] = value + rng.uniform(0.1, 0.6, value.shape)
    return net


def rows(count, dtype="float64", seed=1):
    return np.random.default_rng(seed).normal(0.3, 1.5, (count, 6)).astype(dtype)


def test_every_layer_has_an_oracle():
    kinds = {kind for name in NAMES for _, kind, _ in network(name)._core.layers()}
    assert kinds - BRACKETS <= LAYERS.keys()
    assert set(LAYERS) - kinds == {"Embedding"}  # test_embedding.py


def test_every_layer_is_tried():
    layers = {type(layer).__name__ for make, _ in KINDS.values() for layer in make()}
    others = {row["name"] for row in catalogue("layer")} - layers
    assert others == {"Softmax", "Dropout", "Embedding"}  # test_layers.py, test_embedding.py


@pytest.mark.parametrize(("name", "training"), [(n, mode) for n, mode in MODES if not mode or n in PLAIN])
def test_forward(name, training, dtype, isa):
    net, x = network(name, dtype).train(training), rows(37, dtype)
    reference = expected(net, x, training)
    assert_close(net(x), reference, "forward", dtype, scale=abs(reference).max())
    if not training:
        assert_same_bits(net.predict(x), net(x))


@pytest.mark.parametrize(("name", "training"), MODES)
def test_gradients(name, training):
    net, x = network(name).train(training), rows(5)
    t = np.random.default_rng(2).normal(size=net(x).shape)
    before, step = net.state_dict(), net._core.step
    for weight in (None, [1.0, 2.0, 0.0, 0.5, 3.0]):
        report = cmlp.gradcheck(net, x, t, nn.MSELoss(), sample_weight=weight)
        assert report.worst < TOLERANCE["gradcheck", "float64"]
    assert_same_bits(list(net.state_dict().values()), list(before.values()))
    assert net._core.step == step


@pytest.mark.parametrize("name", NAMES)
def test_gradients_add_up(name, dtype):
    net, x = network(name, dtype), rows(9, dtype)
    dy = np.ones_like(net(x))
    dx = net.backward(dy)
    once = [parameter.grad.copy() for parameter in net.parameters()]
    assert_same_bits(net.backward(dy), dx)
    for parameter, grad in zip(net.parameters(), once, strict=True):
        assert_close(parameter.grad, 2 * grad, "backward", dtype, scale=abs(grad).max())


@pytest.mark.parametrize("name", NAMES)
def test_same_bits_for_threads_and_sets(name, dtype, threads):
    def run():
        net, x = network(name, dtype, seed=5), np.tile(rows(500, dtype), (6, 1))
        y = net(x)
        dx = net.backward(y)
        return [y, dx, *(p.grad.copy() for p in net.parameters()), *net.state_dict().values()]

    before, results = cmlp.runtime.isa(), []
    for isa in cmlp.runtime.isas():
        for count in (1, 3):
            threads(count)
            cmlp.runtime.set_isa(isa)
            results.append(run())
    cmlp.runtime.set_isa(before)
    for result in results[1:]:
        assert_same_bits(result, results[0])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "batch_norm_untracked"])
def test_a_row_is_the_same_in_any_batch(name, dtype):
    net, x = network(name, dtype), rows(40, dtype)
    expected_rows = net.predict(x)
    parts = [net.predict(x[:1]), net.predict(x[1:18]), net.predict(x[18:])]
    assert_same_bits(np.concatenate(parts), expected_rows)


@pytest.mark.parametrize("name", NAMES)
def test_files_and_copies(name, dtype, tmp_path):
    net, x = network(name, dtype), rows(11, dtype)
    net(x), net.eval()
    cmlp.save(net, tmp_path / "model.safetensors")
    copies = [
        cmlp.load(tmp_path / "model.safetensors"),
        pickle.loads(pickle.dumps(net)),
        copy.deepcopy(net),
        net.to(dtype),
    ]
    for other in copies:
        assert_same_bits(list(other.state_dict().values()), list(net.state_dict().values()))
        assert list(other.state_dict()) == list(net.state_dict())
        assert_same_bits(other.predict(x), net.predict(x))
        assert repr(other) == repr(net)
        assert other.summary() == net.summary()
    assert net.to("float64").to(dtype).state_dict().keys() == net.state_dict().keys()


@pytest.mark.parametrize("name", NAMES)
def test_alone_and_then_part_of_a_network(name):
    layer = KINDS[name][0]()[0]
    x = rows(4, "float32")
    layer.eval()
    for _, values in layer._named_values():
        values[...] += 0.25
    y = layer(x)
    again = pickle.loads(pickle.dumps(layer))
    assert_same_bits(again.eval()(x), y)
    net = nn.Sequential(layer).eval()
    assert_same_bits(net(x), y)
    assert repr(layer) in repr(net).replace("\n  ", "\n")


@pytest.mark.parametrize(
    ("name", "width"),
    [("glu", "any"), ("ntk", 3), ("layer_norm", 6), ("residual", 6), ("prelu", "any"), ("mean", 4)],
)
def test_summary_shows_the_widths(name, width):
    assert f"  {width}  " in network(name).summary()


def test_input_width_before_a_gate():
    net = nn.Sequential(nn.GLU(), nn.Linear(3, 2))
    assert net(np.ones((1, 6))).shape == (1, 2)
    assert net.summary().splitlines()[2].split()[2] == "3"
    with pytest.raises(ValueError, match="x has 4 columns, the layer '1' expects 3"):
        net(np.ones((1, 8)))


@pytest.mark.parametrize(
    ("layers", "initializer"),
    [
        ([nn.LayerNorm(64), nn.ReLU()], "kaiming_uniform"),
        ([nn.BatchNorm1d(64), nn.Dropout(0.1), nn.Tanh()], "xavier_uniform"),
        ([nn.RMSNorm(64), nn.AlphaDropout(0.1), nn.ReLU()], "kaiming_uniform"),
    ],
)
def test_auto_looks_past_norms_and_dropout(layers, initializer):
    net = nn.Sequential(nn.Linear(32, 64), *layers, seed=3)
    other = nn.Sequential(nn.Linear(32, 64, init=initializer), seed=3)
    assert_same_bits(net[0].weight.data, other[0].weight.data)


@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout", "RReLU"])
def test_inplace_is_refused_rather_than_ignored(name):
    assert repr(getattr(nn, name)(inplace=False)) == repr(getattr(nn, name)())
    with pytest.raises(ValueError, match=f"{name}: inplace is True, it must be False: x is never changed"):
        getattr(nn, name)(inplace=True)
