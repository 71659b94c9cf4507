"""Networks that several tests look at."""

from __future__ import annotations

import numpy as np

from cmlp import _core, nn


def network(dtype="float32", seed=0):
    return nn.Sequential(
        nn.Linear(6, 5), nn.ReLU(), nn.Dropout(0.2), nn.Linear(5, 3, bias=False), seed=seed, dtype=dtype
    )


def nested(dtype="float32"):
    inner = nn.Sequential(nn.Linear(5, 4), nn.Tanh())
    return nn.Sequential(
        nn.Linear(6, 5), nn.Sequential(inner, nn.Linear(4, 4)), nn.GELU("tanh"), nn.Linear(4, 3), dtype=dtype
    )


def as_targets(loss, t):
    """Return numbers in [0, 1] as the loss takes them: a loss of signs takes -1 and 1."""
    return np.where(t < 0.5, -1, 1).astype(t.dtype) if _core.target_range(loss) == "sign" else t
