"""Normalisation layers: LayerNorm and RMSNorm over each row, BatchNorm1d over each column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from cmlp.nn.module import LayerSpec, Module


def _features(kind: str, shape: int | Sequence[int]) -> int:
    """Return the one size that a row of (batch, features) has."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if len(sizes) != 1:
        raise ValueError(f"{kind}: normalized_shape is {sizes}, it must be one size, that of a row")
    return int(sizes[0])


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

    _has_parameters = True

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        self.normalized_shape = (_features("LayerNorm", normalized_shape),)
        self.eps, self.elementwise_affine, self._has_bias = float(eps), elementwise_affine, bias
        self._dtype = dtype

    def _specs(self) -> list[LayerSpec]:
        fields = {
            "features": self.normalized_shape[0],
            "eps": self.eps,
            "affine": self.elementwise_affine,
            "bias": self._has_bias,
        }
        return [("", "LayerNorm", fields)]

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> LayerNorm:
        return cls(fields["features"], fields["eps"], fields["affine"], fields["bias"])

    def _extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


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

    _has_parameters = True

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        if eps is not None and not eps >= 0:
            raise ValueError(f"RMSNorm: eps is {eps}, it must be None or not negative")
        self.normalized_shape = (_features("RMSNorm", normalized_shape),)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._dtype = dtype

    def _specs(self) -> list[LayerSpec]:
        eps = -1.0 if self.eps is None else float(self.eps)
        fields = {"features": self.normalized_shape[0], "eps": eps, "affine": self.elementwise_affine}
        return [("", "RMSNorm", fields)]

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> RMSNorm:
        eps = fields["eps"]
        return cls(fields["features"], None if eps < 0 else eps, fields["affine"])

    def _extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


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

    _has_parameters = True

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
        super().__init__()
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(f"BatchNorm1d: momentum is {momentum}, it must be in [0, 1] or None")
        self.num_features, self.eps, self.momentum = num_features, float(eps), momentum
        self.affine, self.track_running_stats, self._has_bias = affine, track_running_stats, bias
        self._dtype = dtype

    def _specs(self) -> list[LayerSpec]:
        fields = {
            "num_features": self.num_features,
            "eps": self.eps,
            "momentum": -1.0 if self.momentum is None else float(self.momentum),
            "affine": self.affine,
            "track_running_stats": self.track_running_stats,
            "bias": self._has_bias,
        }
        return [("", "BatchNorm1d", fields)]

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> BatchNorm1d:
        momentum = fields["momentum"]
        return cls(**{**fields, "momentum": None if momentum < 0 else momentum})

    def _extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )
