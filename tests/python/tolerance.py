"""The one table of tolerances, and the two comparisons: within it, and bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np

# Largest |actual - expected| over |expected| + scale, by what is compared and in which precision.
TOLERANCE = {
    ("activation", "float32"): 4.8e-7,  # 4 ULP
    ("activation", "float64"): 1e-14,
    ("tail", "float32"): 4.8e-7,  # |z| > 4
    ("tail", "float64"): 2e-12,  # the oracle's own limit, for GELU
    ("derivative", "float32"): 6e-7,
    ("derivative", "float64"): 1e-14,
    ("loss", "float32"): 2e-6,
    ("loss", "float64"): 1e-13,
    ("forward", "float32"): 1e-5,
    ("forward", "float64"): 1e-13,
    ("backward", "float32"): 1e-4,
    ("backward", "float64"): 1e-12,
    ("optimizer", "float32"): 1e-5,
    ("optimizer", "float64"): 1e-13,
    ("initializer", "float32"): 2.0**-24,  # rounded from float64
    ("initializer", "float64"): 1e-12,
    ("metric", "float32"): 1e-6,
    ("metric", "float64"): 1e-12,
    ("training", "float32"): 2e-4,  # a few steps along two roads
    ("training", "float64"): 1e-11,
    ("gradcheck", "float64"): 1e-7,
}


def assert_close(actual: Any, expected: Any, kind: str, dtype: Any = "float64", scale: float = 0.0) -> None:
    """Hold actual against expected by the one table of tolerances; NaN and infinities must be the same."""
    a, e = np.asarray(actual, float), np.asarray(expected, float)
    assert a.shape == e.shape, f"shapes {a.shape} and {e.shape}"
    dtype = np.dtype(dtype)
    with np.errstate(over="ignore"):
        e = np.asarray(e.astype(dtype), float) if dtype == np.float32 else e
    finite = np.isfinite(e)
    np.testing.assert_array_equal(a[~finite], e[~finite])
    bound = TOLERANCE[kind, dtype.name] * (abs(e[finite]) + scale) + 50 * np.finfo(dtype).smallest_subnormal
    worst = np.max((abs(a[finite] - e[finite]) - bound) / bound, initial=-1.0)
    assert worst <= 0, f"{kind} in {dtype}: the error is {worst + 1:.3g} times the tolerance"


def assert_same_bits(actual: Any, expected: Any) -> None:
    """Hold arrays, or sequences of them, against each other bit for bit; one NaN is as good as another."""
    if isinstance(actual, list | tuple):
        assert len(actual) == len(expected)
        for a, e in zip(actual, expected, strict=True):
            assert_same_bits(a, e)
        return
    a, e = np.asarray(actual), np.asarray(expected)
    assert (a.dtype, a.shape) == (e.dtype, e.shape)
    differ = (a != e) | (np.signbit(a) != np.signbit(e)) if a.dtype.kind == "f" else a != e
    differ &= ~((a != a) & (e != e))
    assert not differ.any(), (
        f"{differ.sum()} of {a.size} elements differ, first {a[differ][0]!r} and {e[differ][0]!r}"
    )
