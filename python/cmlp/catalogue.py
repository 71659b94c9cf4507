"""The catalogue: every thing the package offers by name, with its formula, source, error bound and test."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

from cmlp import _core, nn, optim


@dataclass(frozen=True)
class Entry:
    """One row of the catalogue.

    Attributes
    ----------
    kind : str
        ``activation``, ``layer``, ``loss`` ...
    name : str
        The name in files and options; of a layer or schedule its class.
    type : str
        The Python class, "" where there is none.
    parameters : str
        ``alpha=1, beta=0.5``.
    formula, source : str
        What it computes, and the paper.
    bound : str
        The largest error that its test allows, relative to the exact value: in float32 (``-`` where there is
        none), in float64; of a function in units of the last place.
    test : str
        The file that holds it against the oracle.
    """

    kind: str
    name: str
    type: str
    parameters: str
    formula: str
    source: str
    bound: str
    test: str


# kind: (the core's list, where its classes are, relative tolerance in float32 and float64, its test)
KINDS: dict[str, tuple[str | None, ModuleType | None, str, str]] = {
    "activation": ("activations", nn, "4.8e-07, 1e-14", "tests/python/test_activations.py"),
    "layer": (None, nn, "1e-05, 1e-13", "tests/python/test_layer_kinds.py"),
    "loss": ("losses", nn, "2e-06, 1e-13", "tests/python/test_losses.py"),
    "initializer": ("initializers", None, "6e-08, 1e-12", "tests/python/test_initializers.py"),
    "optimizer": ("optimizers", optim, "1e-05, 1e-13", "tests/python/test_optimizers.py"),
    "schedule": ("schedules", optim.lr_scheduler, "-, 1e-12", "tests/python/test_schedules.py"),
    "metric": ("metrics", None, "1e-06, 1e-12", "tests/python/test_metrics.py"),
    "perceptron rule": ("perceptron_rules", None, "-, 1e-12", "tests/python/test_perceptron.py"),
    "function": ("functions", None, "", "tests/cpp/test_functions.cpp"),
}
# kind: the base that its classes share, and those among them that are no row of their own
BASES: dict[str, tuple[type, tuple[type, ...]]] = {
    "layer": (nn.Module, (nn.Module, nn.Sequential, nn.Activation)),
    "optimizer": (object, (optim.Optimizer,)),
    "schedule": (object, (optim.lr_scheduler.LRScheduler,)),
}
# Rows whose test is not that of their kind.
TESTS = {
    "Linear": "tests/python/test_layers.py",
    "Softmax": "tests/python/test_layers.py",
    "Dropout": "tests/python/test_layers.py",
    "Embedding": "tests/python/test_embedding.py",
    "LBFGS": "tests/python/test_lbfgs.py",
    "LevenbergMarquardt": "tests/python/test_levenberg.py",
}


def catalogue(kind: str | None = None) -> list[dict[str, str]]:
    """Return the rows of the catalogue, as :class:`Entry` describes them.

    Parameters
    ----------
    kind : str, optional
        Only one kind: ``activation``, ``layer``, ``loss``, ``initializer``, ``optimizer``, ``schedule``,
        ``metric``, ``perceptron rule`` or ``function``.

    Returns
    -------
    list of dict

    Raises
    ------
    ValueError
        For an unknown kind.

    Examples
    --------
    >>> from cmlp.catalogue import catalogue
    >>> row = catalogue("activation")[1]
    >>> row["type"], row["formula"]
    ('Sigmoid', '1 / (1 + exp(-z))')
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"unknown kind '{kind}'; choose from {', '.join(KINDS)}")
    return [asdict(entry) for each in KINDS if kind in (None, each) for entry in _entries(each)]


def columns(rows: list[dict[str, str]]) -> tuple[list[str], dict[str, str]]:
    """Choose what a table of one kind shows.

    Parameters
    ----------
    rows : list of dict
        As :func:`catalogue` gives them.

    Returns
    -------
    tuple of list and dict
        The keys that make columns (those that are not empty, and differ from others), and the bound and the
        test where all rows share them.
    """
    shown = [key for key in Entry.__annotations__ if key != "kind" and any(row[key] for row in rows)]
    if all(row["name"] == row["type"] for row in rows):
        shown.remove("name")
    shared = {key: rows[0][key] for key in ("bound", "test") if len({row[key] for row in rows}) == 1}
    return [key for key in shown if key not in shared], shared


def _entries(kind: str) -> Iterator[Entry]:
    table, home, bound, test = KINDS[kind]
    rows = getattr(_core, table)() if table else []
    for row in rows:
        own = f"{_core.largest_error(row['name']):g} ULP" if kind == "function" else bound
        settings = _signature(getattr(home, row["type"], None)) if row["type"] else _defaults(row)
        yield Entry(kind, row["name"], row["type"], settings, row["definition"], row["source"], own, test)
    for cls in _classes(kind, {row["type"] for row in rows}):
        first, _, rest = (inspect.getdoc(cls) or "").partition("\n\n")
        name = cls.__name__
        formula, own = _plain(first).rstrip("."), TESTS.get(name, test)
        yield Entry(kind, name, name, _signature(cls), formula, _source(rest), bound, own)


def _classes(kind: str, listed: set[str]) -> list[type]:
    """Return the classes of a kind that no row of the core's list stands for."""
    if kind not in BASES:
        return []
    base, left_out = BASES[kind]
    home = KINDS[kind][1]
    found = [getattr(home, name) for name in getattr(home, "__all__", ()) if name not in listed]
    classes = [cls for cls in found if inspect.isclass(cls) and issubclass(cls, base) and cls not in left_out]
    return [cls for cls in classes if not issubclass(cls, nn.Activation)]


def _signature(cls: type | None) -> str:
    if cls is None:
        return ""
    return ", ".join(map(_argument, inspect.signature(cls).parameters.values()))


def _argument(parameter: inspect.Parameter) -> str:
    if isinstance(parameter.default, float):
        return f"{parameter.name}={parameter.default:g}"
    return str(parameter.replace(annotation=parameter.empty))


def _defaults(row: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value:g}" for key, value in row["parameters"].items())


def _plain(text: str) -> str:
    return " ".join(re.sub(r":\w+:`([^`]*)`", r"\1", text.replace("``", "")).split())


def _source(text: str) -> str:
    """Return the first sentence of a docstring's prose that names a year or a preprint, up to there."""
    prose = text.split("Parameters\n---")[0].split("Examples\n---")[0]
    papers = re.compile(r".*((?<!:)\b(19|20)\d\d\b|arXiv:[\d.]*\d)\)?")
    cited = [match[0] for s in _plain(prose).split(". ") if (match := papers.match(s))]
    return cited[0] if cited else ""
