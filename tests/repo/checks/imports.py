"""Imports of the Python package: optional packages are imported only by the modules that need them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath

PACKAGE = "python/cmlp/"
REQUIRED = {"cmlp", "numpy", "tqdm"}
# Folders and modules that need an optional package from their first line; `import cmlp` must not import them.
OPTIONAL = {
    "cli": {"click", "rich"},
    "tabular": {"pyarrow", "scipy", "sklearn"},
    "estimators": {"sklearn", "torch"},
}


def top_level_imports(tree: ast.Module) -> set[str]:
    """List the packages that a module imports when it is imported itself (not for type checkers alone)."""
    found: set[str] = set()
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("cmlp" if node.level else node.module or "")
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
    return {name.split(".")[0] for name in found}


def violations(name: str, text: str) -> Iterator[str]:
    """Yield the imports that a module of the package must not have at its top level."""
    if not name.startswith(PACKAGE) or not name.endswith(".py"):
        return
    part = PurePosixPath(name.removeprefix(PACKAGE)).with_suffix("").parts[0]
    allowed = REQUIRED | OPTIONAL.get(part, set()) | sys.stdlib_module_names
    for package in sorted(top_level_imports(ast.parse(text)) - allowed):
        yield f"{name}: imports {package} at its top level; only {owners(package)} may"
    if part not in ("cli", "__main__") and "cmlp.cli" in text:
        yield f"{name}: only the command line itself uses cmlp.cli"


def owners(package: str) -> str:
    """Name the parts of the package that may import an optional package."""
    return ", ".join(part for part, packages in OPTIONAL.items() if package in packages) or "functions"
