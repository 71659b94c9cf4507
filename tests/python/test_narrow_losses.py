"""Cross-entropy of few classes takes a row a lane, of many a row at a time: the same bits either way."""

import numpy as np
import pytest

import cmlp
from cmlp import nn


def bits(isa: str, y: np.ndarray, label: np.ndarray, weight: np.ndarray, options: dict) -> bytes:
    """Value and gradient of each row by one instruction set; the plain one never takes a row a lane."""
    before = cmlp.runtime.isa()
    cmlp.runtime.set_isa(isa)
    try:
        loss = nn.CrossEntropyLoss(reduction="none", **options)
        values = np.asarray(loss(y, label, sample_weight=weight))
        return values.tobytes() + np.asarray(loss.backward()).tobytes()
    finally:
        cmlp.runtime.set_isa(before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("classes", range(1, 19))
def test_the_same_bits_however_many_classes(classes: int, dtype: str) -> None:
    rng = np.random.default_rng(classes)
    y = (rng.normal(size=(37, classes)) * 20).astype(dtype)
    y[3], y[4, 0], y[5] = 0, 700, -700
    label = rng.integers(0, classes, 37)
    label[[7, 36]] = -100
    weight = rng.random(37)
    weight[9] = 0
    y[[7, 9]] = np.nan  # rows that count for nothing
    for options in ({}, {"weight": rng.random(classes)}):
        results = {bits(isa, y, label, weight, options) for isa in cmlp.runtime.isas()}
        assert len(results) == 1
        assert np.isfinite(np.frombuffer(results.pop(), dtype)).all()
