"""The order in which an estimator's rows are taken, from one epoch to the next."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt


class RowOrder:
    """NumPy's shuffles of ``arange(rows)``, each of the order before, as scikit-learn draws them.

    A training that continues needs the last order. A copy or a pickle has the states of the generator before
    and after the shuffles instead, and repeats the shuffles when a fit needs the order.
    """

    def __init__(self, rows: int, generator: np.random.RandomState) -> None:
        self.rows: int = rows
        self.epochs: int = 0
        self.fits: int = 0
        self.start: np.random.RandomState = copy.deepcopy(generator)
        self.end: dict[str, Any] = _state(generator)
        self._order: npt.NDArray[np.int64] | None = _first(rows)

    def continues(self, rows: int, generator: np.random.RandomState) -> bool:
        """Return whether so many rows are ordered, and nothing has drawn from the generator since."""
        return self.rows == rows and _equal(_state(generator), self.end)

    def begin(self) -> npt.NDArray[np.int64]:
        """Return the order after the last shuffle, for a fit to shuffle in place."""
        self.fits += 1
        if self._order is None:
            self._order = self._repeated()
        return self._order

    def record(self, epochs: int, generator: np.random.RandomState) -> None:
        """Count epochs that a fit has completed, each after one shuffle by the generator."""
        self.epochs += epochs
        self.end = _state(generator)

    def _repeated(self) -> npt.NDArray[np.int64]:
        """Return the order; ``arange`` where something else drew from the generator during a fit."""
        order, generator = _first(self.rows), copy.deepcopy(self.start)
        for shuffle in range(self.epochs + self.fits):  # a fit may end in an epoch that is not counted
            if shuffle >= self.epochs and _equal(_state(generator), self.end):
                return order
            generator.shuffle(order)
        return order if _equal(_state(generator), self.end) else _first(self.rows)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_order": None}


def _first(rows: int) -> npt.NDArray[np.int64]:
    """Return the order before any shuffle, in 64 bits on every platform."""
    return np.arange(rows, dtype=np.int64)


def _state(generator: np.random.RandomState) -> dict[str, Any]:
    state: dict[str, Any] = generator.get_state(legacy=False)
    return state["state"]  # type: ignore[no-any-return]


def _equal(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
