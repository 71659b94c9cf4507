"""No arrow upwards: the level table of the design against every #include of the C++ sources."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE, PUBLIC, BINDINGS = ROOT / "cpp" / "src", ROOT / "cpp" / "include", ROOT / "python" / "bindings"
KERNELS = SOURCE / "kernels"

# The level of each file by its stem; a new file gets its row here. Lists (.def) are level 1, the folder
# kernels/ is level 2 but for dispatch.cpp, bindings are level 7.
LEVEL = {
    **dict.fromkeys(("version", "error"), 0),
    **dict.fromkeys(("matrix", "buffer", "expressions", "product", "vectorwise", "sparse", "precision"), 1),
    "weight_gradient": 1,
    **dict.fromkeys(("registry", "runtime", "rng", "dispatch"), 3),
    **dict.fromkeys(
        (
            "ops",
            "ops_norms",
            "ops_products",
            "ops_gemm",
            "ops_bf16",
            "ops_sparse",
            "parallel",
            "pool",
            "functions",
        ),
        4,
    ),
    **dict.fromkeys(
        ("layers", "loss", "optimizer", "schedule", "initializers", "metrics", "metric_terms"), 5
    ),
    **dict.fromkeys(("flat", "muon", "lbfgs", "lbfgs_search", "cholesky"), 5),
    **dict.fromkeys(("layer_types", "common", "basic", "embeddings", "gated", "norms"), 5),
    **dict.fromkeys(("piecewise", "tabular"), 5),
    **dict.fromkeys(
        (
            "network",
            "network_passes",
            "network_chain",
            "network_data_init",
            "trainer",
            "fit",
            "fit_parts",
            "batches",
            "step",
            "fit_loop",
            "full_batch",
            "levenberg_marquardt",
            "gradcheck",
            "perceptron",
            "perceptron_rules",
            "estimator",
            "cmlp",
        ),
        6,
    ),
    **dict.fromkeys(("serialize", "safetensors", "json", "json_writer", "file"), 6),
}
KERNEL_LEVEL, BINDING_LEVEL = 2, 7
KERNEL_SYSTEM = {"stddef.h", "stdint.h", "immintrin.h", "arm_neon.h"}
ONLY_IN = {  # what one place alone may include
    "omp.h": {"parallel.hpp"},
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
        return PUBLIC / "cmlp" / include
    candidates = (folder / include for folder in (origin.parent, SOURCE, PUBLIC))
    return next((path.resolve() for path in candidates if path.is_file()), None)


def level(path: Path) -> int:
    if path.suffix == ".def":
        return 1
    if path.parent == KERNELS and path.stem != "dispatch":
        return KERNEL_LEVEL
    if path.parent == BINDINGS:
        return BINDING_LEVEL
    assert path.stem in LEVEL, f"{path.name}: assign a level in tests/repo/test_layering.py"
    return LEVEL[path.stem]


def allowed_system(include: str, origin: Path) -> bool:
    if level(origin) == KERNEL_LEVEL:
        return include in KERNEL_SYSTEM
    if PUBLIC in origin.parents:
        return "." not in include and "/" not in include and include != "iostream"
    owners = ONLY_IN.get(include, ONLY_IN.get(include.split("/")[0]))
    return owners is None or bool(owners & {origin.name, origin.parent.name})


def allowed(target: Path, origin: Path) -> bool:
    mine, other = level(origin), level(target)
    if mine == KERNEL_LEVEL:
        return other == KERNEL_LEVEL or target.suffix == ".def"
    if other == KERNEL_LEVEL:  # one door, and only ops and what lies below goes through it
        return target == KERNELS / "kernels.hpp" and mine in (3, 4) and PUBLIC not in origin.parents
    if PUBLIC in origin.parents or mine == BINDING_LEVEL:
        return other <= mine and (PUBLIC in target.parents or target.parent == origin.parent)
    return other <= mine


def violations(origin: Path, text: str) -> list[str]:
    found = []
    for include in includes(text):
        target = resolve(include, origin)
        if not (allowed_system(include, origin) if target is None else allowed(target, origin)):
            found.append(f"{origin.name} (level {level(origin)}) includes {include}")
    return found


@pytest.mark.parametrize("path", files(ROOT / "cpp", BINDINGS), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_includes_point_down(path: Path) -> None:
    assert violations(path, path.read_text(encoding="utf-8")) == []


def test_openmp_lives_in_one_file() -> None:
    sources = files(ROOT / "cpp", BINDINGS)
    users = {path.name for path in sources if re.search(r"\bomp\b|\bomp_", path.read_text("utf-8"))}
    assert users <= {"parallel.hpp"}


def test_numpy_arrays_live_in_one_file() -> None:
    users = {path.name for path in files(BINDINGS) if "py::array" in path.read_text("utf-8")}
    assert users <= {"array.hpp"}


@pytest.mark.parametrize(
    ("origin", "include"),
    [
        (PUBLIC / "cmlp" / "matrix.hpp", "cmlp/registry.hpp"),
        (PUBLIC / "cmlp" / "matrix.hpp", "iostream"),
        (PUBLIC / "cmlp" / "runtime.hpp", "kernels/kernels.hpp"),
        (KERNELS / "map.hpp", "vector"),
        (KERNELS / "map.hpp", "cmlp/error.hpp"),
        (SOURCE / "network.cpp", "kernels/kernels.hpp"),
        (SOURCE / "ops.cpp", "kernels/simd.hpp"),
        (SOURCE / "ops.cpp", "omp.h"),
        (SOURCE / "registry.cpp", "pybind11/pybind11.h"),
        (BINDINGS / "module.cpp", "json.hpp"),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else value,
)
def test_the_check_sees_violations(origin: Path, include: str) -> None:
    assert violations(origin, f"#include <{include}>\n") != []
