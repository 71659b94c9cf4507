"""Normalisation layers: LayerNorm and RMSNorm over each row, BatchNorm1d over each column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt

from cmlp.nn.field_checks import flag, number, one_size, optional, size
from cmlp.nn.fields import Field
from cmlp.nn.module import Module, Parameter

_positive_or_zero = number(0)


def _negative_is_none(value: float) -> float | None:
    return None if value < 0 else value


def _none_is_negative(value: float | None) -> float:
    return -1.0 if value is None else value


def _first(sizes: tuple[int]) -> int:
    return sizes[0]


class LayerNorm(Module):
    """``y = (x - mean) / sqrt(variance + eps) * weight + bias``, mean and variance of each row.

    Ba, Kiros and Hinton, arXiv:1607.06450.

    Parameters
    ----------
    normalized_shape : int or (int,)
        Columns of the input.
    eps : float, default 1e-5
        Keeps a constant row from a division by 0.
    elementwise_affine : bool, default True
        Whether there is a ``weight`` and, with ``bias``, a ``bias``: 1 and 0 at first.
    bias : bool, default True
        Whether there is a ``bias``.
    dtype : {"float32", "float64"}
        Used when the layer stands alone.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.LayerNorm(2, eps=0.0)([[1.0, 3.0]]).tolist()
    [[-1.0, 1.0]]
    """

    _kind = "LayerNorm"
    _has_parameters = True
    normalized_shape: Field[tuple[int]] = Field(one_size, core="features", to_core=_first, fixed=True)
    eps: Field[float] = Field(_positive_or_zero)
    elementwise_affine: Field[bool] = Field(flag, core="affine", fixed=True)
    _has_bias: Field[bool] = Field(flag, name="bias", fixed=True, quiet=True)

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__(
            normalized_shape=normalized_shape,
            eps=eps,
            elementwise_affine=elementwise_affine,
            bias=bias,
            dtype=dtype,
        )

    @property
    def weight(self) -> Parameter | None:
        """The factors, (features,), or None."""
        return self._parameter("weight") if self.elementwise_affine else None

    @property
    def bias(self) -> Parameter | None:
        """The bias, (features,), or None."""
        return self._parameter("bias") if self.elementwise_affine and self._has_bias else None


class RMSNorm(Module):
    """``y = x / sqrt(mean(x^2) + eps) * weight``, the mean over each row.

    Zhang and Sennrich, arXiv:1910.07467.

    Parameters
    ----------
    normalized_shape : int or (int,)
        Columns of the input.
    eps : float, optional
        By default the distance from 1 to the next number of the network's precision, as in PyTorch.
    elementwise_affine : bool, default True
        Whether there is a ``weight``, 1 at first.
    dtype : {"float32", "float64"}
        Used when the layer stands alone.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.RMSNorm(2, eps=0.0)([[3.0, -3.0]]).tolist()
    [[1.0, -1.0]]
    """

    _kind = "RMSNorm"
    _has_parameters = True
    normalized_shape: Field[tuple[int]] = Field(one_size, core="features", to_core=_first, fixed=True)
    eps: Field[float | None] = Field(
        optional(_positive_or_zero), to_core=_none_is_negative, from_core=_negative_is_none
    )
    elementwise_affine: Field[bool] = Field(flag, core="affine", fixed=True)

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__(
            normalized_shape=normalized_shape, eps=eps, elementwise_affine=elementwise_affine, dtype=dtype
        )

    @property
    def weight(self) -> Parameter | None:
        """The factors, (features,), or None."""
        return self._parameter("weight") if self.elementwise_affine else None


class BatchNorm1d(Module):
    """``y = (x - mean) / sqrt(variance + eps) * weight + bias``, mean and variance of each column.

    In training those of the batch, which must have more than one row; otherwise running averages of theirs.
    These are buffers: in ``state_dict`` and in files, but no optimizer touches them. Sample weights have no
    share in the statistics. Ioffe and Szegedy, ICML 2015.

    Parameters
    ----------
    num_features : int
        Columns of the input.
    eps : float, default 1e-5
        Keeps a constant column from a division by 0.
    momentum : float or None, default 0.1
        Share of a new batch in the running averages, in [0, 1]; None: all batches count the same.
    affine : bool, default True
        Whether there are a ``weight`` and a ``bias``, 1 and 0 at first.
    track_running_stats : bool, default True
        Whether running averages are kept; without them each batch is normalised by itself always.
    bias : bool, default True
        Whether ``affine`` has a ``bias``.
    dtype : {"float32", "float64"}
        Used when the layer stands alone.

    Examples
    --------
    >>> from cmlp import nn
    >>> norm = nn.BatchNorm1d(1, eps=0.0, dtype="float64")
    >>> norm([[1.0], [3.0]]).tolist()
    [[-1.0], [1.0]]
    >>> {name: value.round(2).tolist() for name, value in norm.named_buffers()}
    {'running_mean': [0.2], 'running_var': [1.1], 'num_batches_tracked': 1.0}
    """

    _kind = "BatchNorm1d"
    _has_parameters = True
    num_features: Field[int] = Field(size, fixed=True)
    eps: Field[float] = Field(_positive_or_zero)
    momentum: Field[float | None] = Field(
        optional(number(0, 1)), to_core=_none_is_negative, from_core=_negative_is_none
    )
    affine: Field[bool] = Field(flag, fixed=True)
    track_running_stats: Field[bool] = Field(flag, fixed=True)
    _has_bias: Field[bool] = Field(flag, name="bias", fixed=True, quiet=True)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__(
            num_features=num_features,
            eps=eps,
            momentum=momentum,
            affine=affine,
            track_running_stats=track_running_stats,
            bias=bias,
            dtype=dtype,
        )

    @property
    def weight(self) -> Parameter | None:
        """The factors, (num_features,), or None."""
        return self._parameter("weight") if self.affine else None

    @property
    def bias(self) -> Parameter | None:
        """The bias, (num_features,), or None."""
        return self._parameter("bias") if self.affine and self._has_bias else None
