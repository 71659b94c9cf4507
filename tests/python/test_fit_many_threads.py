"""fit_many among threads and forks, and the generators that orders are drawn from."""

import os
import threading

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier as Theirs

from cmlp import MLPClassifier, fit_many

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)


def model(**settings):
    return MLPClassifier(**{"hidden_layer_sizes": (8,), "max_iter": 10, **settings})


def weights(fits):
    return np.stack([fit.estimator.coefs_[0] for fit in fits])


def test_several_callers_at_once():
    alone, results = weights(fit_many(model(), X, Y, seeds=range(5), n_threads=1)), {}

    def call(at):
        results[at] = weights(fit_many(model(), X, Y, seeds=range(5), n_threads=2))

    threads = [threading.Thread(target=call, args=(at,)) for at in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(results[at], alone) for at in range(3))


def test_fits_within_a_fit():
    inner = []

    def call(values):
        if values["epoch"] == 3:
            inner.append(weights(fit_many(model(), X, Y, seeds=[7], n_threads=2)))

    fits = fit_many(model(callbacks=[call]), X, Y, seeds=range(4), n_threads=2)
    assert np.array_equal(weights(fits), weights(fit_many(model(), X, Y, seeds=range(4))))
    assert len(inner) == 4
    assert all(np.array_equal(each, weights(fit_many(model(), X, Y, seeds=[7]))) for each in inner)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child():
    before = weights(fit_many(model(), X, Y, seeds=range(4), n_threads=2))
    child = os.fork()
    if child == 0:
        after = weights(fit_many(model(), X, Y, seeds=range(4), n_threads=2))
        os._exit(0 if np.array_equal(before, after) else 1)
    assert os.waitpid(child, 0)[1] == 0


# ---- where orders come from


def test_the_global_generator_is_drawn_from():
    state = np.random.get_state()
    try:
        np.random.seed(3)
        given = np.random.RandomState(3)
        one, other = model().fit(X, Y), model(random_state=given).fit(X, Y)
        assert np.array_equal(one.coefs_[0], other.coefs_[0])
        assert np.random.randint(10**6) == given.randint(10**6)
    finally:
        np.random.set_state(state)


def test_threads_may_share_a_generator():
    generator = np.random.RandomState(0)
    fits = [model(random_state=generator, max_iter=50) for _ in range(4)]
    threads = [threading.Thread(target=each.fit, args=(X, Y)) for each in fits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.loss_ for each in fits}) == 4
    assert 0 <= generator.get_state()[2] <= 624


@pytest.mark.parametrize("bits", [np.random.MT19937, np.random.PCG64, np.random.Philox])
def test_every_generator_of_numpy(bits):
    made = [np.random.RandomState(bits(5)) for _ in range(2)]
    settings = {"hidden_layer_sizes": (8,), "max_iter": 10, "batch_size": 40}
    ours, theirs = (
        kind(random_state=r, **settings) for kind, r in zip((MLPClassifier, Theirs), made, strict=True)
    )
    np.testing.assert_allclose(ours.fit(X, Y).coefs_[0], theirs.fit(X, Y).coefs_[0], rtol=0, atol=1e-12)
    assert made[0].randint(10**6) == made[1].randint(10**6)


@pytest.mark.parametrize("rows", [2, 3, 31, 32, 33, 64, 65, 1000])
def test_the_order_is_numpys(rows):
    x, y = np.arange(2.0 * rows).reshape(rows, 2), np.arange(rows) % 2
    fitted = model(random_state=11, max_iter=3, tol=0).fit(x, y)
    generator = np.random.RandomState(11)
    for shape in [(2, 8), (8,), (8, 1), (1,)]:
        generator.uniform(size=shape)
    order = np.arange(rows)
    for _ in range(3):
        shuffled = np.arange(rows)
        generator.shuffle(shuffled)
        order = order[shuffled]
    assert np.array_equal(fitted._row_order.begin(), order)
    assert fitted._random_state.randint(10**6) == generator.randint(10**6)
