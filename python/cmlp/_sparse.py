"""Sparse input: known by its method ``tocsr``, as all of SciPy's sparse matrices and arrays have it."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy.typing as npt


class SparseLike(Protocol):
    """A SciPy sparse matrix or array of any format."""

    def tocsr(self) -> Any:
        """Return it in rows."""


InputLike: TypeAlias = npt.ArrayLike | SparseLike


def is_sparse(x: Any) -> bool:
    """Whether x is a sparse matrix."""
    return hasattr(x, "tocsr")


def in_rows(x: Any) -> Any:
    """Return a sparse x in rows, so that it is converted once; anything else as it is."""
    return x.tocsr() if is_sparse(x) else x


def row_count(x: Any) -> int:
    """Return the number of rows."""
    return int(x.shape[0]) if is_sparse(x) else len(x)
