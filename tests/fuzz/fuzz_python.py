"""atheris targets of the Python surface: python fuzz_python.py load|table [options of libFuzzer].

load: a model file is a ValueError or a model that predicts. table: a file of a table is a TableError or a
table, on which a small model is trained and predicts.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["cmlp"]):
    import cmlp
    import cmlp.estimators.model_file
    import cmlp.tabular.estimators
    from cmlp.tabular import TableError, read_table

HERE = Path(__file__).parent
FOLDER = Path(tempfile.mkdtemp())
FRAME = {"size": [1.0, 2.0], "kind": ["a", "b"]}


def load(data: bytes) -> None:
    """Load a model, with and without its checksum, and predict."""
    path = FOLDER / "model.safetensors"
    path.write_bytes(data)
    for verify in (True, False):
        try:
            model = cmlp.load(path, verify=verify)
        except ValueError:
            continue
        repr(model)
        with contextlib.suppress(ValueError):
            model.predict(FRAME if hasattr(model, "encoder_") else [[0.5, 0.5, 0.5]])


def table(data: bytes) -> None:
    """Read a table, its last column as the target, and train on it."""
    path = FOLDER / ("table.csv" if data[:1] != b"{" else "table.jsonl")
    path.write_bytes(data)
    try:
        found = read_table(path)
        columns = {name: found[name] for name in found.column_names[:-1]}
        model = cmlp.TabularClassifier(preset="fast", epochs=1, hidden=(2,), random_state=0)
        model.fit(columns, found[found.column_names[-1]]).predict(columns)
    except (TableError, ValueError, UnicodeError):
        pass


def main() -> None:
    """Fuzz one of the targets."""
    warnings.simplefilter("ignore")
    target = {"load": (load, "models"), "table": (table, "tables")}[sys.argv[1]]
    seeds = str(HERE / target[1])
    for seed in sorted(Path(seeds).iterdir()):  # what is loaded at first need takes no time of a unit
        target[0](seed.read_bytes())
    found = tempfile.mkdtemp()
    options = [f"-artifact_prefix={FOLDER}/", *sys.argv[2:]]
    atheris.Setup([sys.argv[0], *options, found, seeds], target[0])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
