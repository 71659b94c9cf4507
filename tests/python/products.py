"""Products of two lists, thinned: pairs that show every entry always run, the others under `-m slow`."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Any

import pytest


def every_pair(one: Collection[Any], two: Collection[Any]) -> list[Any]:
    """List all pairs as parameters; beyond those that show each entry once, they are slow."""
    first, second = list(one), list(two)
    longer = range(max(len(first), len(second)))
    always = {(first[at % len(first)], second[at % len(second)]) for at in longer}
    return [
        pytest.param(*pair, marks=() if pair in always else pytest.mark.slow)
        for pair in itertools.product(first, second)
    ]


def slow_from(few: int, every: range) -> list[Any]:
    """List numbers as parameters; those from `few` on are slow."""
    return [pytest.param(n, marks=() if n < few else pytest.mark.slow) for n in every]
