"""Rules that see all rows at once, in fit: records, validation, stopping, interruption, refusals."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time

import numpy as np
import pytest

import cmlp
from cmlp import EarlyStopping, nn, optim
from tolerance import assert_close, assert_same_bits

RULES = {"lbfgs": optim.LBFGS, "levenberg_marquardt": optim.LevenbergMarquardt}
VECTOR_ISAS = [isa for isa in cmlp.runtime.isas() if isa != "scalar"] or ["scalar"]


def rows(count=60, columns=3, outputs=1, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, columns))
    return x, np.sin(x @ rng.normal(size=(columns, outputs)))


def network(dtype="float64", columns=3, hidden=6, outputs=1):
    layers = [nn.Linear(columns, hidden), nn.Tanh(), nn.Linear(hidden, outputs)]
    return nn.Sequential(*layers, dtype=dtype, seed=1)


def rule(name, net, **settings):
    settings |= {"line_search_fn": "strong_wolfe"} if name == "lbfgs" else {}
    return RULES[name](net.parameters(), **settings)


def bits(net):
    return [value.copy() for value in net.state_dict().values()]


@pytest.mark.parametrize("name", RULES)
def test_a_network_is_fitted_by_name(name, dtype):
    net, (x, y) = network(dtype), rows()
    history = net.fit(
        x, y, loss="mse", optimizer=name, epochs=12, metrics=["r2"], validation_data=rows(seed=2)
    )
    losses = history.history["loss"]
    assert len(losses) == history.steps == 12
    assert losses[-1] < 1e-2 * losses[0]
    assert all(b <= a for a, b in itertools.pairwise(losses))
    assert set(history.history) == {"loss", "r2", "val_loss", "val_r2", "lr", "seconds"}


@pytest.mark.parametrize("name", RULES)
def test_the_record_is_of_the_weights_before_the_step(name, dtype):
    net, (x, y), weight = network(dtype), rows(), np.random.default_rng(3).uniform(0, 2, 60)
    optimizer = rule(name, net)
    for _ in range(3):
        before = net.evaluate(x, y, loss="mse", metrics=["mae"], sample_weight=weight)
        history = net.fit(x, y, loss="mse", optimizer=optimizer, sample_weight=weight, metrics=["mae"])
        got = [history.history["loss"][0], history.history["mae"][0]]
        assert_close(got, list(before.values()), "forward", dtype)


@pytest.mark.parametrize("name", RULES)
def test_several_fits_are_one(name, dtype):
    complete, parts, (x, y) = network(dtype), network(dtype), rows()
    first, second = rule(name, complete), rule(name, parts)
    complete.fit(x, y, loss="mse", optimizer=first, epochs=6)
    parts.fit(x, y, loss="mse", optimizer=second, epochs=3)
    third = rule(name, parts)
    third.load_state_dict(second.state_dict())
    parts.fit(x, y, loss="mse", optimizer=third, epochs=6, initial_epoch=3)
    assert_same_bits(bits(complete), bits(parts))
    assert repr(third) == repr(first)


@pytest.mark.parametrize("name", RULES)
def test_a_weight_is_that_many_rows(name):
    """Weight 2 is the row twice, weight 0 the row absent."""
    (x, y), weight = rows(), np.arange(60) % 3
    weighted, repeated = network(), network()
    weighted.fit(x, y, loss="mse", optimizer=rule(name, weighted), sample_weight=weight, epochs=2)
    again = np.repeat(np.arange(60), weight)
    repeated.fit(x[again], y[again], loss="mse", optimizer=rule(name, repeated), epochs=2)
    for a, b in zip(bits(weighted), bits(repeated), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("outputs", [1, 3])
def test_same_bytes_for_any_threads_and_vector_isa(name, outputs, dtype, threads):
    before, (x, y) = cmlp.runtime.isa(), rows(400, 40, outputs)
    try:
        expected = None
        for isa, count in itertools.product(VECTOR_ISAS, (1, 2, 3)):
            cmlp.runtime.set_isa(isa), threads(count)
            net = network(dtype, 40, 20, outputs)
            history = net.fit(x, y, loss="mse", optimizer=rule(name, net), epochs=3)
            got = [*bits(net), np.array(history.history["loss"])]
            expected = expected or got
            assert_same_bits(got, expected)
    finally:
        cmlp.runtime.set_isa(before)


@pytest.mark.parametrize("name", RULES)
def test_same_bytes_in_the_scalar_instruction_set(name, dtype, vector_isa):
    def trained():
        net, (x, y) = network(dtype), rows()
        net.fit(x, y, loss="mse", optimizer=rule(name, net), epochs=4)
        return bits(net)

    ours = trained()
    cmlp.runtime.set_isa("scalar")
    assert_same_bits(trained(), ours)


@pytest.mark.parametrize("name", RULES)
def test_reasons_to_stop(name):
    def fit(**options):
        net, (x, y) = network(), rows()
        return net.fit(x, y, loss="mse", optimizer=rule(name, net), **{"epochs": 10**6, **options})

    assert fit(callbacks=[lambda record: record["epoch"] < 2]).stop == "callback"
    assert fit(step_callbacks=[lambda _: False], every_steps=2).steps == 2
    assert fit(early_stopping=EarlyStopping(patience=1, min_delta=0.5)).stop == "early_stopping"
    assert fit(time_limit=1e-9).stop == "time_limit"
    assert fit(epochs=0).stop == "completed"


@pytest.mark.parametrize("name", RULES)
def test_a_minimum_ends_the_fit(name, rng):
    x, w = rng.normal(size=(30, 4)), rng.normal(size=(4, 1))
    net = nn.Sequential(nn.Linear(4, 1), dtype="float64")
    history = net.fit(x, x @ w, loss="mse", optimizer=rule(name, net), epochs=1000)
    assert history.stop == "converged"
    assert len(history.epoch) < 100
    np.testing.assert_allclose(net[0].weight.data, w.T, atol=1e-4)


@pytest.mark.parametrize("name", RULES)
def test_the_best_epoch_is_restored(name):
    net, (x, y), recorded = network(), rows(), []
    stopping = EarlyStopping(monitor="val_loss", patience=3)
    history = net.fit(
        x, y, loss="mse", optimizer=rule(name, net), epochs=400, validation_data=rows(seed=9),
        early_stopping=stopping, callbacks=[lambda _: recorded.append(bits(net))],
    )  # fmt: skip
    assert_same_bits(bits(net), recorded[history.best_epoch])


@pytest.mark.skipif(os.name != "posix", reason="sends itself a signal")
@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("name", RULES)
def test_ctrl_c_ends_a_fit_and_leaves_the_network_usable(name):
    net, (x, y) = network(columns=30, hidden=60), rows(3000, 30)  # seconds of work
    sent = []

    def interrupt():
        time.sleep(0.3)
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    worker = threading.Thread(target=interrupt)
    worker.start()
    with pytest.raises(KeyboardInterrupt):
        net.fit(x, np.random.default_rng(1).normal(size=y.shape), loss="mse", optimizer=name, epochs=10**6)
    worker.join()
    assert time.perf_counter() - sent[0] < 5
    assert net.history.stop == "interrupted"
    assert np.isfinite(net.predict(x)).all()
    assert net.fit(x, y, loss="mse", optimizer=name, epochs=2).stop == "completed"


@pytest.mark.parametrize("name", RULES)
def test_a_loss_that_overflows_keeps_the_weights(name, dtype):
    net, (x, y) = network(dtype), rows()
    net[2].bias.data[:] = np.finfo(dtype).max / 4
    before = bits(net)
    with pytest.raises(cmlp.NonFiniteError, match="the loss or its gradient is not finite at step"):
        net.fit(x, y, loss="mse", optimizer=name)
    assert_same_bits(bits(net), before)


def test_a_line_search_turns_back_from_infinity():
    """exp overflows far along the first line."""
    net, (x, y) = nn.Sequential(nn.Linear(3, 1), dtype="float64", seed=1), rows()
    optimizer = optim.LBFGS(net.parameters(), lr=1e6, line_search_fn="strong_wolfe")
    counts = np.random.default_rng(0).poisson(3, size=y.shape)
    losses = net.fit(x, counts, loss="poisson_nll", optimizer=optimizer, epochs=5).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def test_dropout_masks_stay_for_an_epoch_and_change_with_it():
    def trained(epochs):
        x, y = rows()
        net = nn.Sequential(nn.Linear(3, 20), nn.Tanh(), nn.Dropout(0.5), nn.Linear(20, 1), seed=1)
        history = net.fit(x, y, loss="mse", optimizer=rule("lbfgs", net, max_iter=5), epochs=epochs)
        return net, history

    (net, _), (same, _) = trained(3), trained(3)
    assert_same_bits(bits(net), bits(same))
    losses = trained(12)[1].history["loss"]
    assert any(b > a for a, b in itertools.pairwise(losses))  # another mask, another loss


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_blocks_of_rows_are_one_batch(reduction, threads):
    """More rows than a pass takes at once, against a closure that takes them all; the last block is short."""
    (x, y), loss = rows(20_001, 4, 2), nn.MSELoss(reduction=reduction)
    weight = np.random.default_rng(1).integers(0, 3, 20_001)
    ours, complete = network(columns=4, outputs=2), network(columns=4, outputs=2)
    first, second = rule("lbfgs", ours, max_iter=3), rule("lbfgs", complete, max_iter=3)

    def closure():
        second.zero_grad()
        value = loss(complete(x), y, sample_weight=weight)
        complete.backward(loss.backward())
        return value

    for count in (1, 3):
        threads(count)
        history = ours.fit(x, y, loss=loss, optimizer=first, sample_weight=weight, metrics=["mae"])
        mae = np.average(abs(complete.predict(x) - y), weights=weight, axis=0).mean()
        np.testing.assert_allclose(history.history["mae"], [mae], rtol=1e-9)
        np.testing.assert_allclose(history.history["loss"], [second.step(closure)], rtol=1e-10)
        for a, b in zip(bits(ours), bits(complete), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-8)
    levenberg = network(columns=4, outputs=2)
    losses = levenberg.fit(x, y, loss=loss, optimizer="levenberg_marquardt", epochs=4).history["loss"]
    assert losses[-1] < losses[0]


def test_the_penalty_of_lbfgs(dtype, rng):
    """Ridge regression: (X^T X + n m l2 / 2 I) W = X^T Y for n rows, m outputs and the bias left alone."""
    x, y, l2 = rng.normal(size=(50, 4)), rng.normal(size=(50, 2)), 0.3
    net = nn.Sequential(nn.Linear(4, 2), dtype=dtype, seed=1)
    before = net.evaluate(x, y, loss="mse")["loss"] + l2 / 2 * (net[0].weight.data ** 2).sum()
    history = net.fit(x, y, loss="mse", optimizer="lbfgs", l2=l2, epochs=30)
    assert_close(history.history["loss"][0], before, "forward", dtype)
    xc, yc = x - x.mean(axis=0), y - y.mean(axis=0)
    expected = np.linalg.solve(xc.T @ xc + 50 * 2 * l2 / 2 * np.eye(4), xc.T @ yc)
    np.testing.assert_allclose(net[0].weight.data.T, expected, atol=1e-4)


OPTIONS = {
    "batch_size": (16, "sees all rows at once: batch_size is 16, there are 60 rows"),
    "clip_grad_norm": (1.0, "takes no clip_grad_norm"),
    "clip_grad_value": (1.0, "takes no clip_grad_value"),
    "accumulate_steps": (2, "takes no accumulate_steps"),
    "l1": (0.1, "takes no l1"),
    "l2": (0.1, "takes no l2"),
    "max_norm": (1.0, "takes no max_norm"),
    "mixup": (0.2, "takes no mixup"),
    "input_noise": (0.1, "takes no input_noise"),
}


@pytest.mark.parametrize(("name", "option"), sorted({*itertools.product(RULES, OPTIONS)} - {("lbfgs", "l2")}))
def test_options_of_batches_are_refused(name, option):
    net, (x, y) = network(), rows()
    value, message = OPTIONS[option]
    with pytest.raises(ValueError, match=f"fit: {RULES[name].__name__} {message}"):
        net.fit(x, y, loss="mse", optimizer=name, **{option: value})


@pytest.mark.parametrize("name", RULES)
def test_what_is_refused(name):
    net, other, (x, y), shown = network(), network(), rows(), RULES[name].__name__
    for scheduler in (optim.lr_scheduler.StepLR, optim.lr_scheduler.ReduceLROnPlateau):
        adam = optim.Adam(net.parameters())
        arguments = [adam, 1] if scheduler is optim.lr_scheduler.StepLR else [adam]
        with pytest.raises(ValueError, match=f"fit: {shown} takes no scheduler"):
            net.fit(x, y, loss="mse", optimizer=name, scheduler=scheduler(*arguments))
    with pytest.raises(ValueError, match="the optimizer is over parameters of another network"):
        net.fit(x, y, loss="mse", optimizer=rule(name, other))
    with pytest.raises(ValueError, match=f"{shown}: it is over float32 parameters, the network is float64"):
        net.fit(x, y, loss="mse", optimizer=rule(name, network("float32")))
    with pytest.raises(ValueError, match=f"train_step: {shown} sees all rows at once"):
        net.train_step(x, y, nn.MSELoss(), rule(name, net))
    with pytest.raises(ValueError, match=f"{shown}: a parameter is given twice"):
        RULES[name]([*net.parameters(), *net.parameters()])
    with pytest.raises(ValueError, match="the loss has reduction 'none'"):
        net.fit(x, y, loss=nn.MSELoss(reduction="none"), optimizer=name)
    assert_same_bits(bits(net), bits(other))


@pytest.mark.parametrize("name", RULES)
def test_some_parameters_alone(name):
    net, (x, y) = network(), rows()
    before, optimizer = bits(net), RULES[name](net[2].parameters())
    history = net.fit(x, y, loss="mse", optimizer=optimizer, epochs=4)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert_same_bits(bits(net)[:2], before[:2])
