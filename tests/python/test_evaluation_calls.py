"""Calls in evaluation mode: from any number of threads, with backward from the input that is kept."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import sparse

from cmlp import nn
from tolerance import assert_same_bits

NETS = {
    "chain": lambda: [nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3)],
    "norms": lambda: [nn.Linear(6, 8), nn.BatchNorm1d(8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 3)],
    "residual": lambda: [nn.Linear(6, 8), nn.Residual(nn.LayerNorm(8), nn.Linear(8, 8)), nn.Linear(8, 3)],
    "ensemble": lambda: [nn.BatchEnsemble(6, 8, 4, shared_input=True), nn.ReLU(), nn.BatchEnsemble(8, 3, 4)],
    "members": lambda: [nn.Ensemble(nn.Linear(6, 3), nn.Sequential(nn.Linear(6, 3), nn.ELU()))],
}  # fmt: skip


@pytest.fixture(params=NETS)
def net(request, dtype):
    return nn.Sequential(*NETS[request.param](), seed=3, dtype=dtype).eval()


@pytest.mark.parametrize("as_input", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_many_threads_get_the_bits_of_predict(as_input, net, rng):
    if as_input is not np.asarray and not isinstance(net[0], nn.Linear | nn.Ensemble):
        pytest.skip("only Linear layers take sparse input")
    parts = [as_input(rng.normal(size=(rows, 6))) for rows in (1, 5, 400) * 40]
    expected = [net.predict(x) for x in parts]
    with ThreadPoolExecutor(8) as pool:
        assert_same_bits(list(pool.map(net, parts)), expected)


def test_backward_is_that_of_a_kept_pass(net, rng):
    """The pass that is repeated gives the gradients of one that was kept, as often as it is computed."""
    other, x = net.copy(), rng.normal(size=(7, 6))
    other.eval()
    dy = rng.normal(size=net(x).shape)
    dx = net.backward(dy)
    other.trace(x)
    assert_same_bits(other.backward(dy), dx)
    assert_same_bits([p.grad for p in other.parameters()], [p.grad for p in net.parameters()])
    assert_same_bits(net.backward(dy), dx)


def test_what_is_kept_is_a_copy(net, rng):
    x, dy = rng.normal(size=(5, 6)).astype(net.dtype), None
    kept = x.copy()
    dy = np.ones_like(net(x))
    x[:] = np.nan
    dx = net.backward(dy)
    net(kept)
    assert_same_bits(net.backward(dy), dx)


def test_a_change_of_the_mode_between_the_passes_changes_nothing(net, rng):
    x = rng.normal(size=(5, 6))
    dy = np.ones_like(net(x))
    dx = net.backward(dy)
    net(x)
    net.train()
    assert_same_bits(net.backward(dy), dx)


@pytest.mark.parametrize("training", [False, True])
def test_backward_after_the_pass_of_another_thread_is_refused(training, rng):
    net = nn.Sequential(nn.Linear(6, 3), seed=1).train(training)
    own, others = rng.normal(size=(4, 6)), rng.normal(size=(4, 6))
    dy = np.ones_like(net(own))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(net, others).result()
        for call in (lambda: net.backward(dy), lambda: net._core.outputs()):
            with pytest.raises(RuntimeError, match="another thread has called this network since the last"):
                call()
        dx = pool.submit(net.backward, dy).result()  # the pass is its own
    net(others)
    assert_same_bits(net.backward(dy), dx)


def test_one_thread_may_go_back_through_the_pass_of_another(net, rng):
    x = rng.normal(size=(4, 6))
    with ThreadPoolExecutor(1) as pool:
        dy = np.ones_like(pool.submit(net, x).result())
    dx = net.backward(dy)
    net(x)
    assert_same_bits(net.backward(dy), dx)


def test_traces_of_many_threads(net, rng):
    parts = [rng.normal(size=(rows, 6)) for rows in (2, 9) * 20]
    expected = [[value for _, value in net.trace(x)] for x in parts]
    with ThreadPoolExecutor(8) as pool:
        traces = [[value for _, value in trace] for trace in pool.map(net.trace, parts)]
    for trace, values in zip(traces, expected, strict=True):
        assert_same_bits(trace, values)


def test_many_threads_make_one_network_of_a_new_module():
    for _ in range(50):
        layer, cores, start = nn.Linear(3, 2), [], threading.Barrier(4)

        def use(layer=layer, cores=cores, start=start):
            start.wait()
            cores.append(layer._core)

        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({id(core) for core in cores}) == 1


# ---- BatchNorm1d without running statistics takes those of the rows of the call


def batch_norm(dtype="float32"):
    layers = [nn.BatchNorm1d(4, track_running_stats=False), nn.Linear(4, 2)]
    return nn.Sequential(*layers, seed=1, dtype=dtype).eval()


def test_rows_of_a_call_are_one_batch_for_any_number_of_threads(dtype, threads, rng):
    """More rows than a prediction takes through the layers at once."""
    net, x, y = batch_norm(dtype), rng.normal(size=(3000, 4)), rng.normal(size=(3000, 2))
    results = []
    for count in (1, 2, 5):
        threads(count)
        results.append([net.predict(x), net(x), np.float64(net.evaluate(x, y, loss="mse")["loss"])])
    u = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    expected = u @ net[1].weight.data.T + net[1].bias.data
    np.testing.assert_allclose(results[0][0], expected, atol=1e-5)
    for result in results:
        assert_same_bits(result[:2], [results[0][0], results[0][0]])
        assert result[2] == results[0][2]


@pytest.mark.parametrize("call", ["predict", "__call__", "trace"])
def test_one_row_is_refused(call):
    net, x = batch_norm(), np.ones((1, 4))
    with pytest.raises(
        ValueError, match="BatchNorm1d: one row has no variance, and with track_running_stats=False"
    ):
        getattr(net, call)(x)
