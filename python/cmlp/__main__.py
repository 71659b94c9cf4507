"""``python -m cmlp``: where this installation's C++ library is, its version, or a command of ``cmlp``."""

import argparse
import sys
from pathlib import Path

from cmlp import __version__, _core


def cmake_dir() -> Path:
    """Folder of the CMake package, for ``find_package(cmlp)``; it lies beside the extension module."""
    return Path(_core.__file__).parent / "lib" / "cmake" / "cmlp"


def main() -> None:
    """Print what the arguments select, or run a command: ``python -m cmlp train`` is ``cmlp train``."""
    if sys.argv[1:] and not sys.argv[1].startswith("-"):
        from cmlp.cli import main as command_line

        command_line()
    parser = argparse.ArgumentParser(
        prog="python -m cmlp",
        description="The C++ library within; python -m cmlp COMMAND is cmlp COMMAND.",
    )
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--cmake-dir", action="store_true", help="print the folder for cmake -Dcmlp_DIR=...")
    group.add_argument("--version", action="store_true", help="print the version")
    options = parser.parse_args()
    print(__version__ if options.version else cmake_dir())


if __name__ == "__main__":
    main()
