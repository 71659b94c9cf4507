"""Thousands of damaged model files: each is one ValueError or a model that predicts; the process survives."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

import cmlp
from model_file import network, saved

SHARES = 20
EXTREMES = [
    b"-1",
    b"0",
    b"1e999",
    b"4611686018427387904",
    b"18446744073709551616",
    b"null",
    b"[",
    b"}",
    b'"',
    b"\\",
]


def _flip(rng, raw):
    for at in rng.integers(0, len(raw), rng.integers(1, 5)):
        raw[at] ^= 1 << rng.integers(8)


def _overwrite(rng, raw):
    start = rng.integers(0, len(raw))
    raw[start : start + rng.integers(1, 40)] = rng.bytes(rng.integers(0, 40))


def _truncate(rng, raw):
    del raw[rng.integers(0, len(raw)) :]


def _extend(rng, raw):
    raw += rng.bytes(rng.integers(1, 100))


def _remove(rng, raw):
    start = rng.integers(0, len(raw))
    del raw[start : start + rng.integers(1, 64)]


def _repeat(rng, raw):
    start, stop = np.sort(rng.integers(0, len(raw), 2))
    at = rng.integers(0, len(raw))
    raw[at:at] = raw[start:stop]


def _swap(rng, raw):
    """Exchange two blocks of one size."""
    size = int(rng.integers(1, len(raw) // 2))
    a, b = np.sort(rng.integers(0, len(raw) - size, 2))
    raw[a : a + size], raw[b : b + size] = raw[b : b + size], raw[a : a + size]


def _replace_number(rng, raw):
    """Put an extreme value where the header has a digit."""
    header = 8 + int.from_bytes(raw[:8], "little")
    digits = [at for at in range(8, min(header, len(raw))) if 48 <= raw[at] <= 57]
    if digits:
        at = digits[rng.integers(len(digits))]
        value = EXTREMES[rng.integers(len(EXTREMES))]
        raw[at : at + 1] = value
        raw[:8] = (header - 8 + len(value) - 1).to_bytes(8, "little")


MUTATIONS = [_flip, _overwrite, _truncate, _extend, _remove, _repeat, _swap, _replace_number]


def mutated(rng, raw):
    """Return the bytes of a file after one to three mutations."""
    broken = bytearray(raw)
    for change in rng.choice(len(MUTATIONS), rng.integers(1, 4)):
        MUTATIONS[change](rng, broken)
        if len(broken) < 16:
            break
    return bytes(broken)


def load_all(folder, seed, count):
    """Load mutated files; a verified load gives the model itself, an unverified one a model that predicts."""
    path, rng = saved(folder, metadata={"note": "text"}), np.random.default_rng(seed)
    raw, x = path.read_bytes(), np.ones((1, 4))
    original = cmlp.load(path).predict(x)
    for _ in range(count):
        path.write_bytes(mutated(rng, raw))
        for verify in (True, False):
            try:
                net = cmlp.load(path, verify=verify)
            except ValueError as error:
                assert str(error).startswith(f"load: {path} is ")  # noqa: PT017
                continue
            if verify:
                assert np.array_equal(net.predict(x), original)
            else:
                with contextlib.suppress(ValueError):  # layers of another width
                    net.predict(x)


@pytest.mark.parametrize("seed", range(SHARES))
def test_five_thousand_mutated_files(seed, memory_folder):
    load_all(memory_folder, seed, 5_000 // SHARES)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SHARES, 2 * SHARES))
def test_a_hundred_thousand_mutated_files(seed, memory_folder):
    load_all(memory_folder, seed, 100_000 // SHARES)


def test_the_model_that_is_mutated_loads(memory_folder):
    x = np.ones((2, 4))
    assert np.array_equal(cmlp.load(saved(memory_folder)).predict(x), network().predict(x))
