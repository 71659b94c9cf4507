"""How rows become batches: the last batch, dropped or joined, in net.fit and in the estimators."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import MLPClassifier, nn, optim
from tolerance import assert_same_bits

SIZES = [(7, 2), (13, 2), (13, 3), (21, 4), (61, 4), (61, 5), (50, 4), (9, 8), (3, 2), (401, 200)]


def rows(count, columns=3):
    rng = np.random.default_rng(count)
    return rng.normal(size=(count, columns)), np.arange(count) % 2


def normalised(**options):
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2), seed=0, **options)


def plain():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), seed=0)


def fit(net, x, y, **options):
    return net.fit(x, y, **{"loss": "cross_entropy", "shuffle": False, **options})


@pytest.mark.parametrize(("count", "size"), SIZES)
def test_a_single_row_that_is_left_over_joins_the_batch_before_it(count, size):
    """The steps are those of train_step over these batches."""
    (x, y), nets = rows(count), (normalised(), normalised())
    starts = list(range(0, count, size))
    starts = starts[:-1] if count % size == 1 else starts
    history = fit(nets[0], x, y, batch_size=size, optimizer=optim.SGD(nets[0].parameters(), lr=0.1))
    sgd, criterion = optim.SGD(nets[1].parameters(), lr=0.1), nn.CrossEntropyLoss()
    for start, end in zip(starts, [*starts[1:], count], strict=True):
        nets[1].train_step(x[start:end], y[start:end], criterion, sgd)
    assert history.steps == len(starts)
    assert_same_bits(list(nets[0].state_dict().values()), list(nets[1].state_dict().values()))


@pytest.mark.parametrize(("count", "size"), SIZES)
def test_it_stays_a_batch_where_no_layer_needs_several_rows(count, size):
    assert fit(plain(), *rows(count), batch_size=size).steps == -(-count // size)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("count", "size"), [*SIZES, (40201, "auto")])
def test_estimators_join_it_likewise(count, size):
    model = MLPClassifier((4,), batch_norm=True, batch_size=size, max_iter=1, random_state=0)
    assert np.isfinite(model.fit(*rows(count)).loss_)


@pytest.mark.filterwarnings("ignore")
def test_schedules_by_the_step_count_the_joined_batch():
    net = normalised()
    sgd = optim.SGD(net.parameters(), lr=1.0)
    scheduler = optim.lr_scheduler.ExponentialLR(sgd, 0.5)
    fit(net, *rows(9), batch_size=4, optimizer=sgd, scheduler=scheduler, scheduler_interval="step", epochs=2)
    assert sgd.lr == 0.5**4


@pytest.mark.parametrize("make", [plain, normalised])
@pytest.mark.parametrize(("count", "size"), SIZES)
def test_drop_last(make, count, size):
    (x, y), nets = rows(count), (make(), make())
    kept = count // size * size
    history = fit(nets[0], x, y, batch_size=size, drop_last=True, epochs=2)
    fit(nets[1], x[:kept], y[:kept], batch_size=size, epochs=2)
    assert history.steps == 2 * (count // size)
    assert_same_bits(list(nets[0].state_dict().values()), list(nets[1].state_dict().values()))


@pytest.mark.parametrize("accumulate", [2, 3])
def test_drop_last_and_accumulated_batches(accumulate):
    history = fit(plain(), *rows(23), batch_size=4, drop_last=True, accumulate_steps=accumulate)
    assert history.steps == -(-5 // accumulate)


REFUSED = {
    "nothing left": (
        lambda: fit(plain(), *rows(5), batch_size=8, drop_last=True),
        "drop_last leaves no batch",
    ),
    "batches of one": (lambda: fit(normalised(), *rows(5), batch_size=1), "several rows: batch_size is 1"),
    "one row": (lambda: fit(normalised(), *rows(1)), "several rows: there is one row"),
    "a word": (lambda: fit(plain(), *rows(5), drop_last="yes"), "drop_last is yes, it must be True or False"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_it_is_refused_before_the_weights_change():
    net, before = normalised(), normalised().state_dict()
    with pytest.raises(ValueError, match="batch_size is 1"):
        fit(net, *rows(5), batch_size=1)
    assert_same_bits(list(net.state_dict().values()), list(before.values()))
