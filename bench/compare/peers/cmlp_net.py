"""cmlp: epochs in fit, train_step from Python, predict."""

from typing import Any

import numpy as np
from cases import Case, data, weights

import cmlp
from cmlp import nn, optim


def network(case: Case) -> Any:
    """Return the net with the shared starting weights."""
    modules: list[Any] = []
    for a, b in zip(case.widths, case.widths[1:], strict=False):
        modules += [nn.Linear(a, b), nn.ReLU()]
    net = nn.Sequential(*modules[:-1])
    state = {}
    for at, (w, b) in enumerate(weights(case)):
        state |= {f"{2 * at}.weight": np.ascontiguousarray(w.T), f"{2 * at}.bias": b}
    net.load_state_dict(state)
    return net


class Fit:
    """All epochs in one call, with the rows in their own order."""

    shuffle = False

    def __init__(self, case: Case, threads: int) -> None:
        cmlp.set_num_threads(threads)
        self.case = case
        self.x, self.y = data(case)

    def start(self) -> None:
        self.net = network(self.case)
        self.adam = optim.Adam(self.net.parameters(), lr=1e-3)
        self.loss = nn.CrossEntropyLoss()

    def fit(self, rows: int, epochs: int, shuffle: bool) -> float:
        history = self.net.fit(
            self.x[:rows], self.y[:rows], loss=self.loss, optimizer=self.adam, epochs=epochs,
            batch_size=self.case.rows, shuffle=shuffle, verbose=False,
        )  # fmt: skip
        return float(history.history["loss"][-1])

    def first_loss(self) -> float:
        return self.fit(self.case.rows, 1, False)

    def run(self, epochs: int) -> float:
        return self.fit(len(self.x), epochs, self.shuffle)


class ShuffledFit(Fit):
    """The same with a new order of the rows in each epoch, fit's default."""

    shuffle = True


class Step(Fit):
    """A loop in Python over train_step."""

    def __init__(self, case: Case, threads: int) -> None:
        super().__init__(case, threads)
        self.batches = list(zip(np.split(self.x, case.batches), np.split(self.y, case.batches), strict=True))

    def first_loss(self) -> float:
        return self.net.train_step(*self.batches[0], self.loss, self.adam)

    def run(self, epochs: int) -> float:
        for _ in range(epochs):
            for x, y in self.batches:
                loss = self.net.train_step(x, y, self.loss, self.adam)
        return loss


class Predict:
    """predict with its check of the input."""

    def __init__(self, case: Case, threads: int) -> None:
        cmlp.set_num_threads(threads)
        self.x = data(case)[0]
        self.net = network(case)

    def run(self, calls: int) -> np.ndarray:
        for _ in range(calls):
            out = self.net.predict(self.x)
        return out
