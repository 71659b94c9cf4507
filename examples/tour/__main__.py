"""Runs all sections of the tour: `python examples/tour [--out DIR]`."""

import runpy
from pathlib import Path

SECTIONS = [
    "perceptron", "activations", "boundary", "forward", "backprop", "losses", "initialisation", "optimizers",
]  # fmt: skip

if __name__ == "__main__":
    for number, name in enumerate(SECTIONS, start=1):
        print(f"\n{number}. {name}")
        runpy.run_path(str(Path(__file__).with_name(f"{name}.py")), run_name="__main__")
