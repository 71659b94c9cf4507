"""No arrow upwards: the floor of each file is its folder; every #include of the C++ sources is checked."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE, PUBLIC, BINDINGS = ROOT / "cpp" / "src", ROOT / "cpp" / "include", ROOT / "python" / "bindings"
KERNELS = SOURCE / "kernels"

# A floor a line, from the bottom up. A folder includes folders of lower floors and itself; LISTS are lowest.
FLOORS = (
    ("base",),
    ("kernels",),
    ("runtime",),
    ("ops",),
    ("layers", "losses", "optim"),
    ("network", "files"),
    ("train",),
)
LEVEL = {folder: level for level, folders in enumerate(FLOORS, start=1) for folder in folders}
SIDEWAYS = {("files", "network")}  # the folder, and the one of its own floor that it may include
LISTS, VERSION, ALL = "lists", "version.hpp", "cmlp.hpp"
KERNEL_SYSTEM = {"stddef.h", "stdint.h", "immintrin.h", "arm_neon.h"}
ONLY_IN = {  # what one place alone may include
    "omp.h": {"team.cpp"},
    "immintrin.h": {"kernels"},
    "arm_neon.h": {"kernels"},
    "Python.h": {"bindings"},
    "pybind11": {"bindings"},
}


def files(*folders: Path) -> list[Path]:
    return sorted(p for folder in folders for p in folder.rglob("*") if p.suffix in {".hpp", ".cpp", ".def"})


def includes(text: str) -> list[str]:
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, re.MULTILINE)


def resolve(include: str, origin: Path) -> Path | None:
    """Find the file of this project that an #include means; None for a system header."""
    if include == "cmlp_isas.def":  # written by cmake/kernels.cmake into the build folder
        return PUBLIC / "cmlp" / LISTS / include
    candidates = (folder / include for folder in (origin.parent, SOURCE, PUBLIC))
    return next((path.resolve() for path in candidates if path.is_file()), None)


def folder(path: Path) -> str:
    """Name the folder that decides a file's floor: the last one, "" for the two headers beside the floors."""
    return "" if path.name in {VERSION, ALL} else path.parent.name


def below(target: Path, origin: Path) -> bool:
    """Whether a file may include a file of another folder, by the floors alone."""
    mine, other = folder(origin), folder(target)
    if other == LISTS or target.name == VERSION or origin.name == ALL or mine == BINDINGS.name:
        return True
    if target.name == ALL:
        return False
    assert {mine, other} <= LEVEL.keys(), f"{mine or origin}, {other or target}: a folder without a floor"
    return mine == other or LEVEL[other] < LEVEL[mine] or (mine, other) in SIDEWAYS


def allowed_system(include: str, origin: Path) -> bool:
    if folder(origin) == KERNELS.name:
        return include in KERNEL_SYSTEM
    if PUBLIC in origin.parents:
        return "." not in include and "/" not in include and include != "iostream"
    owners = ONLY_IN.get(include, ONLY_IN.get(include.split("/")[0]))
    return owners is None or bool(owners & {origin.name, origin.parent.name})


def allowed(target: Path, origin: Path) -> bool:
    if folder(origin) == KERNELS.name:
        return folder(target) in {KERNELS.name, LISTS}
    if folder(target) == KERNELS.name:  # one interface, included by the two floors above the kernels alone
        inside = SOURCE in origin.parents and folder(origin) in {"runtime", "ops"}
        return inside and target == KERNELS / "kernels.hpp"
    public = PUBLIC in origin.parents or BINDINGS in origin.parents
    if public and PUBLIC not in target.parents and target.parent != origin.parent:
        return False
    return below(target, origin)


def violations(origin: Path, text: str) -> list[str]:
    found = []
    for include in includes(text):
        target = resolve(include, origin)
        if not (allowed_system(include, origin) if target is None else allowed(target, origin)):
            found.append(f"{folder(origin)}/{origin.name} includes {include}")
    return found


@pytest.mark.parametrize("path", files(ROOT / "cpp", BINDINGS), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_includes_point_down(path: Path) -> None:
    assert violations(path, path.read_text(encoding="utf-8")) == []


def test_openmp_lives_in_one_file() -> None:
    sources = files(ROOT / "cpp", BINDINGS)
    code = {path.name: re.sub(r"//.*", "", path.read_text("utf-8")) for path in sources}
    assert {name for name, text in code.items() if re.search(r"\bomp\b|\bomp_", text)} == {"team.cpp"}


def test_numpy_arrays_live_in_one_file() -> None:
    users = {path.name for path in files(BINDINGS) if "py::array" in path.read_text("utf-8")}
    assert users <= {"array.hpp"}


@pytest.mark.parametrize(
    ("origin", "include"),
    [
        (PUBLIC / "cmlp" / "base" / "matrix.hpp", "cmlp/runtime/registry.hpp"),
        (PUBLIC / "cmlp" / "base" / "matrix.hpp", "iostream"),
        (PUBLIC / "cmlp" / "runtime" / "runtime.hpp", "kernels/kernels.hpp"),
        (KERNELS / "map.hpp", "vector"),
        (KERNELS / "map.hpp", "cmlp/base/error.hpp"),
        (SOURCE / "network" / "network.cpp", "kernels/kernels.hpp"),
        (SOURCE / "network" / "network.cpp", "train/step.hpp"),
        (SOURCE / "layers" / "layers.cpp", "cmlp/losses/loss.hpp"),
        (SOURCE / "ops" / "products.cpp", "kernels/simd.hpp"),
        (SOURCE / "ops" / "products.cpp", "omp.h"),
        (SOURCE / "runtime" / "registry.cpp", "pybind11/pybind11.h"),
        (BINDINGS / "module.cpp", "base/json.hpp"),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else value,
)
def test_the_check_sees_violations(origin: Path, include: str) -> None:
    assert violations(origin, f"#include <{include}>\n") != []
