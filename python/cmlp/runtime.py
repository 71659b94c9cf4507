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

from cmlp._core import (
    Execution,
    built_isas,
    get_num_threads,
    isa,
    isas,
    set_isa,
    set_num_threads,
    shutdown,
    team_kind,
)

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
