"""The layers against PyTorch: outputs, gradients, buffers and state_dict names; extreme rows."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import nn

torch = pytest.importorskip("torch")

# Largest |cmlp - torch| over the largest value: forward and gradients.
LIMIT = {"float64": (1e-10, 1e-10), "float32": (3e-6, 3e-5)}
T = torch.nn
# name: (ours, PyTorch's), both for six columns
PAIRS = {
    "linear": (lambda: nn.Linear(6, 3), lambda: T.Linear(6, 3)),
    "linear_no_bias": (lambda: nn.Linear(6, 3, False), lambda: T.Linear(6, 3, False)),
    "softmax": (lambda: nn.Softmax(1), lambda: T.Softmax(1)),
    "log_softmax": (lambda: nn.LogSoftmax(-1), lambda: T.LogSoftmax(-1)),
    "layer_norm": (lambda: nn.LayerNorm(6), lambda: T.LayerNorm(6)),
    "layer_norm_options": (
        lambda: nn.LayerNorm((6,), 0.1, True, False),
        lambda: T.LayerNorm((6,), 0.1, True, False),
    ),
    "layer_norm_plain": (
        lambda: nn.LayerNorm(6, elementwise_affine=False),
        lambda: T.LayerNorm(6, elementwise_affine=False),
    ),
    "rms_norm": (lambda: nn.RMSNorm(6), lambda: T.RMSNorm(6)),
    "rms_norm_options": (lambda: nn.RMSNorm((6,), 0.3, False), lambda: T.RMSNorm((6,), 0.3, False)),
    "batch_norm": (lambda: nn.BatchNorm1d(6), lambda: T.BatchNorm1d(6)),
    "batch_norm_options": (
        lambda: nn.BatchNorm1d(6, 1e-3, 0.3, False),
        lambda: T.BatchNorm1d(6, 1e-3, 0.3, False),
    ),
    "batch_norm_cumulative": (
        lambda: nn.BatchNorm1d(6, momentum=None),
        lambda: T.BatchNorm1d(6, momentum=None),
    ),
    "batch_norm_no_bias": (lambda: nn.BatchNorm1d(6, bias=False), lambda: T.BatchNorm1d(6, bias=False)),
    "batch_norm_untracked": (
        lambda: nn.BatchNorm1d(6, track_running_stats=False),
        lambda: T.BatchNorm1d(6, track_running_stats=False),
    ),
    "prelu": (lambda: nn.PReLU(), lambda: T.PReLU()),
    "prelu_each": (lambda: nn.PReLU(6, 0.1), lambda: T.PReLU(6, 0.1)),
    "glu": (lambda: nn.GLU(), lambda: T.GLU()),
    "rrelu": (lambda: nn.RReLU(0.1, 0.4).eval(), lambda: T.RReLU(0.1, 0.4).eval()),
    "alpha_dropout": (lambda: nn.AlphaDropout(0.3).eval(), lambda: T.AlphaDropout(0.3).eval()),
    "flatten": (lambda: nn.Flatten(), lambda: T.Flatten()),
}
EVAL_ONLY = {"rrelu", "alpha_dropout"}


def pair(name, dtype):
    """Both layers with the same numbers, which are not those they start from."""
    ours, theirs = nn.Sequential(PAIRS[name][0](), dtype=dtype), T.Sequential(PAIRS[name][1]())
    theirs = theirs.to(getattr(torch, dtype))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    rng = np.random.default_rng(4)
    state = {}
    for key, value in theirs.state_dict().items():
        assert ours.state_dict()[key].shape == tuple(value.shape)
        moved = value.numpy() if value.dtype == torch.int64 else rng.uniform(0.2, 1.5, value.shape)
        state[key] = np.asarray(moved)
    ours.load_state_dict(state)
    theirs.load_state_dict({key: torch.tensor(value) for key, value in state.items()})
    return ours, theirs


def close(actual, expected, limit):
    expected = expected.detach().numpy()
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(actual[~finite], expected[~finite])
    scale = abs(expected[finite]).max(initial=1e-300)
    assert abs(actual[finite] - expected[finite]).max(initial=0) <= limit * scale


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PAIRS)
def test_layer(name, dtype, training):
    training = training and name not in EVAL_ONLY
    ours, theirs = pair(name, dtype)
    ours.train(training), theirs.train(training)
    rng, (forward, backward) = np.random.default_rng(5), LIMIT[dtype]
    for rows in (9, 33):
        x = rng.normal(0.5, 2, (rows, 6)).astype(dtype)
        tensor = torch.tensor(x, requires_grad=True)
        y = theirs(tensor)
        dy = rng.normal(size=tuple(y.shape)).astype(dtype)
        theirs.zero_grad(), y.backward(torch.tensor(dy))
        close(ours(x), y, forward)
        ours.zero_grad()
        close(ours.backward(dy), tensor.grad, backward)
        for key, parameter in theirs.named_parameters():
            close(dict(ours.named_parameters())[key].grad, parameter.grad, backward)
    for key, value in theirs.state_dict().items():
        close(ours.state_dict()[key].astype(float), value.double(), forward)


EXTREME = [
    [0.0, -0.0, 40.0, -40.0, 1.0, -1.0],
    [700.0, -700.0, 3.0, 2.0, 1.0, 0.0],
    [1e-30, -1e-30, 1e-38, -1e-38, 0.0, 1e-40],
    [1e15, -1e15, 1e14, 0.0, 1.0, 5.0],
    [5.0, 5.0, 5.0, 5.0, 5.0, 5.0],
]
INFINITE = [
    [np.inf, 1.0, 2.0, 3.0, 4.0, -5.0],
    [-np.inf, 1.0, 2.0, 3.0, 4.0, -5.0],
    [np.nan, 1.0, 0, 0, 0, 0],
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PAIRS)
def test_extreme_rows(name, dtype):
    if name == "batch_norm_untracked":  # two equal rows have no variance: only rounding is left
        return
    ours, theirs = pair(name, dtype)
    ours.eval(), theirs.eval()
    exact = name not in ("linear", "linear_no_bias")
    for row in EXTREME + (INFINITE if exact else []):
        x = np.array([row, row], dtype)
        with torch.no_grad():
            close(ours(x), theirs(torch.tensor(x)), LIMIT[dtype][0])


def test_embedding():
    ours, theirs = nn.Embedding(7, 3, 2, dtype="float64"), T.Embedding(7, 3, 2).double()
    assert not ours.state_dict()["weight"][2].any()
    ours.load_state_dict({"weight": theirs.state_dict()["weight"].numpy()})
    codes = np.array([[0, 6], [2, 2], [6, 1]])
    y = theirs(torch.tensor(codes)).flatten(1)
    dy = np.random.default_rng(0).normal(size=(3, 6))
    y.backward(torch.tensor(dy))
    close(ours(codes), y, 0)
    ours.backward(dy)
    close(ours.parameters()[0].grad, theirs.weight.grad, 1e-15)


@pytest.mark.parametrize(("ours", "theirs"), [(nn.AlphaDropout, T.AlphaDropout), (nn.RReLU, T.RReLU)])
def test_what_is_drawn_has_the_same_moments(ours, theirs):
    torch.manual_seed(0)
    x = np.random.default_rng(0).normal(size=(400, 500))
    y = ours()(x)
    with torch.no_grad():
        t = theirs()(torch.tensor(x)).numpy()
    for power in (1, 2, 3):
        assert abs((y**power).mean() - (t**power).mean()) < 0.05 * power


def test_residual_and_gates():
    """PyTorch has no such modules: the formulas, with its functions."""
    x = np.random.default_rng(1).normal(size=(5, 6))
    t = torch.tensor(x, requires_grad=True)
    inner = nn.Sequential(nn.Residual(nn.LayerNorm(6)), nn.SwiGLU(), dtype="float64")
    z = t + T.functional.layer_norm(t, (6,))
    a, b = z.chunk(2, 1)
    y = a * T.functional.silu(b)
    y.sum().backward()
    close(inner(x), y, 1e-10)
    close(inner.backward(np.ones((5, 3))), t.grad, 1e-10)
    geglu = nn.Sequential(nn.GEGLU(), dtype="float64")
    a, b = torch.tensor(x).chunk(2, 1)
    close(geglu(x), a * T.functional.gelu(b), 1e-10)


def test_ensemble():
    """PyTorch has no such module: the weighted sum of its modules' outputs, with the same numbers."""
    weights = [0.5, -0.25, 2.0]
    theirs = [T.Sequential(T.Linear(6, 5), T.Tanh(), T.Linear(5, 2)).double() for _ in weights]
    members = [nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2)) for _ in weights]
    ours = nn.Sequential(nn.Ensemble(*members, weights=weights), dtype="float64")
    ours.load_state_dict(T.Sequential(T.ModuleList(theirs)).state_dict())
    x = np.random.default_rng(1).normal(size=(7, 6))
    t = torch.tensor(x, requires_grad=True)
    y = sum(w * member(t) for w, member in zip(weights, theirs, strict=True))
    (y**2).sum().backward()
    close(ours(x), y, 1e-12)
    close(ours.backward(2 * ours(x)), t.grad, 1e-12)
    for parameter, other in zip(ours.parameters(), T.ModuleList(theirs).parameters(), strict=True):
        close(parameter.grad, other.grad, 1e-12)
