"""Calls in unusual orders, at unusual sizes and from several threads: an error or the right result.

Each test runs in a process of its own, since the faults that it looks for end a process.
"""

from __future__ import annotations

import pytest

import cmlp
import fresh

SETUP = """
    import json, threading
    import numpy as np
    import cmlp
    from cmlp import nn, optim
    net = nn.Sequential(nn.Linear(5, 30), nn.ReLU(), nn.Linear(30, 4), dtype="float64", seed=1)
    def refused(call):
        try:
            call()
        except ValueError as error:
            return str(error)
        return None
"""


def test_backward_after_another_forward_of_a_part_is_refused():
    """The layers remember passes of different batches, so a gradient is not defined."""
    code = """
    messages = []
    for first, then in ((3, 10), (10, 3), (3, 100_000)):
        net(np.ones((first, 5)))
        net[0](np.ones((then, 5)))
        messages.append(refused(lambda: net.backward(np.ones((first, 4)))))
    print(json.dumps(messages))
    """
    assert all("backward" in (message or "") for message in fresh.result(SETUP + code))


def test_backward_after_another_forward_of_the_last_part_is_refused():
    code = """
    net(np.ones((3, 5)))
    net[2](np.ones((3000, 30)))
    print(json.dumps(refused(lambda: net.backward(np.ones((3000, 4))))))
    """
    assert "backward" in (fresh.result(SETUP + code) or "")


def test_parts_in_turn_may_be_of_any_batch():
    code = """
    for rows in (3, 5000, 2):
        h = net[1](net[0](np.ones((rows, 5))))
        y = net[2](h)
        dx = net[0].backward(net[1].backward(net[2].backward(np.ones_like(y))))
        complete = net.copy()
        complete(np.ones((rows, 5)))
        assert (dx == complete.backward(np.ones_like(y))).all()
    print(json.dumps(len(dx)))
    """
    assert fresh.result(SETUP + code) == 2


def test_backward_after_training_is_refused():
    code = """
    x, y = np.ones((9, 5)), np.ones((9, 4))
    messages = []
    net(x)
    net.train_step(x, y, nn.MSELoss(), optim.SGD(net.parameters()))
    messages.append(refused(lambda: net.backward(y)))
    net(x)
    net.fit(x, y, loss="mse")
    messages.append(refused(lambda: net.backward(y)))
    print(json.dumps(messages))
    """
    assert all("no forward pass" in (text or "") for text in fresh.result(SETUP + code))


def test_losses_of_no_columns_are_refused():
    code = """
    nothing = np.ones((2, 0))
    print(json.dumps({loss: refused(lambda: nn.Loss(loss)(nothing, nothing)) for loss in cmlp.losses()}))
    """
    messages = fresh.result(SETUP + code)
    assert list(messages) == cmlp.losses()
    assert [loss for loss, message in messages.items() if loss not in (message or "")] == []


def test_layers_of_no_columns():
    code = """
    shapes = [kind(np.ones((2, 0))).shape for kind in (nn.ReLU(), nn.Softmax(), nn.Dropout(0.5), nn.GELU())]
    print(json.dumps(shapes))
    """
    assert fresh.result(SETUP + code) == [[2, 0]] * 4


THREADS = """
    def work(seed):
        rng, mine = np.random.default_rng(seed), net.copy()
        sgd, values = optim.SGD(mine.parameters(), lr=1e-3), []
        for _ in range({rounds}):
            rows = int(rng.integers(1, {most}))
            x, t = rng.normal(size=(rows, 5)), rng.integers(0, 4, rows)
            values.append(float({call}))
        return values

    criterion = nn.CrossEntropyLoss()
    serial = [work(seed) for seed in range({threads})]
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor({threads}) as pool:
        print(json.dumps(list(pool.map(work, range({threads}))) == serial))
"""


@pytest.mark.parametrize("call", ["criterion(mine.predict(x), t)", "mine.train_step(x, t, criterion, sgd)"])
@pytest.mark.parametrize(
    ("threads", "rounds", "most"), [(3, 30, 2000), pytest.param(4, 100, 3000, marks=pytest.mark.slow)]
)
def test_one_loss_in_many_threads(call, threads, rounds, most):
    code = THREADS.replace("{call}", call).replace("{rounds}", str(rounds)).replace("{most}", str(most))
    assert fresh.result(SETUP + code.replace("{threads}", str(threads))) is True


def test_the_number_of_threads_may_change_while_others_work():
    code = """
    x, stop = np.ones((3000, 5)), threading.Event()
    def flip():
        while not stop.is_set():
            for count in (1, 2, 3, 7):
                cmlp.set_num_threads(count)
    worker = threading.Thread(target=flip)
    worker.start()
    expected = net.predict(x)
    same = all((net.predict(x) == expected).all() for _ in range(300))
    stop.set()
    worker.join()
    print(json.dumps(bool(same)))
    """
    assert fresh.result(SETUP + code) is True


def test_an_optimizer_outlives_its_network():
    code = """
    import gc
    sgd = optim.SGD(net.parameters(), lr=1.0)
    weight, before = net[0].weight, net[0].weight.data.copy()
    weight.grad = np.ones((30, 5))
    del net
    gc.collect()
    junk = [np.full(1000, 7.0) for _ in range(100)]
    sgd.step()
    print(json.dumps(bool((weight.data == before - 1).all())))
    """
    assert fresh.result(SETUP + code) is True
