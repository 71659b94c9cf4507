# Weighted minimax polynomials whose coefficients are floats: Remez exchange, then rounding one at a time.
from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp

Function = Callable[[mp.mpf], mp.mpf]


def rounded(value: mp.mpf, bits: int) -> mp.mpf:
    """`value` rounded to nearest with `bits` significant bits."""
    if value == 0:
        return mp.mpf(0)
    scale = mp.mpf(2) ** (bits - 1 - int(mp.floor(mp.log(abs(value), 2))))
    return mp.nint(value * scale) / scale


def literal(value: mp.mpf, bits: int) -> str:
    """The shortest decimal literal of a float (24 bits) or a double (53 bits)."""
    if bits == 53:
        return repr(float(value))
    number = struct.unpack("f", struct.pack("f", float(value)))[0]
    text = next(
        t for d in range(1, 10) if struct.pack("f", float(t := f"{number:.{d}g}")) == struct.pack("f", number)
    )
    return (text if "." in text or "e" in text else text + ".0") + "f"


@dataclass(frozen=True)
class Fit:
    """sum_k c[k] x^k close to f on [low, high]: the largest weight(x) * |f(x) - p(x)| is least."""

    f: Function
    weight: Function
    low: mp.mpf
    high: mp.mpf
    degree: int

    def grid(self, count: int) -> list[mp.mpf]:
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        return [middle + half * mp.cos(mp.pi * (2 * j + 1) / (2 * count)) for j in range(count)][::-1]

    def solve(self, bits: int) -> tuple[list[mp.mpf], mp.mpf]:
        """Coefficients of `bits` bits, lowest first, and the weighted error that is left."""
        xs = self.grid(24 * (self.degree + 2))
        values, weight = [self.f(x) for x in xs], [self.weight(x) for x in xs]
        powers = [[x**k for x in xs] for k in range(self.degree + 1)]
        free, fixed = remez(values, weight, powers), []
        for k in range(self.degree + 1):
            fixed.append(rounded(free[0], bits))
            slip = free[0] - fixed[-1]
            moved = least_squares([slip * p for p in powers[k]], weight, powers[k + 1 :])
            free = [c + m for c, m in zip(free[1:], moved, strict=True)]
        left = [
            v - mp.fsum(c * p[i] for c, p in zip(fixed, powers, strict=True)) for i, v in enumerate(values)
        ]
        return fixed, max(abs(w * r) for w, r in zip(weight, left, strict=True))


def least_squares(values: list[mp.mpf], weight: list[mp.mpf], basis: list[list[mp.mpf]]) -> list[mp.mpf]:
    """The weighted least-squares combination of sampled basis functions."""
    if not basis:
        return []
    w2 = [w * w for w in weight]
    heavy = [[w * b for w, b in zip(w2, row, strict=True)] for row in basis]
    gram = mp.matrix([[mp.fdot(h, b) for b in basis] for h in heavy])
    return list(mp.lu_solve(gram, mp.matrix([mp.fdot(h, values) for h in heavy])))


def extrema(error: list[mp.mpf], count: int) -> list[int]:
    """Indices of `count` alternating extrema of the sampled error, or fewer where there are fewer."""
    runs: list[int] = []
    for i, e in enumerate(error):
        if runs and (error[runs[-1]] > 0) == (e > 0):
            runs[-1] = i if abs(e) > abs(error[runs[-1]]) else runs[-1]
        else:
            runs.append(i)
    while len(runs) > count:
        del runs[0 if abs(error[runs[0]]) < abs(error[runs[-1]]) else -1]
    return runs


def remez(values: list[mp.mpf], weight: list[mp.mpf], basis: list[list[mp.mpf]]) -> list[mp.mpf]:
    """The minimax combination of sampled basis functions, by exchange on the samples."""
    n, points = len(basis), len(values)
    where = [round((points - 1) * (1 - math.cos(math.pi * i / n)) / 2) for i in range(n + 1)]
    best: list[mp.mpf] = []
    for _ in range(30):
        a = mp.matrix(n + 1, n + 1)
        for row, i in enumerate(where):
            for column in range(n):
                a[row, column] = basis[column][i]
            a[row, n] = (-1) ** row / weight[i]
        solution = mp.lu_solve(a, mp.matrix([values[i] for i in where]))
        best = [solution[k] for k in range(n)]
        error = [
            w * (v - mp.fsum(c * b[i] for c, b in zip(best, basis, strict=True)))
            for i, (v, w) in enumerate(zip(values, weight, strict=True))
        ]
        found = extrema(error, n + 1)
        if len(found) < n + 1 or found == where or max(map(abs, error)) <= abs(solution[n]) * mp.mpf("1.001"):
            break
        where = found
    return best
