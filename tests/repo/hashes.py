"""Writes the hashes of the reference trainings into trainings.def: python tests/repo/hashes.py.

Only for a change that is meant to change bits, or for a new training; the changelog says so. Then build.
"""

import re
from pathlib import Path

LIST = Path(__file__).parents[2] / "cpp/include/cmlp/lists/trainings.def"


def with_hashes(text: str, hashes: dict[str, str]) -> str:
    """Return the text of trainings.def with the hash of each training."""
    row = re.compile(r'^(CMLP_TRAINING\((\w+), )"[^"]*"', re.MULTILINE)
    return row.sub(lambda found: f'{found[1]}"{hashes[found[2]]}"', text)


def main() -> None:
    """Train each of them on the instruction set in use."""
    from cmlp import _core

    hashes = {name: _core.training_hash(name) for name, _, _ in _core.reference_trainings()}
    LIST.write_text(with_hashes(LIST.read_text(encoding="utf-8"), hashes), encoding="utf-8")


if __name__ == "__main__":
    main()
