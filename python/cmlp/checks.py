"""Backpropagation compared with central differences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy.typing as npt

from cmlp import _core
from cmlp.nn.losses import Loss
from cmlp.nn.sequential import Sequential


class GradcheckRow(NamedTuple):
    """The comparison for one parameter, or for the input.

    Attributes
    ----------
    name : str
        The parameter, or "input".
    relative_error : float
        Largest difference over the largest gradient.
    largest : float
        Largest gradient.
    checked : int
        Elements of the parameter.
    kinks : int
        Elements left out, because the loss has a kink (ReLU at 0) or a jump within ``h`` of them.
    """

    name: str
    relative_error: float
    largest: float
    checked: int
    kinks: int


@dataclass(frozen=True)
class GradcheckReport:
    """One row a parameter and one for the input; true when it passed, printed as a table.

    Attributes
    ----------
    rows : tuple of GradcheckRow
    tolerance : float
        The relative error up to which it passes.
    """

    rows: tuple[GradcheckRow, ...]
    tolerance: float

    @property
    def worst(self) -> float:
        """Largest relative error of all rows."""
        return max(row.relative_error for row in self.rows)

    @property
    def kinks(self) -> int:
        """Elements that were left out, because the loss has a kink or a jump there."""
        return sum(row.kinks for row in self.rows)

    @property
    def passed(self) -> bool:
        """Whether every relative error is within the tolerance; NaN is not."""
        return all(row.relative_error <= self.tolerance for row in self.rows)

    def __bool__(self) -> bool:
        return self.passed

    def __iter__(self) -> Iterator[GradcheckRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> GradcheckRow:
        return self.rows[index]

    def __str__(self) -> str:
        lines = [
            f"{row.name:<16} {row.relative_error:10.2e} {row.largest:12.4g} {row.checked:8d} {row.kinks:5d}"
            for row in self
        ]
        heads = f"{'parameter':<16} {'rel. error':>10} {'largest grad':>12} {'elements':>8} {'kinks':>5}"
        verdict = "passed" if self else "failed"
        return "\n".join(
            [heads, *lines, f"{verdict}: worst {self.worst:.2e}, tolerance {self.tolerance:.2e}"]
        )


def gradcheck(
    net: Sequential,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    criterion: Loss | str,
    *,
    sample_weight: npt.ArrayLike | None = None,
    h: float = 6e-6,
    tolerance: float = 1e-6,
) -> GradcheckReport:
    """Compare every gradient of a loss with ``(L(w + h) - L(w - h)) / 2h``, in float64.

    A float32 network is checked through a float64 copy; ``net`` is left as it was. Dropout draws one mask
    for all passes. Elements next to a kink (ReLU at 0) or a jump are recognised by their different slopes to
    the left and right, for ``h`` up to 1e-4, counted and left out.

    Parameters
    ----------
    net : Sequential
    x, y, sample_weight
        A few rows, as in ``fit``.
    criterion : Loss or str
        A loss with reduction mean or sum, or the name of one.
    h : float, default 6e-6
        About the cube root of float64's precision, where rounding and truncation balance.
    tolerance : float, default 1e-6
        The relative error up to which the check passes.

    Returns
    -------
    GradcheckReport
        The worst relative error of each parameter and of the input: the largest difference over the largest
        gradient. It is true when all are within the tolerance.

    Examples
    --------
    >>> import cmlp
    >>> from cmlp import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
    >>> assert cmlp.gradcheck(net, [[0.1, 0.2], [0.3, -0.4]], [0, 1], "cross_entropy")
    """
    if not isinstance(net, Sequential):
        raise TypeError(f"gradcheck: net is {net!r}, it must be an nn.Sequential")
    if not h > 0:
        raise ValueError(f"gradcheck: h is {h}, it must be above 0")
    loss = Loss(criterion) if isinstance(criterion, str) else criterion
    copy: Any = net.to("float64")._core
    copy.training = net.training
    rows: Any = _core.gradcheck(copy, x, y, sample_weight, loss._core, h)
    return GradcheckReport(tuple(GradcheckRow(*row) for row in rows), tolerance)
