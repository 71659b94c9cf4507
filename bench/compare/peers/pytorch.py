"""PyTorch, eager, with whichever of Adam's implementations is the fastest here."""

from time import perf_counter

import numpy as np
import torch
from cases import Case, data, weights
from torch.nn.functional import cross_entropy

ADAMS = [{"fused": True}, {"foreach": True}, {"foreach": False}]


def network(case: Case) -> torch.nn.Sequential:
    """Return the net with the shared starting weights."""
    modules: list[torch.nn.Module] = []
    with torch.no_grad():
        for w, b in weights(case):
            linear = torch.nn.Linear(*w.shape)
            linear.weight.copy_(torch.from_numpy(w.T))
            linear.bias.copy_(torch.from_numpy(b))
            modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


class Train:
    """Eager steps over batches that are views of the data; the loss is read once, at the end."""

    def __init__(self, case: Case, threads: int) -> None:
        torch.set_num_threads(threads)
        x, y = map(torch.from_numpy, data(case))
        self.case = case
        self.batches = list(zip(x.split(case.rows), y.split(case.rows), strict=True))
        self.adam = min(ADAMS, key=self.time_of)

    def time_of(self, adam: dict[str, bool]) -> float:
        self.adam = adam
        times = []
        for _ in range(3):
            self.start()
            self.run(1)
            begin = perf_counter()
            self.run(1)
            times.append(perf_counter() - begin)
        return min(times)

    def start(self) -> None:
        self.net = network(self.case)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3, **self.adam)

    def first_loss(self) -> float:
        x, y = self.batches[0]
        return float(cross_entropy(self.net(x), y).detach())

    def run(self, epochs: int) -> float:
        for _ in range(epochs):
            for x, y in self.batches:
                self.optimizer.zero_grad()
                loss = cross_entropy(self.net(x), y)
                loss.backward()
                self.optimizer.step()
        return float(loss.detach())


class Predict:
    """In inference mode."""

    def __init__(self, case: Case, threads: int) -> None:
        torch.set_num_threads(threads)
        self.x = torch.from_numpy(data(case)[0])
        self.net = network(case).eval()

    def run(self, calls: int) -> np.ndarray:
        with torch.inference_mode():
            for _ in range(calls):
                out = self.net(self.x)
        return out.numpy()
