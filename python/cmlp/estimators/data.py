"""Rows for the estimators: names for equal ones, and values in the place of missing ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp._sparse import is_sparse


def row_names(x: Any, block: int = 4096) -> npt.NDArray[np.uint64]:
    """Return a number for each row that is the same for equal rows, dense or sparse."""
    factors = np.random.default_rng(0).integers(0, 2**63, x.shape[1], dtype=np.uint64) * np.uint64(
        2
    ) + np.uint64(1)
    names = np.empty(x.shape[0], np.uint64)
    for first in range(0, x.shape[0], block):
        part = x[first : first + block]
        bits = (part.toarray() if is_sparse(part) else np.ascontiguousarray(part)) + x.dtype.type(0)  # no -0
        names[first : first + block] = bits.view(f"u{x.dtype.itemsize}").astype(np.uint64) @ factors
    return names


class Imputer:
    """Puts the median of a column's known values in the place of its NaNs; 0 where there is none."""

    def __init__(self, x: Any) -> None:
        if is_sparse(x):
            raise ValueError("missing='impute' takes dense rows: a sparse matrix has its zeros instead")
        known = ~np.isnan(x)
        self.medians: npt.NDArray[Any] = np.array(
            [
                np.median(column[there]) if there.any() else 0.0
                for column, there in zip(x.T, known.T, strict=True)
            ],
            dtype=x.dtype,
        )

    def __call__(self, x: Any) -> npt.NDArray[Any]:
        """Return x, or a copy without NaNs."""
        if is_sparse(x):
            raise ValueError("missing='impute' takes dense rows: a sparse matrix has its zeros instead")
        gone = np.isnan(x)
        return np.where(gone, self.medians, x) if gone.any() else np.asarray(x)
