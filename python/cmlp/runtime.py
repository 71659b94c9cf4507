"""What the core runs on: the instruction set by name, and the number of threads.

Neither changes a bit of any result, only the time it takes.

A call uses as many threads as its work is worth, and at most: those of the `Execution` block it is in, else
those of `set_num_threads`, else the default, which is ``OMP_NUM_THREADS`` or the processors this process may
run on. OpenMP's own limit, as threadpoolctl's ``threadpool_limits`` sets it, bounds all of them. No call
starts more threads than there are processors.

Examples
--------
>>> import cmlp
>>> cmlp.runtime.isa() in cmlp.runtime.isas()
True
>>> with cmlp.runtime.Execution(threads=1):
...     cmlp.get_num_threads()
1
>>> cmlp.set_num_threads(2)
>>> cmlp.set_num_threads(None)  # the default again
"""

from __future__ import annotations

import sys

from cmlp import _core
from cmlp._arguments import check_arguments
from cmlp._core import built_isas, get_num_threads, isa, isas, shutdown, team_kind


class Execution(_core.Execution):
    """Bounds the threads of this thread's calls in a ``with`` block.

    Parameters
    ----------
    threads : int, optional
        At least 1; None: no bound of its own.
    """

    def __init__(self, threads: int | None = None) -> None:
        super().__init__(threads)


def set_isa(name: str) -> None:
    """Choose the instruction set for the calls that follow.

    Raises
    ------
    ValueError
        For a name that is not in :func:`isas`.
    """
    _core.set_isa(name)


def set_num_threads(count: int | None) -> None:
    """Set the limit for all threads: at least 1, None for the default."""
    _core.set_num_threads(count)


__all__ = [
    "Execution",
    "built_isas",
    "get_num_threads",
    "isa",
    "isas",
    "set_isa",
    "set_num_threads",
    "shutdown",
    "team_kind",
]

check_arguments(sys.modules[__name__])
