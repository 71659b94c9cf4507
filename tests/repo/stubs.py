"""Writes the type stub of cmlp._core from the installed bindings: python tests/repo/stubs.py OUTPUT."""

import subprocess
import sys
import tempfile
from pathlib import Path

HEADER = "# Types of the extension module, generated from the bindings by `nox -s stubs`.\n"


def main(output: Path) -> None:
    """Run pybind11-stubgen, which fails on a signature it cannot express, and put one file at `output`."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["cmlp._core", "--exit-code", "--output-dir", folder]
        subprocess.run([sys.executable, "-m", "pybind11_stubgen", *arguments], check=True)
        text = (Path(folder) / "cmlp" / "_core.pyi").read_text(encoding="utf-8")
    output.write_text(HEADER + text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
