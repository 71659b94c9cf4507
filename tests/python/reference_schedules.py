"""The oracle of the schedules: the value at step n from the parameters p of a row."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

Numbers = Sequence[float]


def _fall(t: float) -> float:
    return (1 + math.cos(math.pi * t)) / 2


def _restarts(p: Numbers, base: float, n: float) -> float:
    length = p[0]
    while n >= length:
        n, length = n - length, length * p[1]
    return p[2] + (base - p[2]) * _fall(n / length)


def _one_cycle(p: Numbers, base: float, n: float) -> float:
    """Lines or cosines between the ends of two phases, or three."""
    total, share, linear, three, first, top, last = p
    rise = share * total - 1
    ends = [(0.0, first), (rise, top), (total - 1, last)]
    if three:
        ends.insert(2, (2 * rise, first))
    for (begin, start), (end, stop) in itertools.pairwise(ends):
        if n <= end:
            t = (n - begin) / (end - begin)
            return start + (stop - start) * (t if linear else 1 - _fall(t))
    return last


def _cyclic(p: Numbers, base: float, n: float) -> float:
    """The modes triangular, triangular2 and exp_range: 0, 1, 2."""
    up, down, mode, gamma, low, high = p
    cycle, x = divmod(n, up + down)
    height = x / up if x <= up else (up + down - x) / down
    return low + (high - low) * height * (1, 0.5**cycle, gamma**n)[int(mode)]


SCHEDULES: dict[str, Callable[[Numbers, float, float], float]] = {
    "step": lambda p, base, n: base * p[1] ** (n // p[0]),
    "multi_step": lambda p, base, n: base * p[0] ** sum(m <= n for m in p[1:]),
    "constant": lambda p, base, n: base * (p[0] if n < p[1] else 1),
    "linear": lambda p, base, n: base * (p[0] + (p[1] - p[0]) * min(n / p[2], 1)),
    "exponential": lambda p, base, n: base * p[0] ** n,
    "polynomial": lambda p, base, n: base * (1 - min(n / p[0], 1)) ** p[1],
    "cosine": lambda p, base, n: p[1] + (base - p[1]) * _fall(n / p[0]),
    "cosine_restarts": _restarts,
    "one_cycle": _one_cycle,
    "cyclic": _cyclic,
    "coslog4": lambda p, base, n: (
        base * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * min(n / p[0], 1)))) / 2
    ),
    "flat_cos": lambda p, base, n: (
        base * (1 if n / p[0] < p[1] else _fall((min(n / p[0], 1) - p[1]) / (1 - p[1])))
    ),
}
