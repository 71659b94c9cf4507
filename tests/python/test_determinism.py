"""The numeric contract: the same bytes for any threads, any instruction set, any batch, any interruption."""

from __future__ import annotations

import itertools
import os

import numpy as np
import pytest

import cmlp
from cmlp import _core, nn, optim
from networks import as_targets
from products import slow_from
from tolerance import assert_same_bits

KINDS = {name: _core.output_kind(name) for name in cmlp.losses()}
KINDS.pop("gaussian_nll")  # two columns of predictions for one of targets: test_loss_settings.py
RULES = cmlp.optimizers()
# Every triple of the lists, in an order whose first rows show every loss, every rule and both precisions.
TRIPLES = [
    (
        loss,
        RULES[(at + shift) % len(RULES)],
        ["float32", "float64"][(at // 2 + shift + shift // len(RULES)) % 2],
    )
    for shift in range(2 * len(RULES))
    for at, loss in enumerate(KINDS)
]
CONFIGURATIONS = len(TRIPLES)
MORE = [  # each with options that change the step or draw numbers of their own
    {},
    {"l1": 1e-3, "l2": 0.01, "max_norm": 1.5},
    {"mixup": 0.4, "input_noise": 0.1},
    {"accumulate_steps": 2, "mixup": 1.0, "l2": 0.1},
]
FEW = 3 * len(KINDS)  # the others are slow
VECTOR_ISAS = [isa for isa in cmlp.runtime.isas() if isa != "scalar"] or ["scalar"]


class Configuration:
    """A network, its data and how it is trained, drawn from a number."""

    def __init__(self, number: int, largest: int = 300) -> None:
        rng = np.random.default_rng(number)
        self.loss, self.optimizer, self.dtype = TRIPLES[number % len(TRIPLES)]
        self.activations = rng.choice(cmlp.activations(), 3)
        depth = rng.integers(1, 4)
        self.widths = [int(w) for w in rng.integers(1, largest, depth + 1)]
        self.widths[0] = 1 + self.widths[0] % 80 if number % 3 else self.widths[0]
        self.dropout = float(rng.choice([0, 0, 0.3]))
        self.bias = [bool(b) for b in rng.integers(0, 5, depth)]
        self.batch_size = int(rng.choice([1, 7, 32, 100, 300]))
        self.seed, self.number = int(rng.integers(2**40)), number
        rows = int(min(rng.integers(self.batch_size, 3 * self.batch_size + 1), 400))
        self.x = rng.normal(size=(rows, self.widths[0])).astype(self.dtype)
        classes = KINDS[self.loss] == "class_logits"
        self.y = rng.integers(0, self.widths[-1], rows) if classes else self.numbers(rng, rows)
        self.weight = rng.uniform(0, 2, rows) if number % 2 else None
        grows = KINDS[self.loss] == "log_mean"  # exp(prediction): diverges unless clipped
        self.more = MORE[number // 3 % len(MORE)]
        self.clip = 0.5 if grows or number % 5 == 0 else 0.0

    def numbers(self, rng: np.random.Generator, rows: int) -> np.ndarray:
        return as_targets(self.loss, rng.uniform(size=(rows, self.widths[-1])))

    def network(self) -> nn.Sequential:
        layers = []
        for at, (n, m) in enumerate(itertools.pairwise(self.widths)):
            layers += [nn.Linear(n, m, bias=self.bias[at]), nn.Activation(str(self.activations[at]))]
            layers += [nn.Dropout(self.dropout)] if self.dropout else []
        end = {"probability": [nn.Sigmoid()]}.get(KINDS[self.loss], [])
        return nn.Sequential(*layers[:-1], *end, seed=self.seed, dtype=self.dtype)

    def trained(self, epochs: int = 2) -> tuple[list, nn.Sequential]:
        """Return everything a run leaves behind, times left out."""
        net = self.network()
        optimizer = optim.Optimizer(net.parameters(), self.optimizer, lr=0.01)
        history = self.fit(net, optimizer, epochs)
        state = optimizer.state_dict()["state"]
        return [
            *net.state_dict().values(),
            *state,
            np.array(history.history["loss"]),
            net.predict(self.x),
        ], net

    def fit(self, net, optimizer, epochs, initial_epoch=0):
        return net.fit(
            self.x, self.y, loss=self.loss, optimizer=optimizer, epochs=epochs, initial_epoch=initial_epoch,
            batch_size=self.batch_size, sample_weight=self.weight, clip_grad_norm=self.clip, seed=self.seed,
            **self.more,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"{self.number}-{self.loss}-{self.optimizer}-{self.dtype}"


@pytest.mark.parametrize("number", slow_from(FEW, range(CONFIGURATIONS)))
def test_same_bytes_for_any_threads_and_vector_isa(number, threads):
    before, configuration = cmlp.runtime.isa(), Configuration(number)
    runs = list(itertools.product(VECTOR_ISAS, (1, 2, 3)))
    try:
        expected = None
        for isa, count in runs:
            cmlp.runtime.set_isa(isa), threads(count)
            got = configuration.trained()[0]
            expected = expected or got
            assert_same_bits(got, expected)
            assert np.isfinite(got[0]).all()
    finally:
        cmlp.runtime.set_isa(before)


@pytest.mark.parametrize("number", slow_from(FEW, range(CONFIGURATIONS)))
def test_same_bytes_in_the_scalar_instruction_set(number, vector_isa):
    """Without vectors every product is slow: smaller networks."""
    configuration = Configuration(number, largest=40)
    ours = configuration.trained(1)[0]
    cmlp.runtime.set_isa("scalar")
    assert_same_bits(configuration.trained(1)[0], ours)


def test_configurations_are_many_and_some_of_them_large():
    assert set(TRIPLES) == set(itertools.product(KINDS, RULES, ["float32", "float64"]))
    every = [Configuration(number) for number in range(FEW)]
    assert len(every) >= 50
    assert {c.loss for c in every} == set(KINDS)
    assert {(c.optimizer, c.dtype) for c in every} == set(itertools.product(RULES, ["float32", "float64"]))
    assert {str(a) for c in every for a in c.activations} == set(cmlp.activations())
    assert {(c.dropout > 0, c.weight is None, c.clip > 0) for c in every} == set(
        itertools.product([False, True], repeat=3)
    )
    work = [min(c.batch_size, len(c.x)) * max(a * b for a, b in itertools.pairwise(c.widths)) for c in every]
    assert sum(w > 3 * 2**17 for w in work) >= 20  # enough in one product for three threads


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts threads in /proc")
def test_threads_are_really_used(threads):
    threads(3)
    nn.Sequential(nn.Linear(300, 300)).predict(np.ones((300, 300)))
    assert len(os.listdir("/proc/self/task")) >= 3


@pytest.mark.parametrize("number", slow_from(FEW, range(0, CONFIGURATIONS, 3)))
def test_a_row_alone_is_that_row_in_any_batch(number, isa):
    configuration = Configuration(number, largest=120)
    net, x = configuration.network(), configuration.x
    complete = net.predict(x)
    rng = np.random.default_rng(number)
    for size in (1, 2, 5, 6, 7, 64):
        for first in {0, len(x) // 2, max(0, len(x) - size)}:
            assert_same_bits(net.predict(x[first : first + size]), complete[first : first + size])
    order = rng.permutation(len(x))
    assert_same_bits(net.predict(x[order]), complete[order])
    assert_same_bits(net.predict(np.tile(x, (1 + 1100 // len(x), 1)))[-len(x) :], complete)


def test_a_row_alone_is_that_row_among_thousands(dtype, threads, isa):
    net = nn.Sequential(nn.Linear(33, 65), nn.GELU(), nn.Linear(65, 10), nn.Softmax(), dtype=dtype)
    x = np.random.default_rng(0).normal(size=(5000, 33)).astype(dtype)
    threads(2)
    complete = net.predict(x)
    threads(1)
    for row in (0, 1, 1023, 1024, 2500, 4999):
        assert_same_bits(net.predict(x[row : row + 1])[0], complete[row])


@pytest.mark.parametrize("number", slow_from(FEW, range(0, CONFIGURATIONS, 6)))
def test_the_same_seed_twice(number):
    assert_same_bits(Configuration(number).trained()[0], Configuration(number).trained()[0])


@pytest.mark.parametrize("number", slow_from(FEW, range(1, CONFIGURATIONS, 2)))
def test_a_resumed_run_is_the_uninterrupted_one(number):
    configuration = Configuration(number, largest=60)
    complete, _ = configuration.trained(5)
    net = configuration.network()
    optimizer = optim.Optimizer(net.parameters(), configuration.optimizer, lr=0.01)
    first = configuration.fit(net, optimizer, 2)
    again = _core.from_bytes(net._core.to_bytes())  # as through a file
    resumed = nn.Sequential._of_core(again)
    later = optim.Optimizer(resumed.parameters(), configuration.optimizer)
    later.load_state_dict(optimizer.state_dict())
    second = configuration.fit(resumed, later, 5, initial_epoch=2)
    assert first.epoch + second.epoch == [0, 1, 2, 3, 4]
    loss = np.array(first.history["loss"] + second.history["loss"])
    got = [
        *resumed.state_dict().values(),
        *later.state_dict()["state"],
        loss,
        resumed.predict(configuration.x),
    ]
    assert_same_bits(got, complete)


def test_other_seeds_give_other_runs():
    """Of the shuffle alone, and of the network alone."""
    x, y = np.random.default_rng(0).normal(size=(60, 5)), np.arange(60) % 3
    ends = []
    for net_seed, fit_seed in [(0, 0), (0, 1), (1, 0)]:
        net = nn.Sequential(nn.Linear(5, 3), seed=net_seed)
        net.fit(x, y, loss="cross_entropy", batch_size=8, seed=fit_seed)
        ends.append(net.predict(x))
    assert all((a != b).any() for a, b in itertools.combinations(ends, 2))


def order_of_epoch(epoch):
    """The order of the rows in training: row i has the loss (i + 1)^2, and nothing is learned."""
    net, costs = nn.Sequential(nn.Linear(50, 1, bias=False, init="zeros")), []
    net.fit(
        np.eye(50), np.arange(1.0, 51.0), loss="mse", optimizer=optim.SGD(net.parameters(), lr=0.0),
        batch_size=1, epochs=epoch + 1, initial_epoch=epoch, every_steps=1,
        step_callbacks=[lambda p: costs.append(p["loss"] * (p["step"] + 1))],
    )  # fmt: skip
    return np.rint(np.sqrt(np.diff(costs, prepend=0))).astype(int).tolist()


def test_each_epoch_has_an_order_of_its_own():
    orders = [order_of_epoch(epoch) for epoch in range(3)]
    assert all(sorted(order) == list(range(1, 51)) for order in orders)
    assert all(one != other for one, other in itertools.combinations(orders, 2))
