"""The share of mutants of the core that the C++ tests catch, and the rules that make them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/mutants"))
from operators import of_line  # noqa: E402

CASES = {
    "    y = a + b;": "y = a - b;",
    "    return n < 0;": "return n <= 0;",
    "    if (rows == 0) return;": "    if (rows != 0) return;",
    "    for (Index i = 0; i < n; ++i) {": "    for (Index i = 0; i <= n; ++i) {",
    "    const double s = std::min(a, b);": "    const double s = std::min(b, a);",
    "    sums.clear();": ";",
    "    const int k = 2;": "    const int k = 3;",
}


@pytest.mark.parametrize("line", CASES)
def test_a_line_has_its_mutants(line):
    found = dict(of_line(line))
    assert CASES[line] in found
    assert "@" in found[CASES[line]]


@pytest.mark.parametrize(
    "line", ["    constexpr int k = 2;", "#include <a>", "    // y = a + b;", "    using T = int;"]
)
def test_lines_that_are_no_statements_have_none(line):
    assert of_line(line) == []


@pytest.mark.slow
@pytest.mark.timeout(36000)
def test_the_tests_catch_mutants_of_the_core(record_property):
    minutes = os.environ.get("CMLP_MUTANTS_MINUTES", "300")
    command = [sys.executable, ROOT / "tests/mutants", "--count", "200", "--jobs", "2", "--minutes", minutes]
    subprocess.run(command, check=True, capture_output=True)
    found = json.loads((ROOT / "build/mutants/results.json").read_text())
    caught = sum(outcome != "survived" for outcome in found.values())
    record_property("mutants of the core", len(found))
    record_property("of them caught", caught)
    assert caught >= 0.6 * len(found)
