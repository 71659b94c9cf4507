"""Layers of the C++ sources: a file's folder is its layer, and an #include never names a higher layer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from checks.files import ROOT

CODE = {".hpp", ".cpp", ".def"}
SOURCE, PUBLIC, BINDINGS = ROOT / "cpp" / "src", ROOT / "cpp" / "include", ROOT / "python" / "bindings"
KERNELS = SOURCE / "kernels"

# One layer per line, the lowest first. A folder includes folders of lower layers, itself and LISTS.
LAYERS = (
    ("base",),
    ("kernels",),
    ("runtime",),
    ("ops",),
    ("layers", "losses", "optim"),
    ("network", "files"),
    ("train",),
)
LEVEL = {folder: level for level, folders in enumerate(LAYERS, start=1) for folder in folders}
SIDEWAYS = {("files", "network")}  # a folder, and the folder of its own layer that it may include
LISTS, VERSION, ALL = "lists", "version.hpp", "cmlp.hpp"
KERNEL_SYSTEM = {"stddef.h", "stdint.h", "immintrin.h", "arm_neon.h"}
ONLY_IN = {  # the only files or folders that may include these
    "omp.h": {"team.cpp"},
    "immintrin.h": {"kernels"},
    "arm_neon.h": {"kernels"},
    "Python.h": {"bindings"},
    "pybind11": {"bindings"},
}


def includes(text: str) -> list[str]:
    """List what the #include lines of a text name."""
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, re.MULTILINE)


def resolve(include: str, origin: Path) -> Path | None:
    """Find the file of this project that an #include means; None for a system header."""
    if include == "cmlp_isas.def":  # written by cmake/kernels.cmake into the build folder
        return PUBLIC / "cmlp" / LISTS / include
    candidates = (folder / include for folder in (origin.parent, SOURCE, PUBLIC))
    return next((path.resolve() for path in candidates if path.is_file()), None)


def folder(path: Path) -> str:
    """Name the folder that decides the layer of a file; "" for the two headers outside the layers."""
    return "" if path.name in {VERSION, ALL} else path.parent.name


def below(target: Path, origin: Path) -> bool:
    """Whether a file may include a file of another folder, by the layers alone."""
    mine, other = folder(origin), folder(target)
    if other == LISTS or target.name == VERSION or origin.name == ALL or mine == BINDINGS.name:
        return True
    if target.name == ALL:
        return False
    assert {mine, other} <= LEVEL.keys(), f"{mine or origin}, {other or target}: a folder without a layer"
    return mine == other or LEVEL[other] < LEVEL[mine] or (mine, other) in SIDEWAYS


def allowed_system(include: str, origin: Path) -> bool:
    """Whether a file may include a header from outside the project."""
    if folder(origin) == KERNELS.name:
        return include in KERNEL_SYSTEM
    if PUBLIC in origin.parents:
        return "." not in include and "/" not in include and include != "iostream"
    owners = ONLY_IN.get(include, ONLY_IN.get(include.split("/")[0]))
    return owners is None or bool(owners & {origin.name, origin.parent.name})


def allowed(target: Path, origin: Path) -> bool:
    """Whether a file may include another file of this project."""
    if folder(origin) == KERNELS.name:
        return folder(target) in {KERNELS.name, LISTS}
    if folder(target) == KERNELS.name:  # one interface, included by the two layers above the kernels alone
        inside = SOURCE in origin.parents and folder(origin) in {"runtime", "ops"}
        return inside and target == KERNELS / "kernels.hpp"
    public = PUBLIC in origin.parents or BINDINGS in origin.parents
    if public and PUBLIC not in target.parents and target.parent != origin.parent:
        return False
    return below(target, origin)


def violations(name: str, text: str) -> Iterator[str]:
    """Yield the includes of a C++ file that its layer does not allow, and what belongs into one file only."""
    origin = ROOT / name
    if origin.suffix not in CODE or not name.startswith(("cpp/", "python/bindings/")):
        return
    for include in includes(text):
        target = resolve(include, origin)
        if not (allowed_system(include, origin) if target is None else allowed(target, origin)):
            yield f"{name}: must not include {include}"
    code = re.sub(r"//.*", "", text)
    if origin.name != "team.cpp" and re.search(r"\bomp\b|\bomp_", code):
        yield f"{name}: OpenMP is used in team.cpp only"
    if BINDINGS in origin.parents and origin.name != "array.hpp" and "py::array" in text:
        yield f"{name}: py::array is used in array.hpp only"
