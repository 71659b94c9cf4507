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
    names: Any

    def __init__(
        self, x: Any, y: Any, weight: Any, validation: tuple[Any, ...] | None, names: Any = None
    ) -> None:
        self.x, self.y, self.weight, self.names = in_rows(x), y, weight, names
        self.validation: Rows | None = None
        if validation is not None:
            self.validation = _validation_rows(validation)

    def hold_out(self, share: float | None, seed: int) -> None:
        """Take a random part of the rows for validation, unless there are rows for it or the share is 0."""
        if self.validation is None and share:
            x = self.x if is_sparse(self.x) else as_numbers(self.x, "fit: x")
            y, weight, names = as_numbers(self.y, "fit: y"), self.weight, self.names
            weight = None if weight is None else as_numbers(weight, "fit: sample_weight")
            names = None if names is None else as_numbers(names, "fit: row_names")
            parts = _split({"x": x, "y": y, "sample_weight": weight, "row_names": names}, share, seed)
            (self.x, self.y, self.weight, self.names), (x, y, weight, _) = parts
            self.validation = x, y, weight

    def weigh(self, class_weight: Any, loss: Loss) -> None:
        """Multiply the weights of the rows to train on by those of their classes."""
        if class_weight is not None:
            self.weight = weighted_by_class(self.y, self.weight, class_weight, _ignored_label(loss))

    def shapes(self) -> dict[str, Any]:
        """Return the sizes of the data, by name."""
        sizes = {"x": np.shape(self.x), "y": np.shape(self.y)}
        if self.validation is not None:
            sizes["validation x"] = np.shape(self.validation[0])
        shapes = {f"the shape of {name}": tuple(map(int, shape)) for name, shape in sizes.items()}
        return {**shapes, "sample_weight": "given" if self.weight is not None else None}

    def in_core(self, net: Core, loss: Loss) -> tuple[FitRows, FitRows | None]:
        """Return the rows to train on and those held out as the core holds them."""
        rows = FitRows(net, loss, (self.x, self.y, self.weight), self.names)
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


def _split(parts: dict[str, Any], share: float, seed: int) -> tuple[list[Any], list[Any]]:
    """Return the parts, ``x`` among them, of the rows to train on and of a random share held out."""
    if not 0 < share < 1:
        raise ValueError(f"fit: validation_split is {share}, it must be in (0, 1)")
    rows = row_count(parts["x"])
    for name, part in parts.items():
        if part is not None and row_count(part) != rows:
            raise ValueError(f"fit: x has {rows} rows, {name} has {row_count(part)}")
    held = max(1, rows_of_share(rows, float(share)))
    if held >= rows:
        raise ValueError(f"fit: validation_split {share} of {rows} rows leaves no row to train on")
    order = _core.permutation(rows, seed)

    def taken(some: npt.NDArray[Any]) -> list[Any]:
        return [None if part is None else part[some] for part in parts.values()]

    return taken(np.sort(order[held:])), taken(np.sort(order[:held]))
