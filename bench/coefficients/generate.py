# Prints cpp/src/kernels/math_coefficients.hpp (needs mpmath; ten seconds).
from __future__ import annotations

import textwrap
from dataclasses import dataclass

import mpmath as mp
from minimax import Fit, Function, literal, rounded

mp.mp.dps = 60
HALF_LN2 = mp.log(2) / 2 * mp.mpf("1.0001")  # the reduced argument may pass the exact half by a rounding
QUARTER_PI = mp.pi / 4 * mp.mpf("1.0001")


@dataclass(frozen=True)
class Precision:
    name: str
    bits: int
    degree: dict[str, int]
    tail_end: int  # from here on Phi(-t) and t Phi(-t) round to 0
    tail_bits: int  # 2^tail_bits pieces an octave

    @property
    def tail_start(self) -> int:
        """The end of 16 pieces is 32."""
        return 32 >> (16 >> self.tail_bits)


FLOAT = Precision(
    name="float",
    bits=24,
    degree={
        "exp": 4,
        "log": 8,
        "softplus": 8,
        "erf": 6,
        "tanh": 4,
        "sin": 2,
        "cos": 2,
        "sin_turns": 3,
        "tail": 6,
    },
    tail_end=15,
    tail_bits=2,
)
DOUBLE = Precision(
    name="double",
    bits=53,
    degree={
        "exp": 9,
        "log": 19,
        "softplus": 19,
        "erf": 11,
        "tanh": 9,
        "sin": 5,
        "cos": 5,
        "sin_turns": 7,
        "tail": 14,
    },
    tail_end=39,
    tail_bits=2,
)


def log_rest(x: mp.mpf) -> mp.mpf:
    return (mp.log1p(x) - x) / x**2


def log_weight(x: mp.mpf) -> mp.mpf:
    return abs(x**2 / mp.log1p(x))


def in_square(f: Function) -> Function:
    """f(sqrt(y)), for the even part of a function of x, y = x^2."""
    return lambda y: f(mp.sqrt(y))


# name: (what it says, f, weight, low, high)
SERIES: dict[str, tuple[str, Function, Function, mp.mpf, mp.mpf]] = {
    "exp": ("e^r = 1 + r + r^2 p(r), |r| <= ln(2)/2, error relative to e^r - 1",
            lambda r: (mp.expm1(r) - r) / r**2, lambda r: abs(r**2 / mp.expm1(r)), -HALF_LN2, HALF_LN2),
    "log": ("log(1 + f) = f + f^2 p(f), |f| <= 1/3", log_rest, log_weight, -mp.mpf(1) / 3, mp.mpf(1) / 3),
    "softplus": ("log(1 + e) = e + e^2 p(e), 0 <= e <= 1", log_rest, log_weight, mp.mpf(0), mp.mpf(1)),
    "erf": ("erf(x) = x + x p(x^2), |x| <= 1", in_square(lambda x: mp.erf(x) / x - 1),
            in_square(lambda x: x / mp.erf(x)), mp.mpf(0), mp.mpf(1)),
    "tanh": ("tanh(x) = x + x^3 p(x^2), |x| <= 0.55", in_square(lambda x: (mp.tanh(x) - x) / x**3),
             in_square(lambda x: x**3 / mp.tanh(x)), mp.mpf(0), mp.mpf("0.551") ** 2),
    "sin": ("sin(r) = r + r^3 p(r^2), |r| <= pi/4", in_square(lambda r: (mp.sin(r) - r) / r**3),
            in_square(lambda r: r**3 / mp.sin(r)), mp.mpf(0), QUARTER_PI**2),
    "cos": ("cos(r) = 1 - r^2/2 + r^4 p(r^2), |r| <= pi/4",
            in_square(lambda r: (mp.cos(r) - 1 + r**2 / 2) / r**4),
            in_square(lambda r: r**4 / mp.cos(r)), mp.mpf(0), QUARTER_PI**2),
    "sin_turns": ("sin(2 pi r) = 2 pi r + r^3 p(r^2), |r| <= 1/4",
                  in_square(lambda r: (mp.sin(2 * mp.pi * r) - 2 * mp.pi * r) / r**3),
                  in_square(lambda r: r**3 / mp.sin(2 * mp.pi * r)), mp.mpf(0), mp.mpf(1) / 16),
}  # fmt: skip


def mills(t: mp.mpf) -> mp.mpf:
    """G(t) = Phi(-t) e^(t^2/2)."""
    return mp.exp(t * t / 2) * mp.erfc(t / mp.sqrt(2)) / 2


def tail_pieces(p: Precision) -> tuple[list[list[mp.mpf]], mp.mpf]:
    """For each of 16 pieces (centre, coefficients of G(centre + u)), and the largest relative error."""
    pieces, worst = [], mp.mpf(0)
    for i in range(16):
        edges = [tail_edge(p, i), tail_edge(p, i + 1)]
        half = (edges[1] - edges[0]) / 2 * mp.mpf("1.0001")
        centre = tail_centre((edges[0] + edges[1]) / 2, half, p.bits)
        reach = half + abs(centre - (edges[0] + edges[1]) / 2)
        fit = Fit(lambda u, c=centre: mills(c + u), lambda u, c=centre: 1 / mills(c + u), -reach, reach,
                  p.degree["tail"])  # fmt: skip
        coefficients, error = fit.solve(p.bits)
        pieces.append([centre, *coefficients])
        worst = max(worst, error)
    return pieces, worst


def tail_edge(p: Precision, i: int) -> mp.mpf:
    """Where v = tail_start + tail_scale t enters piece i."""
    octave, step = divmod(i, 2**p.tail_bits)
    v = p.tail_start * 2**octave * (1 + mp.mpf(step) / 2**p.tail_bits)
    return (v - p.tail_start) * p.tail_end / (32 - p.tail_start)


def tail_centre(middle: mp.mpf, half: mp.mpf, bits: int) -> mp.mpf:
    """A float near the middle whose G is nearly a float too: its leading coefficient costs no accuracy."""
    step = half / 4000
    near = (rounded(middle + k * step, bits - 8) for k in range(-40, 41))
    return min(near, key=lambda c: abs(rounded(mills(c), bits) / mills(c) - 1))


def listed(head: str, values: list[mp.mpf], bits: int, tail: str) -> str:
    text = head + "{" + ", ".join(literal(v, bits) for v in values) + "}" + tail
    return textwrap.fill(text, 110, initial_indent="    ", subsequent_indent="        ") + "\n"


def table(name: str, rows: list[list[mp.mpf]], bits: int) -> str:
    head = f"    alignas(64) static constexpr T {name}[{len(rows)}][{len(rows[0])}] = {{\n"
    return head + "".join(listed("    ", row, bits, ",") for row in rows) + "    };\n"


def scalar(name: str, value: mp.mpf, p: Precision) -> str:
    return f"    static constexpr T {name} = {literal(rounded(value, p.bits), p.bits)};\n"


def split(name: str, value: mp.mpf, parts: int, p: Precision) -> str:
    """A constant as a sum of floats: name, name_low, name_lower."""
    text = ""
    for suffix in ("", "_low", "_lower")[:parts]:
        part = rounded(value, p.bits)
        text += scalar(name + suffix, part, p)
        value -= part
    return text


def constants(p: Precision) -> str:
    text = f"template <>\nstruct Coefficients<{p.name}> {{\n    using T = {p.name};\n"
    text += scalar("log2_e", 1 / mp.log(2), p) + split("ln2", mp.log(2), 2, p)
    text += scalar("two_over_pi", 2 / mp.pi, p) + split("half_pi", mp.pi / 2, 3, p)
    text += split("tau", 2 * mp.pi, 2, p) + scalar("turn", 1 / (2 * mp.pi), p)
    text += split("sqrt_2", mp.sqrt(2), 2, p) + scalar("inverse_sqrt_2pi", 1 / mp.sqrt(2 * mp.pi), p)
    slope = 2 * mp.sqrt(2 / mp.pi) * mp.mpf("0.044715")
    text += "    // 2 sqrt(2/pi) (x + 0.044715 x^3) = gelu_slope x (x^2 + gelu_root)\n"
    text += split("gelu_slope", slope, 2, p)
    root = 1 / mp.mpf("0.044715")
    text += scalar("gelu_root", rounded(root, 8), p) + scalar("gelu_root_low", root - rounded(root, 8), p)
    for name, (says, f, weight, low, high) in SERIES.items():
        c, error = Fit(f, weight, low, high, p.degree[name]).solve(p.bits)
        text += f"    // {says}; degree {len(c) - 1}, error 2^{float(mp.log(error, 2)):.1f}\n"
        text += listed(f"static constexpr T {name}[] = ", c, p.bits, ";")
    pieces, error = tail_pieces(p)
    text += scalar("tail_end", mp.mpf(p.tail_end), p) + scalar("tail_start", mp.mpf(p.tail_start), p)
    text += scalar("tail_limit", p.tail_end - mp.mpf(1) / 16, p)
    text += scalar("tail_scale", mp.mpf(32 - p.tail_start) / p.tail_end, p)
    text += f"    static constexpr int tail_bits = {p.tail_bits};\n"
    text += (
        f"    // Phi(-t) e^(t^2/2) = sum_k tail[k + 1][i] (t - tail[0][i])^k, 0 <= t <= {p.tail_end}, where\n"
    )
    text += (
        f"    // tail_start + tail_scale t is in piece i of [tail_start, 32), {2**p.tail_bits} an octave;\n"
    )
    text += f"    // degree {p.degree['tail']}, error 2^{float(mp.log(error, 2)):.1f}\n"
    text += table("tail", [list(row) for row in zip(*pieces, strict=True)], p.bits)
    return text + "};\n"


if __name__ == "__main__":
    print("// Constants and minimax polynomials of the vector functions, lowest power first.")
    print("// Printed by bench/coefficients/generate.py.\n// clang-format off\n#pragma once\n")
    print("namespace cmlp::kernels::CMLP_ISA {\nnamespace {\n\ntemplate <class T>\nstruct Coefficients;\n")
    print(constants(FLOAT) + "\n" + constants(DOUBLE))
    print("}  // namespace\n}  // namespace cmlp::kernels::CMLP_ISA")
