"""Activations that are more than a function of one element: gates, learned slopes and drawn slopes."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from cmlp.nn.field_checks import any_number, last_axis, refuse_inplace, size
from cmlp.nn.fields import Field
from cmlp.nn.module import Module


class _Gated(Module):
    """Half of the columns times an activation of the other half."""

    _kind = "Gated"
    _may_be_shared = True
    _gate = ""
    dim: Field[int] = Field(last_axis, core="")

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim=dim)

    def _core_fields(self) -> dict[str, Any]:
        return {"gate": self._gate}


class GLU(_Gated):
    """``y = a * sigmoid(b)``, a and b the left and the right half of the columns.

    Dauphin et al., arXiv:1612.08083.

    Parameters
    ----------
    dim : int, default -1
        Only the last axis of (batch, features) is meant; PyTorch's argument, 1 and -1 are taken.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.GLU()([[3.0, 0.0]]).tolist()
    [[1.5]]
    """

    _gate = "sigmoid"


class SwiGLU(_Gated):
    """``y = a * silu(b)``, a and b the left and the right half of the columns as in :class:`GLU`.

    Shazeer, arXiv:2002.05202.

    Parameters
    ----------
    dim : int, default -1
        The last axis: 1 and -1 are taken.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.SwiGLU()([[3.0, 0.0]]).tolist()
    [[0.0]]
    """

    _gate = "silu"


class GEGLU(_Gated):
    """``y = a * gelu(b)``, a and b the left and the right half of the columns as in :class:`GLU`.

    Shazeer, arXiv:2002.05202.

    Parameters
    ----------
    dim : int, default -1
        The last axis: 1 and -1 are taken.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.GEGLU()([[3.0, 40.0]]).tolist()
    [[120.0]]
    """

    _gate = "gelu"


_GATES: dict[str, type[_Gated]] = {"sigmoid": GLU, "silu": SwiGLU, "gelu": GEGLU}


def gate_of(fields: dict[str, Any]) -> Module:
    """Return the module that a gated layer's fields describe."""
    return _GATES[fields["gate"]]()


class PReLU(Module):
    """``y = x if x > 0 else weight * x`` with learned slopes.

    He et al., ICCV 2015. Weight decay would draw the slopes to 0: give them a group without it.

    Parameters
    ----------
    num_parameters : int, default 1
        1: one slope for all columns; otherwise one for each, as many as the input has.
    init : float, default 0.25
        The slopes at first.
    dtype : {"float32", "float64"}
        Used when the layer stands alone.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.PReLU()([[-1.0, 2.0]]).tolist()
    [[-0.25, 2.0]]
    """

    _kind = "PReLU"
    _has_parameters = True
    num_parameters: Field[int] = Field(size, fixed=True)
    init: Field[float] = Field(any_number, quiet=True)

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, *, dtype: npt.DTypeLike = "float32"
    ) -> None:
        super().__init__(num_parameters=num_parameters, init=init, dtype=dtype)


class RReLU(Module):
    """``y = x if x >= 0 else a * x``, a ~ U(lower, upper) for each element in training, else their mean.

    Xu et al., arXiv:1505.00853.

    Parameters
    ----------
    lower, upper : float, default 1/8 and 1/3
        The range of the slopes.
    inplace : bool, default False
        PyTorch's argument; True is refused: ``x`` is never changed.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.RReLU(0.25, 0.75).eval()([[-1.0, 2.0]]).tolist()
    [[-0.5, 2.0]]
    """

    _kind = "RReLU"
    lower: Field[float] = Field(any_number)
    upper: Field[float] = Field(any_number)

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        refuse_inplace("RReLU", inplace)
        super().__init__(lower=lower, upper=upper)

    def _check(self) -> None:
        if self.lower > self.upper:
            raise ValueError(f"RReLU: lower is {self.lower}, it must not be above upper, {self.upper}")
        super()._check()
