"""precision="bf16": its definition, the same bits everywhere, and learning as good as in float32."""

import copy
import pickle
import re
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import cmlp
from cmlp import nn, optim

F32 = np.float32
TINY, LARGEST = Fraction(2) ** -126, Fraction(2) ** 128 - Fraction(2) ** 104
ISAS = cmlp.runtime.isas()


@pytest.fixture(autouse=True)
def running():
    isa, threads = cmlp.runtime.isa(), cmlp.get_num_threads()
    yield
    cmlp.runtime.set_isa(isa)
    cmlp.set_num_threads(threads)


# ---- the definition, in exact arithmetic


def flush(v):
    return F32(np.copysign(0, v)) if 0 < abs(v) < F32(2.0**-126) else F32(v)


def bf16(v):
    """Nearest, ties to even; subnormal numbers are zeros."""
    word = int(flush(F32(v)).view(np.uint32))
    return np.uint32((word + 0x7FFF + (word >> 16 & 1)) & 0xFFFF0000).view(F32)


def fma(a, b, c):
    """a b + c rounded once; what would be below 2^-126 with an exponent of any size is a zero."""
    if not np.isfinite(c):
        return c
    exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
    if exact == 0:
        return F32(a * b + c)
    if abs(exact) < TINY * (1 - Fraction(2) ** -25):
        return F32(np.copysign(0, float(exact)))
    if abs(exact) >= LARGEST + Fraction(2) ** 103:
        return F32(np.inf if exact > 0 else -np.inf)
    near = F32(float(max(-LARGEST, min(exact, LARGEST))))
    with np.errstate(over="ignore"):
        around = [near, np.nextafter(near, F32(np.inf)), np.nextafter(near, F32(-np.inf))]
    return min(
        filter(np.isfinite, around),
        key=lambda v: (abs(Fraction(float(v)) - exact), int(v.view(np.uint32)) & 1),
    )


def product(a, b, start):
    """Rows of a times columns of b: terms p and p + h in one step, the second one first."""
    (m, k), n = a.shape, b.shape[1]
    half = (k + 1) // 2
    out = np.empty((m, n), F32)
    for i in range(m):
        for j in range(n):
            total = flush(start[j])
            for p in range(half):
                above = bf16(a[i, p + half]), bf16(b[p + half, j])
                total = fma(*above, total) if p + half < k else fma(F32(0), F32(0), total)
                total = fma(bf16(a[i, p]), bf16(b[p, j]), total)
            out[i, j] = total
    return out


def padded(x, axis):
    """One more row or column of zeros for an odd number, so that all terms have a partner."""
    short = x.shape[axis] % 2
    return np.pad(x, [(0, short if at == axis else 0) for at in (0, 1)])


def linear(fan_in, fan_out, rng):
    net = nn.Sequential(nn.Linear(fan_in, fan_out), precision="bf16")
    net[0].weight.data = rng.normal(size=(fan_out, fan_in))
    net[0].bias.data = rng.normal(size=fan_out)
    return net


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(("rows", "fan_in", "fan_out"), [(1, 1, 1), (3, 5, 4), (7, 8, 3), (2, 6, 17)])
def test_products_follow_the_definition(isa, rows, fan_in, fan_out):
    cmlp.runtime.set_isa(isa)
    rng = np.random.default_rng(0)
    net, x = linear(fan_in, fan_out, rng), rng.normal(size=(rows, fan_in)).astype(F32)
    w, dy = net[0].weight.data, rng.normal(size=(rows, fan_out)).astype(F32)
    zeros = np.zeros(max(fan_in, fan_out), F32)
    assert np.array_equal(net(x), product(padded(x, 1), padded(w.T, 0), net[0].bias.data))
    net.zero_grad()
    dx = net.backward(dy)
    assert np.array_equal(dx, product(padded(dy, 1), padded(w, 0), zeros))
    assert np.array_equal(net[0].weight.grad, product(padded(x, 0).T, padded(dy, 0), zeros).T)
    np.testing.assert_allclose(net[0].bias.grad, dy.sum(axis=0), rtol=1e-5, atol=1e-6)


# (a, b, start) of one fma each: limits that an instruction and its steps could treat in different ways.
LIMITS = [
    (2.0**-75, -(2.0**-75), 2.0**-126),  # rounds to the smallest normal number among subnormal ones alone
    (2.0**-75, -(2.0**-76), 2.0**-126),  # stays the smallest normal number
    (2.0**-75, 2.0**-51, 0.0),
    (2.0**-75, 2.0**-52, 0.0),
    (2.0**-130, 2.0**20, 1e-20),  # a subnormal factor
    (1.0, 1.0, 2.0**-130),  # a subnormal start
    (2.0**-63, 2.0**-64, 2.0**-127),
    (3.3895314e38, 1.0, 0.0),
    (2.0**64, 2.0**63, 2.0**127),
    (1.00390625, 1.0, 0.0),  # a tie of the rounding to bfloat16
    (1.01171875, 1.0, 0.0),
    (-0.0, 1.0, -0.0),
]


@pytest.mark.parametrize("isa", ISAS)
def test_limits(isa):
    cmlp.runtime.set_isa(isa)
    for a, b, start in LIMITS:
        net = nn.Sequential(nn.Linear(2, 1), precision="bf16")
        net[0].weight.data, net[0].bias.data = [[0.0, b]], [start]
        expected = fma(F32(0), F32(0), fma(bf16(a), bf16(b), flush(F32(start))))
        assert net(np.array([[0.0, a]], F32))[0, 0] == expected, (a, b, start)


@pytest.mark.parametrize("isa", ISAS)
def test_what_is_not_finite_stays_so(isa):
    cmlp.runtime.set_isa(isa)
    net = nn.Sequential(nn.Linear(1, 1, bias=False), precision="bf16")
    net[0].weight.data = [[1.0]]
    given = np.array([np.inf, -np.inf, np.nan, 3.4e38], F32)
    assert np.array_equal(net(given[:, None])[:, 0], [np.inf, -np.inf, np.nan, np.inf], equal_nan=True)


# ---- the same bits


def network(precision="bf16", seed=0, sizes=(70, 130, 65, 10)):
    modules = [m for a, b in pairwise(sizes) for m in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*modules[:-1], seed=seed, precision=precision)


def trained(rows=300):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(rows, 70)).astype(F32), rng.integers(0, 10, rows)
    net = network()
    net.fit(
        x, y, loss="cross_entropy", optimizer=optim.Adam(net.parameters(), 0.01), epochs=2, batch_size=rows
    )
    return net.predict(x).tobytes(), [p.data.tobytes() for p in net.parameters()]


def test_same_bits_on_every_instruction_set_and_any_threads():
    outcomes = []
    for isa in ISAS:
        for threads in (1, 2, 3):
            cmlp.runtime.set_isa(isa)
            cmlp.set_num_threads(threads)
            outcomes.append(trained())
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_a_row_alone_is_the_row_in_a_batch():
    x = np.random.default_rng(0).normal(size=(50, 70)).astype(F32)
    net = network()
    complete = net.predict(x)
    assert np.array_equal(complete, net(x))
    assert all(np.array_equal(net.predict(x[i : i + 1])[0], complete[i]) for i in range(50))


# ---- the network around it


def test_gradients_are_near_those_of_float32():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 70)).astype(F32), rng.integers(0, 10, 64)
    gradients = []
    for precision in (None, "bf16"):
        net, criterion = network(precision), nn.CrossEntropyLoss()
        criterion(net(x), y)
        net.zero_grad()
        net.backward(criterion.backward())
        gradients.append(np.concatenate([p.grad.ravel() for p in net.parameters()]))
    difference = np.linalg.norm(gradients[1] - gradients[0]) / np.linalg.norm(gradients[0])
    assert 0 < difference < 0.05


def through_file(net, folder):
    cmlp.save(net, folder / "net.safetensors")
    return cmlp.load(folder / "net.safetensors")


COPIES = {
    "file": through_file,
    "pickle": lambda net, _: pickle.loads(pickle.dumps(net)),
    "copy": lambda net, _: net.copy(),
    "deepcopy": lambda net, _: copy.deepcopy(net),
    "to": lambda net, _: net.to("float32"),
}


@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
def test_copies_keep_the_precision(make, tmp_path):
    net, x = network(), np.random.default_rng(0).normal(size=(5, 70))
    other = make(net, tmp_path)
    assert other.precision == "bf16"
    assert np.array_equal(other.predict(x), net.predict(x))
    assert not np.array_equal(network(None).predict(x), net.predict(x))


def test_precision_is_a_property():
    net, x = network(None), np.random.default_rng(0).normal(size=(5, 70))
    plain = net.predict(x)
    assert net.precision == "float32"
    net.precision = "bf16"
    assert "parameters, bf16" in net.summary()
    assert not np.array_equal(net.predict(x), plain)
    net.precision = "float32"
    assert np.array_equal(net.predict(x), plain)
    assert net.to("float64").precision == "float64"


BAD = {
    "unknown": (lambda: network("fp8"), "unknown precision 'fp8'; choose from float32, bf16"),
    "float64": (
        lambda: nn.Sequential(nn.Linear(1, 1), dtype="float64", precision="bf16"),
        "precision: bf16 is for float32 networks, this one is float64",
    ),
    "sparse": (lambda: network()(sp.csr_array((2, 70))), "x is sparse, with precision bf16 it must be dense"),
    "inner": (
        lambda: setattr(nn.Sequential(nn.Sequential(nn.Linear(1, 1)))[0], "precision", "bf16"),
        "precision: this network belongs to a larger one",
    ),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


# ---- what is learned


@pytest.mark.parametrize("load", [load_digits, load_breast_cancer, load_wine])
def test_accuracy_is_within_seed_noise_of_float32(load):
    x, y = load(return_X_y=True)
    scores = {}
    for precision in ("float32", "bf16"):
        scores[precision] = []
        for seed in range(8):
            parts = train_test_split(x, y, random_state=seed, stratify=y, test_size=0.3)
            scaler = StandardScaler().fit(parts[0])
            net = network(precision, seed, (x.shape[1], 64, 64, len(np.unique(y))))
            adam = optim.Adam(net.parameters(), 0.003)
            train, test = scaler.transform(parts[0]), scaler.transform(parts[1])
            net.fit(train, parts[2], loss="cross_entropy", optimizer=adam, epochs=25, seed=seed)
            scores[precision].append(np.mean(net.predict(test).argmax(axis=1) == parts[3]))
    noise = np.std(scores["float32"]) / np.sqrt(8)
    assert abs(np.mean(scores["bf16"]) - np.mean(scores["float32"])) < 2 * noise + 1e-9, scores
