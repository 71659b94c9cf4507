"""Ensemble: its members one by one give the same bits; nesting, sparse input, names, files, refusals."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from scipy import sparse

import cmlp
from cmlp import nn, optim
from cmlp.nn.module import make_core
from tolerance import assert_close, assert_same_bits

WEIGHTS = [0.2, -0.5, 1.3]


def member(seed, dtype="float32", width=8):
    return nn.Sequential(
        nn.Linear(6, width), nn.BatchNorm1d(width), nn.GELU(), nn.Linear(width, 3), seed=seed, dtype=dtype
    )


def ensemble(members, weights=WEIGHTS):
    """A network of copies of the members, with their numbers."""
    dtype = members[0].dtype
    net = nn.Sequential(nn.Ensemble(*(m.copy() for m in members), weights=weights), dtype=dtype)
    state = {f"0.{at}.{key}": x for at, m in enumerate(members) for key, x in m.state_dict().items()}
    net.load_state_dict(state)
    return net


def weighted_sum(outputs, weights):
    """The products, each rounded, added in their order."""
    products = [y * y.dtype.type(w) for y, w in zip(outputs, weights, strict=True)]
    return sum(products[1:], products[0])


@pytest.mark.parametrize("training", [True, False])
def test_forward_and_backward_have_the_bits_of_the_members(training, dtype, isa, rng):
    members = [member(seed, dtype).train(training) for seed in range(3)]
    net = ensemble(members).train(training)
    x, dy = rng.normal(size=(37, 6)).astype(dtype), rng.normal(size=(37, 3)).astype(dtype)
    assert_same_bits(net(x), weighted_sum([m(x) for m in members], WEIGHTS))
    parts = [m.backward(dy * dy.dtype.type(w)) for m, w in zip(members, WEIGHTS, strict=True)]
    assert_same_bits(net.backward(dy), parts[0] + parts[1] + parts[2])
    grads = [p.grad for m in members for p in m.parameters()]
    assert_same_bits([p.grad for p in net.parameters()], grads)
    assert_same_bits(list(net.state_dict().values()), [v for m in members for v in m.state_dict().values()])


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("rows", [1, 40, 3000])
def test_predictions_have_the_bits_of_the_members(count, rows, dtype, threads, rng):
    threads(count)
    members = [member(seed, dtype, 64) for seed in range(3)]
    x = rng.normal(size=(rows, 6)).astype(dtype)
    expected = weighted_sum([m.predict(x) for m in members], WEIGHTS)
    assert_same_bits(ensemble(members).predict(x), expected)


def test_the_default_is_the_mean(rng):
    members = [member(seed, "float64") for seed in range(5)]
    net, x = ensemble(members, None), rng.normal(size=(9, 6))
    assert net[0].weights == [0.2] * 5
    assert_close(net.predict(x), np.mean([m.predict(x) for m in members], axis=0), "forward", scale=1)


def test_sparse_input_goes_to_the_first_layer_of_each_member(dtype):
    inner = nn.Sequential(nn.Ensemble(nn.Linear(6, 4), nn.Linear(6, 4)), nn.ReLU(), nn.Linear(4, 3))
    net = nn.Sequential(nn.Ensemble(member(1), inner, member(2)), nn.Tanh(), dtype=dtype)
    x = sparse.random(30, 6, 0.4, "csr", dtype=dtype, random_state=0)
    dense, dy = x.toarray(), np.ones((30, 3), dtype)
    assert_same_bits(net.eval().predict(x), net.predict(dense))
    for training in (True, False):
        net.train(training).zero_grad()
        y, dx, grads = net(x), net.backward(dy), [p.grad.copy() for p in net.parameters()]
        net.zero_grad()
        assert_same_bits([net(dense), net.backward(dy)], [y, dx])
        assert_same_bits([p.grad for p in net.parameters()], grads)
        for ours, theirs in zip(net.trace(x), net.trace(dense), strict=True):
            value = ours.value.toarray() if sparse.issparse(ours.value) else ours.value
            assert_same_bits(value, theirs.value)
    empty = sparse.csr_matrix((4, 6), dtype=dtype)
    assert_same_bits(net.predict(empty), net.predict(empty.toarray()))
    assert_same_bits(net.backward(net(empty)), net.backward(net(empty.toarray())))


@pytest.mark.parametrize("as_input", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_training_is_that_of_the_members_with_weighted_gradients(as_input, rng):
    """The loss is linear in the output, so that each member's gradient does not depend on the others."""
    x, y = rng.normal(size=(64, 6)), np.full((64, 3), -1e6)
    members = [member(seed, "float64") for seed in range(3)]
    net = ensemble(members)
    net.fit(
        as_input(x), y, loss=nn.L1Loss(), optimizer=optim.SGD(net.parameters(), 0.1), epochs=3, batch_size=16,
        seed=1, verbose=0,
    )  # fmt: skip
    for own, m, weight in zip(net[0], members, WEIGHTS, strict=True):
        sgd = optim.SGD(m.parameters(), 0.1 * abs(weight))
        m.fit(
            as_input(x), np.sign(weight) * y, loss=nn.L1Loss(), optimizer=sgd, epochs=3, batch_size=16,
            seed=1, verbose=0,
        )  # fmt: skip
        for p, q in zip(own.parameters(), m.parameters(), strict=True):
            assert_close(p.data, q.data, "training", "float64", scale=1)


def test_train_step_is_forward_backward_and_step(dtype, rng):
    x, y = rng.normal(size=(20, 6)), rng.normal(size=(20, 3))
    net = nn.Sequential(nn.Ensemble(member(1), nn.Sequential(nn.Dropout(0.5), nn.Linear(6, 3))), dtype=dtype)
    other, loss = net.copy(), nn.MSELoss()
    net.train_step(x, y, loss, optim.SGD(net.parameters(), lr=0.1))
    loss(other(x), y)
    other.backward(loss.backward())
    optim.SGD(other.parameters(), lr=0.1).step()
    assert_same_bits(list(net.state_dict().values()), list(other.state_dict().values()))


def test_trace_has_the_gradients_of_backward(rng):
    layers = [nn.Linear(6, 6), nn.Ensemble(nn.Residual(nn.Scale(6)), nn.Ensemble(nn.Flatten(), nn.Tanh()))]
    net, x, y = nn.Sequential(*layers), rng.normal(size=(5, 6)), rng.normal(size=(5, 6))
    loss = nn.MSELoss()
    rows = {row.name: row for row in net.trace(x, y, loss)}
    loss(net(x), y)
    assert_same_bits(net.backward(loss.backward()), rows["input"].gradient)
    out = rows["1.end"].gradient
    assert_same_bits(rows["1.0.end"].gradient, out * np.float32(0.5))
    assert_same_bits(rows["1.1.1: Tanh"].gradient, out * np.float32(0.5) * np.float32(0.5))
    assert_same_bits(rows["1.next1"].value, rows["0: Linear"].value)


def test_names_parts_and_places():
    net = nn.Sequential(nn.Linear(6, 6), nn.Ensemble([member(1), nn.Linear(6, 3)]), nn.Softmax(1))
    assert [name for name in net.state_dict() if name.endswith("weight")] == [
        "0.weight", "1.0.0.weight", "1.0.1.weight", "1.0.3.weight", "1.1.weight",
    ]  # fmt: skip
    x = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    net.eval()
    hidden = net[0](x)
    mean = weighted_sum([net[1][0](hidden), net[1][1](hidden)], [0.5, 0.5])
    assert_same_bits(net[1](hidden), mean)
    assert_same_bits(net[:2](x), mean)
    assert len(net[1]) == 2
    assert list(dict(net.named_modules()))[2:4] == ["1", "1.0"]


def test_members_keep_the_numbers_they_have_and_others_are_drawn_by_the_network():
    trained, new = nn.Linear(2, 1), nn.Linear(2, 1, seed=5)
    trained.weight.data = [[7.0, 8.0]]
    both = nn.Ensemble(trained, new, seed=3)
    assert both[0].weight.data.tolist() == [[7.0, 8.0]]
    other = nn.Sequential(nn.Ensemble(nn.Linear(2, 1), nn.Linear(2, 1, seed=7)), seed=3)
    assert_same_bits(new.weight.data, other[0][1].weight.data)
    assert (other[0][0].weight.data != other[0][1].weight.data).all()


@pytest.mark.parametrize("at", [0, 1])
def test_a_last_layer_is_initialised_for_the_activation_behind_the_ensemble(at):
    """Not for the one with which the next member begins."""

    def last(init):
        members = nn.Linear(64, 64, init=init), nn.Sequential(nn.Tanh(), nn.Linear(64, 64, init=init))
        linear = nn.Sequential(nn.Ensemble(*members), nn.ReLU(), seed=2)[0][at]
        return (linear if at == 0 else linear[1]).weight.data

    assert_same_bits(last("auto"), last("kaiming_uniform"))


def test_files_copies_and_texts(dtype, tmp_path, rng):
    net = nn.Sequential(
        nn.Ensemble(member(1), nn.Ensemble(nn.Linear(6, 3), weights=[0.1]), nn.Linear(6, 3), weights=WEIGHTS),
        dtype=dtype,
    )
    x = rng.normal(size=(9, 6))
    net(x), net.eval()
    cmlp.save(net, tmp_path / "net.safetensors")
    copies = [
        cmlp.load(tmp_path / "net.safetensors"), copy.deepcopy(net), pickle.loads(pickle.dumps(net)),
        net.copy(),
    ]  # fmt: skip
    for other in copies:
        assert_same_bits(other.predict(x), net.predict(x))
        assert (repr(other), other.summary()) == (repr(net), net.summary())
        assert other[0].weights == WEIGHTS
    again = eval(repr(net), {name: getattr(nn, name) for name in nn.__all__})
    again.load_state_dict(net.state_dict())
    assert_same_bits(again.eval().predict(x), net.predict(x))
    alone = nn.Ensemble(member(1), nn.Linear(6, 3), weights=[2.0, 0.5])
    twin = pickle.loads(pickle.dumps(alone))
    assert_same_bits(twin(x), alone(x))
    assert repr(twin) == repr(alone)


LINEAR_FIELDS = {"in_features": 2, "out_features": 2, "bias": True}


def test_networks_of_cpp_whose_layers_are_numbered():
    """The brackets alone say which layers form a group."""
    kinds = [
        ("Linear", LINEAR_FIELDS), ("EnsembleBegin", {}), ("ResidualBegin", {}), ("Linear", LINEAR_FIELDS),
        ("Scale", {"features": 2}), ("ResidualEnd", {}), ("EnsembleNext", {"weight": 2.0}),
        ("Linear", LINEAR_FIELDS), ("Scale", {"features": 2}), ("EnsembleEnd", {"weight": 3.0}),
        ("Softmax", {}),
    ]  # fmt: skip
    specs = [(str(at), kind, fields) for at, (kind, fields) in enumerate(kinds)]
    net = nn.Sequential._of_core(make_core(specs, 1, "float64"))
    members = nn.Residual(nn.Linear(2, 2), nn.Scale(2)), nn.Sequential(nn.Linear(2, 2), nn.Scale(2))
    other = nn.Sequential(
        nn.Linear(2, 2), nn.Ensemble(*members, weights=[2.0, 3.0]), nn.Softmax(-1), seed=1, dtype="float64"
    )
    x = np.random.default_rng(0).normal(size=(3, 2))
    assert repr(net) == repr(other)
    assert list(net.state_dict()) == list(other.state_dict())
    assert_same_bits([net(x), net[1](x), net[1][1](x)], [other(x), other[1](x), other[1][1](x)])
    for again in (net.copy(), pickle.loads(pickle.dumps(net)), net[1:].copy()):
        assert repr(again[-1]) == repr(other[-1])


LINEAR = nn.Linear(2, 3)
REFUSALS = {
    "no members": (lambda: nn.Ensemble(), "there are no members"),
    "an empty list": (lambda: nn.Ensemble([]), "there are no members"),
    "no module": (lambda: nn.Ensemble(nn.Linear(2, 3), 3), "3 is not a module"),
    "a list": (lambda: nn.Ensemble(nn.Linear(2, 3), [nn.ReLU()]), "nn.Sequential makes one"),
    "one member twice": (lambda: nn.Ensemble(LINEAR, LINEAR), "stands here twice"),
    "other inputs": (
        lambda: nn.Ensemble(nn.Linear(2, 3), nn.ReLU(), nn.Linear(4, 3)),
        "member 2 takes 4 columns, member 0 takes 2; all members get the same input",
    ),
    "other inputs behind a gate": (
        lambda: nn.Sequential(nn.GLU(), nn.Ensemble(nn.ReLU(), nn.Linear(2, 3), nn.Linear(1, 3))),
        "member 2 takes 1 columns, member 1 takes 2",
    ),
    "other outputs": (
        lambda: nn.Ensemble(nn.Linear(2, 3), nn.Linear(2, 4)),
        "member 1 turns 2 columns into 4, member 0 into 3; the sum needs the same",
    ),
    "other outputs for an input of any width": (
        lambda: nn.Ensemble(nn.ReLU(), nn.GLU())(np.ones((2, 4))),
        "member 1 turns 4 columns into 2, member 0 into 4",
    ),
    "too few weights": (
        lambda: nn.Ensemble(nn.Linear(2, 3), nn.Linear(2, 3), weights=[1]),
        "there are 1 weights for 2 members",
    ),
    "nan": (lambda: nn.Ensemble(nn.Linear(2, 3), weights=[np.nan]), r"weights\[0\] is nan, it must be"),
    "infinite": (
        lambda: nn.Ensemble(nn.Linear(2, 3), weights=[-np.inf]),
        r"weights\[0\] is -inf, it must be",
    ),
    "text": (
        lambda: nn.Ensemble(nn.Linear(2, 3), weights=["a"]),
        r"weights\[0\] is 'a', it must be a number",
    ),
    "one number": (lambda: nn.Ensemble(nn.Linear(2, 3), weights=1.0), "weights is 1.0, it must be a list"),
    "other weights": (
        lambda: setattr(nn.Ensemble(nn.Linear(2, 3)), "weights", [2.0]),
        "weights cannot be changed",
    ),
    "a slice": (lambda: nn.Ensemble(nn.ReLU(), nn.Tanh())[:1], "it has no slices"),
    "a wrong x": (
        lambda: nn.Ensemble(nn.Linear(2, 3), nn.Linear(2, 3))(np.ones((1, 5))),
        "x has 5 columns, the layer '0' expects 2",
    ),
    "a sparse x for another layer": (
        lambda: nn.Ensemble(nn.Linear(6, 6), nn.LayerNorm(6))(sparse.eye(6, format="csr")),
        "LayerNorm.forward: x is sparse, only a Linear takes it",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_refused(name):
    call, message = REFUSALS[name]
    with pytest.raises((ValueError, TypeError, AttributeError), match=message):
        call()
