"""Embeddings: learned numbers for codes, periodic and piecewise linear functions for numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp.nn.field_checks import integer, number, optional, size
from cmlp.nn.fields import Field
from cmlp.nn.module import Module, Parameter


def _increasing(label: str, value: Any) -> list[int] | None:
    """Return None, or column numbers of which each is larger than the one before."""
    if value is None:
        return None
    columns = [integer(label, column) for column in value]
    if not columns or sorted(set(columns)) != columns or columns[0] < 0:
        raise ValueError(f"{label} are {columns}, they must be increasing")
    return columns


def _columns() -> Field[list[int] | None]:
    """Return the field of the columns that are embedded, by default all."""
    return Field(
        _increasing,
        to_core=lambda columns: columns or [],
        from_core=lambda columns: columns or None,
        fixed=True,
        quiet=True,
    )


def _edges(label: str, value: Any) -> list[list[float]]:
    """Return the edges of each column's bins as lists; the core checks that they increase."""
    return [[float(edge) for edge in np.asarray(edges, float).ravel()] for edges in value]


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

    _kind = "Embedding"
    _has_parameters = True
    num_embeddings: Field[int] = Field(size, fixed=True)
    embedding_dim: Field[int] = Field(size, fixed=True)
    padding_idx: Field[int | None] = Field(
        optional(integer),
        to_core=lambda code: -1 if code is None else code,
        from_core=lambda code: None if code < 0 else code,
        fixed=True,
        quiet=True,
    )
    columns: Field[list[int] | None] = _columns()

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
        codes = size("Embedding: num_embeddings", num_embeddings)
        code = optional(integer)("Embedding: padding_idx", padding_idx)
        if code is not None and not -codes <= code < codes:
            raise ValueError(f"Embedding: padding_idx is {code}, there are {codes} embeddings")
        values: dict[str, Any] = {"num_embeddings": codes, "embedding_dim": embedding_dim, "columns": columns}
        values["padding_idx"] = None if code is None else code % codes
        super().__init__(seed=seed, dtype=dtype, **values)

    @property
    def weight(self) -> Parameter:
        """The numbers of each code, (num_embeddings, embedding_dim)."""
        return self._parameter("weight")


class PeriodicEmbedding(Module):
    """``y_i = [cos(2 pi x_i w_i + phase_i) W_i + bias_i, x_i]``: columns become several numbers each.

    The PBLD embedding of RealMLP (Holzmueller, Grinsztajn and Steinwart, arXiv:2407.04491), after Gorishniy,
    Rubachev and Babenko (arXiv:2203.05556). At first w ~ N(0, sigma^2), phase ~ U(-pi, pi), W and bias ~
    U(-1/sqrt(k), 1/sqrt(k)) for k frequencies.

    Parameters
    ----------
    in_features : int
        Columns of the input, those that pass counted too.
    n_frequencies : int, default 16
        Cosines a column.
    embedding_dim : int, default 4
        Numbers a column becomes, its own value the last of them; at least 2.
    sigma : float, default 0.1
        Standard deviation of the frequencies at first.
    columns : sequence of int, optional
        The columns that are embedded, increasing; by default all: (batch, n) becomes
        (batch, n * embedding_dim).
        Their numbers take the column's place, the other columns pass, as in :class:`Embedding`.
    seed : int, default 0
        Used when the layer stands alone; in a :class:`Sequential` the network's seed counts.
    dtype : {"float32", "float64"}
        Likewise.

    Raises
    ------
    ValueError
        For columns that are not increasing, or not among the ``in_features``.

    Examples
    --------
    >>> from cmlp import nn
    >>> y = nn.PeriodicEmbedding(2)([[0.5, -0.25]])
    >>> y.shape, y[0, [3, 7]].tolist()
    ((1, 8), [0.5, -0.25])
    >>> y = nn.PeriodicEmbedding(3, columns=[1])([[2, 0.5, 4]])
    >>> y.shape, y[0, [0, 4, 5]].tolist()
    ((1, 6), [2.0, 0.5, 4.0])
    """

    _kind = "PeriodicEmbedding"
    _has_parameters = True
    in_features: Field[int] = Field(size, fixed=True)
    n_frequencies: Field[int] = Field(size, fixed=True)
    embedding_dim: Field[int] = Field(size, fixed=True)
    sigma: Field[float] = Field(number(0))
    columns: Field[list[int] | None] = _columns()

    def __init__(
        self,
        in_features: int,
        n_frequencies: int = 16,
        embedding_dim: int = 4,
        sigma: float = 0.1,
        *,
        columns: Sequence[int] | None = None,
        seed: int = 0,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        values: dict[str, Any] = {"in_features": in_features, "n_frequencies": n_frequencies}
        values |= {"embedding_dim": embedding_dim, "sigma": sigma, "columns": columns}
        super().__init__(seed=seed, dtype=dtype, **values)


class PiecewiseLinearEmbedding(Module):
    """``y_i = x_i w_i + b_i + e(x_i) V_i``: columns become numbers that bend at the edges of their bins.

    e has a place for each bin of the column: 1 for those left of x, ``(x - left) / (right - left)`` in its
    own, 0 to the right; the outermost bins extend to infinity. At first V = 0, w and b ~ U(-1/sqrt(d),
    1/sqrt(d)) for d numbers. After Gorishniy, Rubachev and Babenko (arXiv:2203.05556), in the form of
    TabM (Gorishniy, Kotelnikov and Babenko, arXiv:2410.24210).

    Parameters
    ----------
    bins : sequence of sequences of float
        The increasing edges of the bins of each embedded column, two or more: :func:`quantile_bins` of these
        columns of the training data. They are a part of the layer and saved with it.
    embedding_dim : int, default 16
        Numbers a column becomes.
    columns : sequence of int, optional
        The columns that are embedded, increasing; by default all: (batch, n) becomes
        (batch, n * embedding_dim).
        Their numbers take the column's place, the other columns pass, as in :class:`Embedding`.
    seed : int, default 0
        Used when the layer stands alone; in a :class:`Sequential` the network's seed counts.
    dtype : {"float32", "float64"}
        Likewise.

    Raises
    ------
    ValueError
        For a column without a bin, edges that are not finite and increasing, or columns that are not
        increasing or not as many as ``bins``.

    Examples
    --------
    >>> from cmlp import nn
    >>> layer = nn.PiecewiseLinearEmbedding([[0.0, 1.0, 3.0]], 1)
    >>> v, w, b = layer.parameters()
    >>> v.data, w.data, b.data = [[10.0], [100.0]], [[0.0]], [[0.0]]
    >>> layer([[0.5], [2.0], [-1.0]]).ravel().tolist()
    [5.0, 60.0, -10.0]
    >>> nn.PiecewiseLinearEmbedding([[0.0, 1.0]], 3, columns=[1])([[2, 0.5, 4]]).shape
    (1, 5)
    """

    _kind = "PiecewiseLinearEmbedding"
    _has_parameters = True
    bins: Field[list[list[float]]] = Field(_edges, fixed=True)
    embedding_dim: Field[int] = Field(size, fixed=True)
    columns: Field[list[int] | None] = _columns()

    def __init__(
        self,
        bins: Sequence[npt.ArrayLike],
        embedding_dim: int = 16,
        *,
        columns: Sequence[int] | None = None,
        seed: int = 0,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__(seed=seed, dtype=dtype, bins=bins, embedding_dim=embedding_dim, columns=columns)


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
