"""What the Python package imports, and when: optional packages only where they are needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "python" / "cmlp"
REQUIRED = {"cmlp", "numpy", "tqdm"}

# Folders and modules that need an optional package as a whole; `import cmlp` must not import them.
OPTIONAL = {
    "cli": {"click", "rich"},
    "tabular": {"pandas"},
    "estimators": {"sklearn", "torch"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


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


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_modules_import_only_what_they_may(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    allowed = REQUIRED | OPTIONAL.get(path.relative_to(PACKAGE).with_suffix("").parts[0], set())
    assert top_level_imports(tree) - allowed - sys.stdlib_module_names == set()


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_the_command_line_imports_the_command_line(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] != "cli":
        assert "cmlp.cli" not in path.read_text(encoding="utf-8")


def test_import_is_light() -> None:
    code = (
        "import sys, cmlp; "
        "heavy = {'sklearn', 'scipy', 'matplotlib', 'pandas', 'pyarrow', 'click', 'rich', 'onnx'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_import_starts_no_thread() -> None:
    tasks = "/proc/self/task"
    if not Path(tasks).exists():
        pytest.skip("counts threads through /proc")
    count = f"len(os.listdir({tasks!r}))"
    code = f"import os, numpy; before = {count}; import cmlp; assert {count} == before"
    subprocess.run([sys.executable, "-c", code], check=True)
