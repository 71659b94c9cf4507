"""Date columns: their parts as numbers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cmlp.tabular import values
from cmlp.tabular.columns import Matrix, NumericColumn
from cmlp.tabular.errors import TableError


def _month(days: NDArray[np.float64]) -> NDArray[np.float64]:
    months, there = np.full(days.shape, np.nan), ~np.isnan(days)
    dates = np.floor(days[there]).astype(np.int64).astype("datetime64[D]")
    months[there] = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    return months


PARTS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "day": lambda days: days,
    "month": _month,
    "weekday": lambda days: (np.floor(days) + 3) % 7,  # 1970-01-01 was a Thursday; Monday is 0
    "hour": lambda days: days % 1.0 * 24.0,
}


@dataclass(frozen=True)
class DateColumn:
    """A date or time: days since 1970, month, weekday and hour (UTC), each treated as a number.

    Parameters
    ----------
    name : str
        The column.
    parts : tuple of NumericColumn
        The parts that vary over the training rows, named after `PARTS`.
    """

    kind: ClassVar[str] = "date"
    name: str
    parts: tuple[NumericColumn, ...]

    def __post_init__(self) -> None:
        unknown = [part.name for part in self.parts if part.name not in PARTS]
        if unknown or not self.parts:
            raise TableError(f"column {self.name!r}: a date has the parts {', '.join(PARTS)}")

    @classmethod
    def learn(cls, name: str, data: NDArray[np.float64]) -> "DateColumn | None":
        """Fit to days since 1970 (rows,), NaN where missing; None when no part varies."""
        there = ~np.isnan(data)
        varying = [part for part, of in PARTS.items() if np.unique(of(data)[there]).size > 1]
        if not varying and not there.all():
            varying = ["day"]
        learnt = [NumericColumn.learn(part, "number", PARTS[part](data)) for part in varying]
        parts = [part for part in learnt if part is not None]
        # One 0/1 column for the gaps is enough.
        parts[1:] = [replace(part, indicator=False) for part in parts[1:]]
        return cls(name, tuple(parts)) if parts else None

    @property
    def as_text(self) -> bool:
        """Whether a CSV reader must keep it as text."""
        return True

    @property
    def features(self) -> list[str]:
        """Names of the features it makes."""
        return [f"{self.name} {feature}" for part in self.parts for feature in part.features]

    @property
    def treatment(self) -> str:
        """What is done with it, in words."""
        gaps = ", missing -> median and a 0/1 column" if self.parts[0].indicator else ""
        return f"{', '.join(part.name for part in self.parts)} as numbers{gaps}, standardised"

    def transform(self, series: pd.Series) -> Matrix:
        """Features of a column, (rows, features of the parts)."""
        data = np.full(len(series), np.nan)
        if values.expect(series, ("date", "text"), "dates"):
            data = values.days(series)
        return np.concatenate([part.scale(PARTS[part.name](data)) for part in self.parts], axis=1)
