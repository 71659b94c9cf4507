"""What worker processes call: importable by new processes."""

from __future__ import annotations

import numpy as np

import cmlp
from cmlp import nn


def trained(seed: int) -> bytes:
    """Return the predictions of a network trained in this process, with two threads."""
    cmlp.set_num_threads(2)
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(600, 40)), rng.integers(0, 5, 600)
    net = nn.Sequential(nn.Linear(40, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 5), seed=seed)
    net.fit(x, y, loss="cross_entropy", epochs=2, batch_size=200, verbose=False)
    return net.predict(x).tobytes()
