"""What is measured: nets with their batches, and the data and starting weights that all peers share."""

from dataclasses import dataclass

import numpy as np

Weights = list[tuple[np.ndarray, np.ndarray]]  # a layer: (in, out), (out)


@dataclass(frozen=True)
class Case:
    """A net of Linear and ReLU layers, and the rows of a training batch or of a call of predict."""

    kind: str  # "train" or "predict"
    widths: tuple[int, ...]
    rows: int
    batches: int = 1  # in an epoch

    @property
    def name(self) -> str:
        """What --case and the tables call it."""
        return f"{'-'.join(map(str, self.widths))},{self.rows}"

    @property
    def key(self) -> str:
        """The name with its kind, which is unique."""
        return f"{self.kind} {self.name}"

    @property
    def flops(self) -> float:
        """Additions and multiplications of one step or one call; the first layer has no dX."""
        products = [2 * self.rows * a * b for a, b in zip(self.widths, self.widths[1:], strict=False)]
        return sum(products) if self.kind == "predict" else 3 * sum(products) - products[0]


SMALL, MIDDLE = (4, 16, 3), (20, 64, 64, 2)
WIDE, LARGE = (100, 256, 256, 256, 10), (784, 512, 512, 10)
CASES = [
    Case("train", SMALL, 32, 128),
    Case("train", MIDDLE, 32, 128),
    Case("train", (64, 128, 128, 10), 128, 32),
    Case("train", WIDE, 256, 8),
    Case("train", LARGE, 128, 8),
    Case("train", LARGE, 1024, 8),
    *(Case("predict", widths, rows) for rows in (1, 1024) for widths in (SMALL, MIDDLE, WIDE, LARGE)),
]


def data(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return x (rows, in) float32 and labels (rows) int64 of one epoch.

    The labels are those of a random linear map, a fifth of them random, so that the loss decreases and yet
    does not reach 0, where denormal gradients would slow every peer down.
    """
    rng = np.random.default_rng(0)
    n, classes = case.rows * case.batches, case.widths[-1]
    x = rng.standard_normal((n, case.widths[0]), dtype=np.float32)
    y = (x @ rng.standard_normal((case.widths[0], classes), dtype=np.float32)).argmax(axis=1)
    drawn = rng.random(n) < 0.2
    y[drawn] = rng.integers(0, classes, np.count_nonzero(drawn))
    y[:classes] = np.arange(classes)[:n]  # scikit-learn counts the classes it sees
    return x, y.astype(np.int64)


def weights(case: Case) -> Weights:
    """Return starting weights: He's uniform, biases 0."""
    rng = np.random.default_rng(1)
    return [
        (rng.uniform(-1, 1, (a, b)).astype(np.float32) * np.float32(np.sqrt(6 / a)), np.zeros(b, np.float32))
        for a, b in zip(case.widths, case.widths[1:], strict=False)
    ]


def exact(case: Case) -> float | np.ndarray:
    """Return in float64 the loss of the first batch, or the outputs (rows, out)."""
    x, y = data(case)
    out = x[: case.rows].astype(np.float64)
    layers = weights(case)
    for at, (w, b) in enumerate(layers):
        out = out @ w.astype(np.float64) + b
        out = out if at + 1 == len(layers) else np.maximum(out, 0)
    if case.kind == "predict":
        return out
    shifted = out - out.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-logs[np.arange(case.rows), y[: case.rows]].mean())
