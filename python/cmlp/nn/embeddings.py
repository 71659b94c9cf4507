"""Embeddings: learned numbers for codes, periodic and piecewise linear functions for numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp.nn.module import LayerSpec, Module


class Embedding(Module):
    """Each code 0 ... num_embeddings - 1 becomes ``embedding_dim`` learned numbers, N(0, 1) at first.

    Codes are integers in columns of ``x``, as floats in the network's precision. Their numbers take the
    column's place, the other columns pass. A table with several categorical columns has one layer for each:
    put the last column's first, so that the places of the others stay.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Number of codes, and of numbers for each.
    padding_idx : int, optional
        A code whose numbers are 0 at first and learn nothing; -1 is the last one.
    columns : sequence of int, optional
        The columns that hold codes; by default all: (batch, n) becomes (batch, n * embedding_dim).
    seed : int, default 0
        Used when the layer stands alone; in a :class:`Sequential` the network's seed counts.
    dtype : {"float32", "float64"}
        Likewise.

    Raises
    ------
    ValueError
        From a pass over a value that is no code.

    Examples
    --------
    >>> from cmlp import nn
    >>> layer = nn.Embedding(3, 2, columns=[1])
    >>> layer.parameters()[0].data = [[0, 1], [2, 3], [4, 5]]
    >>> layer([[0.5, 2, 0.25]]).tolist()
    [[0.5, 4.0, 5.0, 0.25]]
    """

    _has_parameters = True

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        columns: Sequence[int] | None = None,
        seed: int = 0,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(
                f"Embedding: padding_idx is {padding_idx}, there are {num_embeddings} embeddings"
            )
        if columns is not None and (not len(columns) or sorted(set(columns)) != list(columns)):
            raise ValueError(f"Embedding: columns are {list(columns)}, they must be increasing")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.columns = None if columns is None else [int(column) for column in columns]
        self._seed, self._dtype = seed, dtype

    def _specs(self) -> list[LayerSpec]:
        fields = {
            "num_embeddings": self.num_embeddings,
            "embedding_dim": self.embedding_dim,
            "padding_idx": -1 if self.padding_idx is None else self.padding_idx,
            "columns": self.columns or [],
        }
        return [("", "Embedding", fields)]

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> Embedding:
        padding = fields["padding_idx"]
        sizes = fields["num_embeddings"], fields["embedding_dim"]
        return cls(*sizes, None if padding < 0 else padding, columns=fields["columns"] or None)

    def _extra_repr(self) -> str:
        more = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        more += "" if self.columns is None else f", columns={self.columns}"
        return f"{self.num_embeddings}, {self.embedding_dim}{more}"


class PeriodicEmbedding(Module):
    """``y_i = [cos(2 pi x_i w_i + phase_i) W_i + bias_i, x_i]``: every column becomes several numbers.

    The PBLD embedding of RealMLP (Holzmueller, Grinsztajn and Steinwart, arXiv:2407.04491), after Gorishniy,
    Rubachev and Babenko (arXiv:2203.05556). At first w ~ N(0, sigma^2), phase ~ U(-pi, pi), W and bias ~
    U(-1/sqrt(k), 1/sqrt(k)) for k frequencies.

    Parameters
    ----------
    in_features : int
        Columns of the input; the output has ``in_features * embedding_dim``.
    n_frequencies : int, default 16
        Cosines a column.
    embedding_dim : int, default 4
        Numbers a column becomes, its own value the last of them; at least 2.
    sigma : float, default 0.1
        Standard deviation of the frequencies at first.
    seed : int, default 0
        Used when the layer stands alone; in a :class:`Sequential` the network's seed counts.
    dtype : {"float32", "float64"}
        Likewise.

    Examples
    --------
    >>> from cmlp import nn
    >>> y = nn.PeriodicEmbedding(2)([[0.5, -0.25]])
    >>> y.shape, y[0, [3, 7]].tolist()
    ((1, 8), [0.5, -0.25])
    """

    _has_parameters = True

    def __init__(
        self,
        in_features: int,
        n_frequencies: int = 16,
        embedding_dim: int = 4,
        sigma: float = 0.1,
        *,
        seed: int = 0,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        self.in_features, self.n_frequencies = in_features, n_frequencies
        self.embedding_dim, self.sigma = embedding_dim, float(sigma)
        self._seed, self._dtype = seed, dtype

    def _specs(self) -> list[LayerSpec]:
        fields = {
            "in_features": self.in_features,
            "n_frequencies": self.n_frequencies,
            "embedding_dim": self.embedding_dim,
            "sigma": self.sigma,
        }
        return [("", "PeriodicEmbedding", fields)]

    def _extra_repr(self) -> str:
        return f"{self.in_features}, {self.n_frequencies}, {self.embedding_dim}, sigma={self.sigma}"


class PiecewiseLinearEmbedding(Module):
    """``y_i = x_i w_i + b_i + e(x_i) V_i``: every column becomes numbers that bend at the edges of its bins.

    e has a place for each bin of the column: 1 for those left of x, ``(x - left) / (right - left)`` in its
    own, 0 to the right; the outermost bins go on to infinity. At first V = 0, w and b ~ U(-1/sqrt(d),
    1/sqrt(d)) for d numbers. After Gorishniy, Rubachev and Babenko (arXiv:2203.05556), in the form of
    TabM (Gorishniy, Kotelnikov and Babenko, arXiv:2410.24210).

    Parameters
    ----------
    bins : sequence of sequences of float
        The increasing edges of each column's bins, two or more: :func:`quantile_bins` of the training data.
        They are a part of the layer and saved with it.
    embedding_dim : int, default 16
        Numbers a column becomes: (batch, n) becomes (batch, n * embedding_dim).
    seed : int, default 0
        Used when the layer stands alone; in a :class:`Sequential` the network's seed counts.
    dtype : {"float32", "float64"}
        Likewise.

    Raises
    ------
    ValueError
        For a column without a bin, or edges that are not finite and increasing; when the layer is first used.

    Examples
    --------
    >>> from cmlp import nn
    >>> layer = nn.PiecewiseLinearEmbedding([[0.0, 1.0, 3.0]], 1)
    >>> v, w, b = layer.parameters()
    >>> v.data, w.data, b.data = [[10.0], [100.0]], [[0.0]], [[0.0]]
    >>> layer([[0.5], [2.0], [-1.0]]).ravel().tolist()
    [5.0, 60.0, -10.0]
    """

    _has_parameters = True

    def __init__(
        self,
        bins: Sequence[npt.ArrayLike],
        embedding_dim: int = 16,
        *,
        seed: int = 0,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        self.bins = [[float(edge) for edge in np.asarray(edges, float).ravel()] for edges in bins]
        self.embedding_dim = embedding_dim
        self._seed, self._dtype = seed, dtype

    def _specs(self) -> list[LayerSpec]:
        fields = {"bins": self.bins, "embedding_dim": self.embedding_dim}
        return [("", "PiecewiseLinearEmbedding", fields)]

    def _extra_repr(self) -> str:
        counts = ", ".join(str(len(edges) - 1) for edges in self.bins)
        return f"bins=[{counts}], embedding_dim={self.embedding_dim}"


def quantile_bins(x: npt.ArrayLike, n_bins: int = 48) -> list[list[float]]:
    """Return the edges of bins that hold about as many rows each: the distinct ones of n_bins + 1 quantiles.

    Parameters
    ----------
    x : array (rows, in)
        Finite training data, as the embedding gets it.
    n_bins : int, default 48
        At most so many a column, fewer where values repeat; below the number of rows.

    Returns
    -------
    list of list of float
        One list a column, for :class:`PiecewiseLinearEmbedding`.

    Raises
    ------
    ValueError
        For a column that is constant, a number that is not finite, or fewer rows than ``n_bins + 1``.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.quantile_bins([[0.0], [1.0], [2.0], [3.0], [4.0]], n_bins=2)
    [[0.0, 2.0, 4.0]]
    """
    data = np.asarray(x, float)
    if data.ndim != 2 or not 1 <= n_bins < len(data):
        raise ValueError(
            f"quantile_bins: x has shape {data.shape}, n_bins is {n_bins}; it must be in [1, rows)"
        )
    if not np.isfinite(data).all():
        raise ValueError("quantile_bins: x has numbers that are not finite")
    quantiles = np.quantile(data, np.linspace(0, 1, n_bins + 1), axis=0)
    bins = [np.unique(edges).tolist() for edges in quantiles.T]
    for column, edges in enumerate(bins):
        if len(edges) < 2:
            raise ValueError(f"quantile_bins: column {column} is constant, it has no bins")
    return bins
