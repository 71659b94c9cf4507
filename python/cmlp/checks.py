"""Backpropagation held against central differences."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt

from cmlp import _core
from cmlp.nn.losses import Loss
from cmlp.nn.sequential import Sequential


class GradcheckRow(NamedTuple):
    """The comparison for one parameter, or for the input."""

    name: str
    relative_error: float
    largest: float
    checked: int


class GradcheckReport(list[GradcheckRow]):
    """One row a parameter and one for the input; printed as a table.

    Attributes
    ----------
    worst : float
        Largest relative error of all rows.
    """

    @property
    def worst(self) -> float:
        """Largest relative error of all rows."""
        return max(row.relative_error for row in self)

    def __str__(self) -> str:
        lines = [
            f"{row.name:<16} {row.relative_error:10.2e} {row.largest:12.4g} {row.checked:8d}" for row in self
        ]
        return "\n".join(
            [f"{'parameter':<16} {'rel. error':>10} {'largest grad':>12} {'elements':>8}", *lines]
        )


def gradcheck(
    net: Sequential,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    criterion: Loss,
    *,
    sample_weight: npt.ArrayLike | None = None,
    h: float = 6e-6,
) -> GradcheckReport:
    """Compare every gradient of a loss with ``(L(w + h) - L(w - h)) / 2h``, in float64.

    A float32 network is checked through a float64 copy; ``net`` is left as it was. Dropout draws one mask
    for all passes. Near a kink (ReLU at 0) differences say nothing: move ``x`` a little.

    Parameters
    ----------
    net : Sequential
    x, y, sample_weight
        A few rows, as in ``fit``.
    criterion : Loss
        With reduction mean or sum.
    h : float, default 6e-6
        About the cube root of float64's precision, where rounding and truncation balance.

    Returns
    -------
    GradcheckReport
        The worst relative error of each parameter and of the input: the largest difference over the largest
        gradient.

    Examples
    --------
    >>> import cmlp
    >>> from cmlp import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
    >>> cmlp.gradcheck(net, [[0.1, 0.2], [0.3, -0.4]], [0, 1], nn.CrossEntropyLoss()).worst < 1e-7
    True
    """
    copy: Any = net.to("float64")._core
    copy.training = net.training
    rows = _core.gradcheck(copy, x, y, sample_weight, criterion._core, h)
    return GradcheckReport(GradcheckRow(*row) for row in rows)
