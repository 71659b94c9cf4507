"""The rows of a fit: what is held out, and the rows as the core holds them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cmlp import _core
from cmlp._arrays import as_numbers
from cmlp._sparse import in_rows, is_sparse, row_count
from cmlp.training.class_weights import weighted_by_class

if TYPE_CHECKING:
    from cmlp.nn.losses import Loss
    from cmlp.nn.module import Core
    from cmlp.training.options import FitOptions

Rows = tuple[Any, Any, Any]  # x, y, sample_weight or None


class FitData:
    """Rows to train on and rows held out."""

    x: Any
    y: Any
    weight: Any

    def __init__(self, x: Any, y: Any, weight: Any, validation: tuple[Any, ...] | None) -> None:
        self.x, self.y, self.weight = in_rows(x), y, weight
        self.validation: Rows | None = None
        if validation is not None:
            self.validation = _validation_rows(validation)

    def hold_out(self, share: float | None, seed: int) -> None:
        """Take a random part of the rows for validation, unless there are rows for it or the share is 0."""
        if self.validation is None and share:
            self.x, self.y, self.weight, self.validation = _split(self.x, self.y, self.weight, share, seed)

    def weigh(self, class_weight: Any, loss: Loss) -> None:
        """Multiply the weights of the rows to train on by those of their classes."""
        if class_weight is not None:
            self.weight = weighted_by_class(self.y, self.weight, class_weight, _ignored_label(loss))

    def in_core(self, net: Core, loss: Loss, row_names: Any) -> tuple[FitRows, FitRows | None]:
        """Return the rows to train on and those held out as the core holds them."""
        rows = FitRows(net, loss, (self.x, self.y, self.weight), row_names)
        if self.validation is None:
            return rows, None
        return rows, FitRows(net, loss, self.validation, what="fit: validation data")


class FitRows:
    """Rows as the core holds them, converted once, beside the targets and weights as they were given."""

    y: Any
    weight: Any

    def __init__(self, net: Core, loss: Loss, rows: Rows, row_names: Any = None, what: str = "fit") -> None:
        x, self.y, self.weight = rows
        self.net = net
        overloads: Any = _core.fit_rows  # the precisions have a function each, chosen by the network
        self.native: Any = overloads(net, loss._core, x, self.y, self.weight, row_names, what)

    def predict(self) -> npt.NDArray[Any]:
        """Return the network's outputs for these rows, in evaluation mode."""
        outputs: npt.NDArray[Any] = self.native.predict(self.net)
        return outputs

    def steps_an_epoch(self, options: FitOptions) -> int:
        """Return the number of updates of an epoch."""
        return int(self.native.steps_an_epoch(self.net, options.to_core()))


def _ignored_label(loss: Loss) -> float | None:
    """Return the label of rows that the loss leaves out."""
    defaults = next(row["parameters"] for row in _core.losses() if row["name"] == loss.name)
    label: float | None = {**defaults, **loss.settings}.get("ignore_index")
    return label


def rows_of_share(rows: int, share: float) -> int:
    """Return the number of rows nearest to a decimal share of them, in exact arithmetic."""
    return round(Fraction(str(share)) * rows)


def _validation_rows(given: Any) -> Rows:
    parts = list(given) if isinstance(given, tuple | list) else []
    if len(parts) not in (2, 3):
        raise ValueError(
            f"fit: validation_data is {type(given).__name__} of {len(parts)} parts, it must be (x, y) or "
            "(x, y, sample_weight)"
        )
    x, y, weight = [*parts, None][:3]
    return in_rows(x), y, weight


def _split(
    x: Any, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None, share: float, seed: int
) -> tuple[Any, Any, Any, Rows]:
    """Return training x, y, weight and the validation data: a random part of the rows."""
    if not 0 < share < 1:
        raise ValueError(f"fit: validation_split is {share}, it must be in (0, 1)")
    x, y = x if is_sparse(x) else as_numbers(x, "fit: x"), as_numbers(y, "fit: y")
    weight = None if sample_weight is None else as_numbers(sample_weight, "fit: sample_weight")
    rows = row_count(x)
    held = max(1, rows_of_share(rows, float(share)))
    if held >= rows or len(y) != rows or (weight is not None and len(weight) != rows):
        raise ValueError(
            f"fit: validation_split {share} of {rows} rows leaves no row to train on, or y has others"
        )
    order = _core.permutation(rows, seed)
    train, test = np.sort(order[held:]), np.sort(order[:held])
    parts = [None if array is None else (array[train], array[test]) for array in (x, y, weight)]
    (x1, x2), (y1, y2) = parts[0], parts[1]  # type: ignore[misc]
    w1, w2 = parts[2] or (None, None)
    return x1, y1, w1, (x2, y2, w2)
