"""Rows for the estimators: the order to meet them in, and values in the place of missing ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp._sparse import is_sparse


class Shuffle:
    """Orders of the rows, each a shuffle of the one before, drawn as scikit-learn draws them."""

    def __init__(self, rows: int, rng: np.random.RandomState) -> None:
        self.order = np.arange(rows)
        self.rng = rng

    def __call__(self, epoch: int) -> npt.NDArray[Any]:
        """Return the order of the next epoch."""
        shuffled = np.arange(len(self.order))
        self.rng.shuffle(shuffled)
        self.order = self.order[shuffled]
        return self.order


class Imputer:
    """Puts the median of a column's known values in the place of its NaNs; 0 where there is none."""

    def __init__(self, x: Any) -> None:
        if is_sparse(x):
            raise ValueError("missing='impute' takes dense rows: a sparse matrix has its zeros instead")
        known = ~np.isnan(x)
        self.medians = np.array(
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
