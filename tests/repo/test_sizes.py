"""The wheel stays small: the files of the installed package, compressed one by one as a wheel holds them."""

import zlib
from importlib import metadata
from pathlib import Path

import pytest

LIMIT = 4_000_000  # bytes


def test_the_wheel_is_at_most_4_mb() -> None:
    files = [Path(str(path.locate())) for path in metadata.files("cmlp") or []]
    kept = [path for path in files if path.is_file() and path.suffix != ".pyc"]
    if not any(path.name == "libcmlp.a" for path in kept):
        pytest.skip("not installed from a wheel")
    sizes = {path.name: len(zlib.compress(path.read_bytes())) for path in kept}
    largest = sorted(sizes, key=sizes.__getitem__, reverse=True)[:5]
    assert sum(sizes.values()) <= LIMIT, {name: sizes[name] for name in largest}
