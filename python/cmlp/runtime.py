"""What the core runs on: the instruction set by name, and the number of threads.

Neither changes a bit of any result, only the time it takes.

Examples
--------
>>> import cmlp
>>> cmlp.runtime.isa() in cmlp.runtime.isas()
True
"""

from __future__ import annotations

from cmlp._core import built_isas, get_num_threads, isa, isas, set_isa, set_num_threads

__all__ = ["built_isas", "get_num_threads", "isa", "isas", "set_isa", "set_num_threads"]
