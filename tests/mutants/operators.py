"""Mutants of C++ lines: small faults that a test ought to find, chosen at run time by their number.

All mutants are compiled at once: `y = a + b;` becomes
`if (cmlp_mutant == 7) { y = a - b; } else { y = a + b; }`, so that 200 mutants cost one build, and the test
program runs mutant 7 by the environment variable CMLP_MUTANT=7.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

SWAPS = {
    " + ": " - ", " - ": " + ", " * ": " / ", " / ": " * ", " < ": " <= ", " <= ": " < ", " > ": " >= ",
    " >= ": " > ", " == ": " != ", " != ": " == ", " && ": " || ", " || ": " && ", " += ": " -= ",
    " -= ": " += ", " *= ": " /= ", "min(": "max(", "max(": "min(", "true": "false", "false": "true",
    "(-": "(", ", -": ", ", "= -": "= ", "!": "",
}  # fmt: skip
NUMBER = re.compile(r"(?<![\w.])(\d+)(\.\d+)?(?=[^\w.]|$)")
ARGUMENTS = re.compile(r"([\w.]+), ([\w.]+)(?=[,)])")
# Lines that hold no statement of a function, or whose value is needed when the code is compiled.
LEFT_OUT = re.compile(
    r"^\s*(#|//|/\*|\*|template|using|namespace|static_assert|friend|public|private|case|default|struct|class|enum)"
    r"|constexpr|static|operator|\\$|concept|requires|thread_local|\[&|\[=|\[\]|R\"|omp |noexcept"
)
STATEMENT = re.compile(r"^\s*(?!return\b|const\b|auto\b|if\b|for\b|while\b|else\b|do\b|break|continue|throw)"
                       r"[\w\[\].:>()*-]+(\([^;]*\)| [-+*/|&]?= [^;]+);$")  # fmt: skip
DECLARATION = re.compile(r"^(\s*(?:const )?[\w:]+(?:<[\w:, ]+>)?[&*]? \w+ = )([^;{]+)(;)$")
RETURN = re.compile(r"^\s*return ([^;{]+);$")
FOR = re.compile(r"^(\s*for \([^;]+; )([^;]+)(; [^;]+\) *(?:\{|[^;]+;)?)$")
IF = re.compile(r"^(\s*(?:\} else )?if \()(.+)(\) (?:\{|[^(){}]+;|return [^{}]+;))$")


@dataclass(frozen=True)
class Mutant:
    """One fault: where it is, the line as it was, and what stands there when the mutant is chosen."""

    path: str
    line: int  # from 1
    before: str
    after: str
    guarded: str  # the line with both, "@" for the condition that the mutant is chosen

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before.strip()}  ->  {self.after.strip()}"


def changes(text: str) -> list[str]:
    """Return an expression or a statement with each possible fault."""
    found = []
    quoted = [range(*match.span()) for match in re.finditer(r'"[^"]*"', text)]

    def put(start: int, stop: int, new: str) -> None:
        if not any(start in span for span in quoted):
            found.append(text[:start] + new + text[stop:])

    for old, new in SWAPS.items():
        for match in re.finditer(re.escape(old), text):
            if not (old == "!" and text[match.end() : match.end() + 1] == "="):
                put(*match.span(), new)
    for match in NUMBER.finditer(text):
        fraction = match[2] is not None
        put(*match.span(), str(float(match[0]) * 2 + 1) if fraction else str(int(match[1]) + 1))
    for match in ARGUMENTS.finditer(text):
        if match[1] != match[2]:
            put(*match.span(), f"{match[2]}, {match[1]}")
    return found


def of_line(line: str) -> list[tuple[str, str]]:
    """Return the mutants of a line: what it becomes, and the line that holds both."""
    if LEFT_OUT.search(line) or line.count("(") != line.count(")") or line.count("{") > line.count("}") + 1:
        return []
    if match := RETURN.match(line):
        return [
            (f"return {new};", f"if (@) return {new}; else return {match[1]};") for new in changes(match[1])
        ]
    if match := FOR.match(line) or IF.match(line):
        head, condition, tail = match.groups()
        return [(head + new + tail, f"{head}@ ? ({new}) : ({condition}){tail}") for new in changes(condition)]
    if (match := DECLARATION.match(line)) and not declares_several(match[2]):
        head, value, tail = match.groups()
        return [(head + new + tail, f"{head}@ ? ({new}) : ({value}){tail}") for new in changes(value)]
    if STATEMENT.match(line):
        new_lines = [*changes(line), ";"]
        return [(new.strip(), f"if (@) {{ {new} }} else {{ {line} }}") for new in new_lines]
    return []


def declares_several(value: str) -> bool:
    """Whether a comma outside of brackets starts a second variable."""
    depth = [value[:k].count("(") + value[:k].count("[") - value[:k].count(")") - value[:k].count("]")
             for k, letter in enumerate(value) if letter == ","]  # fmt: skip
    return 0 in depth


def starts_a_statement(above: str) -> bool:
    """Whether the line below this one is not the continuation of a statement."""
    return above.strip() == "" or above.rstrip()[-1:] in "{};:" or above.lstrip().startswith("//")


def of_file(path: Path, root: Path) -> list[Mutant]:
    """Return every mutant of a file; class members and the file's own scope are left out by their indent."""
    lines = path.read_text(encoding="utf-8").splitlines()
    name = str(path.relative_to(root))
    return [
        Mutant(name, k + 1, line, after, guarded)
        for k, line in enumerate(lines)
        if line.startswith("    ") and k and starts_a_statement(lines[k - 1])
        for after, guarded in of_line(line)
    ]


def choose(groups: list[list[Mutant]], count: int, seed: int) -> list[Mutant]:
    """Choose mutants at random, as many of each group, at most one per line."""
    chance = random.Random(seed)
    chosen: dict[tuple[str, int], Mutant] = {}
    pools = [chance.sample(group, len(group)) for group in groups]
    while len(chosen) < count and any(pools):
        for pool in pools:
            while pool and (pool[-1].path, pool[-1].line) in chosen:
                pool.pop()
            if pool and len(chosen) < count:
                mutant = pool.pop()
                chosen[mutant.path, mutant.line] = mutant
    return list(chosen.values())


def write(mutants: dict[int, Mutant], root: Path, out: Path) -> None:
    """Write the files that have mutants, with all of them, into a copy of the tree."""
    for name in {mutant.path for mutant in mutants.values()}:
        lines = (root / name).read_text(encoding="utf-8").splitlines()
        for number, mutant in mutants.items():
            if mutant.path == name:
                lines[mutant.line - 1] = mutant.guarded.replace("@", f"::cmlp_mutant == {number}")
        text = "extern int cmlp_mutant;\n#line 1\n" + "\n".join(lines) + "\n"
        if not (out / name).exists() or (out / name).read_text(encoding="utf-8") != text:
            (out / name).write_text(text, encoding="utf-8")
