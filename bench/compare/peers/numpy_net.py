"""The net in plain NumPy: the least a user could write."""

import numpy as np
from cases import Case, data, weights

RATE, BETA1, BETA2, EPS = np.float32(1e-3), np.float32(0.9), np.float32(0.999), np.float32(1e-8)


def forward(layers: list[np.ndarray], x: np.ndarray) -> list[np.ndarray]:
    """Return x and the output of each layer; `layers` alternates weights and biases."""
    outputs = [x]
    for at in range(0, len(layers), 2):
        z = outputs[-1] @ layers[at]
        z += layers[at + 1]
        outputs.append(np.maximum(z, 0, out=z) if at + 2 < len(layers) else z)
    return outputs


def gradients(layers: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> tuple[float, list[np.ndarray]]:
    """Return the cross-entropy and its gradients by the layers."""
    outputs = forward(layers, x)
    rows = np.arange(len(y))
    shifted = outputs[-1] - outputs[-1].max(axis=1, keepdims=True)
    dy = np.exp(shifted)
    sums = dy.sum(axis=1, keepdims=True)
    loss = float((np.log(sums[:, 0]) - shifted[rows, y]).mean())
    dy /= sums
    dy[rows, y] -= 1
    dy /= np.float32(len(y))
    found: list[np.ndarray] = []
    for at in range(len(layers) - 2, -1, -2):
        below = outputs[at // 2]
        found[:0] = [below.T @ dy, dy.sum(axis=0)]
        if at:
            dy = (dy @ layers[at].T) * (below > 0)
    return loss, found


class Train:
    """Adam, one step a batch."""

    def __init__(self, case: Case, threads: int) -> None:
        x, y = data(case)
        self.case = case
        self.batches = list(zip(np.split(x, case.batches), np.split(y, case.batches), strict=True))

    def start(self) -> None:
        self.layers = [array for layer in weights(self.case) for array in layer]
        self.m = [np.zeros_like(w) for w in self.layers]
        self.v = [np.zeros_like(w) for w in self.layers]
        self.steps = 0

    def first_loss(self) -> float:
        return gradients(self.layers, *self.batches[0])[0]

    def step(self, x: np.ndarray, y: np.ndarray) -> float:
        loss, found = gradients(self.layers, x, y)
        self.steps += 1
        rate = RATE / np.float32(1 - float(BETA1) ** self.steps)
        scale = np.float32(1 / np.sqrt(1 - float(BETA2) ** self.steps))
        for w, g, m, v in zip(self.layers, found, self.m, self.v, strict=True):
            m += (1 - BETA1) * (g - m)
            v += (1 - BETA2) * (g * g - v)
            w -= rate * m / (np.sqrt(v) * scale + EPS)
        return loss

    def run(self, epochs: int) -> float:
        for _ in range(epochs):
            for x, y in self.batches:
                loss = self.step(x, y)
        return loss


class Predict:
    """Outputs of the last layer."""

    def __init__(self, case: Case, threads: int) -> None:
        self.x = data(case)[0]
        self.layers = [array for layer in weights(case) for array in layer]

    def run(self, calls: int) -> np.ndarray:
        for _ in range(calls):
            out = forward(self.layers, self.x)[-1]
        return out
