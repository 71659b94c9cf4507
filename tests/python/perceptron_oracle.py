"""The perceptron's four rules in plain NumPy, with the data its tests learn from."""

from __future__ import annotations

import warnings

import numpy as np

from cmlp import Perceptron

XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])


def make_data(rows=80, features=3, noise=0.0, margin=0.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (20 * rows, features))
    z = x.sum(1) / np.sqrt(features) - 0.1
    x, z = x[abs(z) > margin][:rows], z[abs(z) > margin][:rows]
    return x, np.where(rng.uniform(size=rows) < noise, z <= 0, z > 0).astype(int)


def fitted(*args, **options):
    """Fit without the warnings of those that do not converge."""
    x, y = args[-2:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return Perceptron(*args[:-2], **options).fit(x, y)


def output(w, x):
    """Sum from the bias on, in the order of the columns, as the core does."""
    z = w[-1]
    for wj, xj in zip(w[:-1], x, strict=True):
        z += wj * xj
    return z


def epoch_by_epoch(x, y, epochs, step, on_row=lambda w: None, on_move=lambda w: None):
    """The loop of all rules; yields (mistakes, squared error, weights) of each epoch."""
    w = np.zeros(x.shape[1] + 1)
    for _ in range(epochs):
        mistakes, error = 0, 0.0
        for row, t in zip(x, np.where(y == 1, 1.0, -1.0), strict=True):
            z = output(w, row)
            wrong = (z > 0) != (t > 0)
            mistakes, error = mistakes + wrong, error + (t - z) ** 2
            if (move := step(t, z, wrong)) != 0:
                w = w + move * np.append(row, 1.0)
                on_move(w)
            on_row(w)
        yield mistakes, error / len(x), w


def until(log, at_end):
    """Epochs up to the one that ends the learning, and whether there was one."""
    kept = []
    for row in log:
        kept.append(row)
        if at_end(kept):
            return kept, True
    return kept, False


def mistake_driven(lr):
    return lambda t, z, wrong: lr * t if wrong else 0.0


def no_mistake(log):
    return log[-1][0] == 0


def rosenblatt(x, y, lr, epochs, tolerance):
    log, converged = until(epoch_by_epoch(x, y, epochs, mistake_driven(lr)), no_mistake)
    return log, converged, log[-1][2]


def pocket(x, y, lr, epochs, tolerance):
    tried = [np.zeros(x.shape[1] + 1)]
    log, converged = until(epoch_by_epoch(x, y, epochs, mistake_driven(lr), on_move=tried.append), no_mistake)
    wrong = [
        sum((output(w, row) > 0) != (label == 1) for row, label in zip(x, y, strict=True)) for w in tried
    ]
    return log, converged, tried[int(np.argmin(wrong))]


def averaged(x, y, lr, epochs, tolerance):
    after_rows = []
    log, converged = until(
        epoch_by_epoch(x, y, epochs, mistake_driven(lr), on_row=after_rows.append), no_mistake
    )
    return log, converged, np.mean(after_rows, axis=0)


def adaline(x, y, lr, epochs, tolerance):
    log, converged = until(
        epoch_by_epoch(x, y, epochs, lambda t, z, wrong: lr * (t - z)),
        lambda log: len(log) > 1 and abs(log[-1][1] - log[-2][1]) < tolerance,
    )
    return log, converged, log[-1][2]


ORACLES = {oracle.__name__: oracle for oracle in (rosenblatt, pocket, averaged, adaline)}
