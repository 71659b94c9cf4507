"""The systems that are compared. Each is imported in its own process: a missing package costs only itself."""

import json
from dataclasses import dataclass
from importlib import import_module
from typing import Any

REFERENCE = "lightgbm"
PRESETS = ("fast", "default", "best")


@dataclass(frozen=True)
class System:
    """A module of bench.accuracy.models with its settings.

    The module has ``load()``, which imports what a fit needs, and ``fit(table, split, seed, threads,
    **settings)``, which returns a function of rows: probabilities (rows, classes) in the order of the sorted
    classes, or predictions (rows,).
    """

    name: str  # of the results and of --systems
    title: str  # of the tables
    module: str
    package: str  # as it is imported
    settings: str = "{}"  # JSON

    @property
    def ours(self) -> bool:
        """Whether it is an estimator of cmlp."""
        return self.package == "cmlp"

    def load(self) -> Any:
        """Return the module, with its package imported."""
        module = import_module(f"bench.accuracy.models.{self.module}")
        module.load()
        return module


OTHERS = [
    System("lightgbm", "LightGBM", "lightgbm_trees", "lightgbm"),
    System("hist", "HistGradientBoosting", "hist", "sklearn"),
    System("sklearn", "scikit-learn MLP", "sklearn_mlp", "sklearn"),
    System("realmlp", "RealMLP-TD", "realmlp", "pytabkit"),
]


def ours(preset: str, label: str = "", changes: dict[str, Any] | None = None) -> System:
    """Return a preset of the estimators, with the changes to its parameters that the label names."""
    settings = json.dumps({"preset": preset, **(changes or {})})
    name = f"cmlp-{preset}" + (f"+{label}" if label else "")
    title = f"cmlp {preset}" + (f", {label}" if label else "")
    return System(name, title, "cmlp_tabular", "cmlp", settings)


def parse_changes(text: str) -> tuple[str, dict[str, Any]]:
    """Split ``{"hidden": [64]}`` or ``label={"hidden": [64]}`` into the label and the parameters."""
    label, equals, rest = text.partition("={")
    given = "{" + rest if equals else text
    try:
        changes = json.loads(given)
    except json.JSONDecodeError as error:
        raise ValueError(f"{given!r} is not JSON: {error}") from error
    if not isinstance(changes, dict) or not all(isinstance(key, str) for key in changes):
        raise ValueError(f"{given!r} is not a JSON object of parameters")
    written = " ".join(f"{key}={json.dumps(value)}" for key, value in changes.items())
    return (label if equals else written), changes


def title(name: str) -> str:
    """Return what the tables call a system of the results."""
    known = {system.name: system.title for system in OTHERS}
    return known.get(name, name.replace("cmlp-", "cmlp ", 1).replace("+", ", ", 1))


def order(names: list[str]) -> list[str]:
    """Sort systems: other packages as listed, then the presets, each before its changed versions."""
    listed = [system.name for system in OTHERS] + [f"cmlp-{preset}" for preset in PRESETS]

    def place(name: str) -> tuple[int, str]:
        base = name.split("+")[0]
        return (listed.index(base) if base in listed else len(listed)), name

    return sorted(names, key=place)
