"""No module of the package imports, directly or through others, a module that imports it.

Imports in functions count, unless they load a part of the package that needs an optional dependency.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2] / "python"
EXTENSION = "cmlp._core"
OPTIONAL = ("cmlp.plot", "cmlp.estimators", "cmlp.tabular", "cmlp.cli")
Graph = dict[str, set[str]]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(node: ast.AST, lazy: bool = False) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Yield the imports below a node, those for type checkers left out, and whether each is in a function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from imports(ast.Module(child.orelse, []), lazy)
        elif isinstance(child, ast.Import | ast.ImportFrom):
            yield child, lazy
        else:
            yield from imports(child, lazy or isinstance(child, ast.FunctionDef))


def imported(node: ast.Import | ast.ImportFrom, modules: set[str]) -> Iterator[str]:
    """Yield the modules of the package that a statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    for alias in node.names:
        name = f"{node.module}.{alias.name}"
        yield name if name in modules else str(node.module)


def part(name: str) -> str:
    return ".".join(name.split(".")[:2])


def graph(sources: dict[str, str]) -> Graph:
    """Return what each module imports."""
    modules = {*sources, EXTENSION}
    edges: Graph = {name: set() for name in sources}
    for name, text in sources.items():
        for node, lazy in imports(ast.parse(text)):
            for target in imported(node, modules):
                optional = lazy and part(target) in OPTIONAL and part(target) != part(name)
                if target in sources and target != name and not optional:
                    edges[name].add(target)
    return edges


def circles(edges: Graph) -> list[str]:
    """Return each module that is imported by a module it imports, with one way around."""
    found = []
    for start in edges:
        ways = {start: start}
        pending = [start]
        while pending:
            here = pending.pop()
            for target in edges[here]:
                if target == start:
                    found.append(f"{ways[here]} -> {start}")
                    pending.clear()
                    break
                if target not in ways:
                    ways[target] = f"{ways[here]} -> {target}"
                    pending.append(target)
    return found


def test_there_is_no_circle() -> None:
    sources = {module_name(path): path.read_text(encoding="utf-8") for path in (ROOT / "cmlp").rglob("*.py")}
    assert circles(graph(sources)) == []


def test_circles_are_found() -> None:
    sources = {
        "cmlp": "from cmlp import a\ndef f():\n    from cmlp.plot import g",
        "cmlp.plot": "import cmlp",
        "cmlp.a": "from cmlp.b import f",
        "cmlp.b": "def g():\n    from cmlp.c import h",
        "cmlp.c": "from cmlp import _core, a",
        "cmlp.d": "if TYPE_CHECKING:\n    from cmlp.e import x",
        "cmlp.e": "import cmlp.d",
    }
    assert len(circles(graph(sources))) == 3
