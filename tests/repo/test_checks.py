"""The checks of `nox -s lint` find what they are for."""

from __future__ import annotations

import pytest

from checks import imports, layering, namespace, paths, text, words

INCLUDES = [
    ("cpp/include/cmlp/base/matrix.hpp", "cmlp/runtime/registry.hpp"),
    ("cpp/include/cmlp/base/matrix.hpp", "iostream"),
    ("cpp/include/cmlp/runtime/runtime.hpp", "kernels/kernels.hpp"),
    ("cpp/src/kernels/map.hpp", "vector"),
    ("cpp/src/kernels/map.hpp", "cmlp/base/error.hpp"),
    ("cpp/src/network/network.cpp", "kernels/kernels.hpp"),
    ("cpp/src/network/network.cpp", "train/step.hpp"),
    ("cpp/src/layers/layers.cpp", "cmlp/losses/loss.hpp"),
    ("cpp/src/ops/products.cpp", "kernels/simd.hpp"),
    ("cpp/src/ops/products.cpp", "omp.h"),
    ("cpp/src/runtime/registry.cpp", "pybind11/pybind11.h"),
    ("python/bindings/module.cpp", "base/json.hpp"),
]


@pytest.mark.parametrize(("name", "include"), INCLUDES)
def test_includes_of_a_higher_layer(name: str, include: str) -> None:
    assert f"{name}: must not include {include}" in layering.violations(name, f"#include <{include}>\n")


@pytest.mark.parametrize(
    ("name", "line"),
    [("cpp/src/ops/products.cpp", "#pragma omp parallel"), ("python/bindings/module.cpp", "py::array x;")],
)
def test_libraries_that_one_file_uses(name: str, line: str) -> None:
    assert len(list(layering.violations(name, line))) == 1


@pytest.mark.parametrize(
    ("name", "opened", "found"),
    [
        ("cpp/src/ops/products.cpp", "", 1),
        ("cpp/src/ops/products.cpp", "::ops", 1),
        ("cpp/src/ops/products.cpp", "::inline v99_9", 1),
        ("cpp/src/ops/products.cpp", f"::inline {namespace.NAME}::ops", 0),
        ("cpp/src/kernels/map.hpp", "::kernels::CMLP_ISA", 0),
        ("tests/cpp/oracle.hpp", "::test", 0),
    ],
)
def test_the_namespace_of_the_version(name: str, opened: str, found: int) -> None:
    assert len(list(namespace.violations(name, f"namespace cmlp{opened} {{"))) == found


@pytest.mark.parametrize(
    ("name", "code", "found"),
    [
        ("python/cmlp/optim/adam.py", "import sklearn.base", 1),
        ("python/cmlp/estimators/base.py", "import sklearn.base", 0),
        ("python/cmlp/optim/adam.py", "def f():\n    import sklearn", 0),
        ("python/cmlp/optim/adam.py", "try:\n    import pandas\nexcept ImportError:\n    pass", 1),
        ("python/cmlp/optim/adam.py", "if TYPE_CHECKING:\n    import pandas", 0),
        ("python/cmlp/optim/adam.py", "from cmlp.cli import main", 1),
        ("tests/python/test_adam.py", "import sklearn.base", 0),
    ],
)
def test_imports_of_optional_packages(name: str, code: str, found: int) -> None:
    assert len(list(imports.violations(name, code))) == found


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cpp/src/a.cpp", "int a;\n", "the first line is a comment"),
        ("cpp/src/a.hpp", "// A.\nint a;\n", "#pragma once"),
        ("cpp/src/a.hpp", "// A.\n#pragma once\nusing namespace cmlp;\n", "using namespace"),
        ("cpp/include/cmlp/a.hpp", "// A.\n#pragma once\n#define A 1\n", "CMLP_"),
        ("docs/a.md", "x" * 121 + "\n", "121 columns, at most 120"),
        ("docs/a.md", "see /" + "home/someone\n", "is a path of one machine"),
    ],
)
def test_text(name: str, content: str, message: str) -> None:
    (violation,) = text.violations(name, content)
    assert message in violation


def test_paths_of_pages() -> None:
    page = "`cpp/src/ops.cpp` calls cpp/src/kernels/*.hpp. See [this](docs/a.md#b), `noxfile.py`, [x](https://a.b)"
    assert paths.named_paths(page) == {"cpp/src/ops.cpp", "cpp/src/kernels/*.hpp", "docs/a.md", "noxfile.py"}
    assert paths.links(page) == {"docs/a.md"}
    assert len(list(paths.violations("README.md", "`docs/nowhere.md` and `README.md`"))) == 1


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("callbacks are told", 1),
        ("class CourseOfRates", 1),
        ("training goes on", 1),
        ("training continues", 0),
    ],
)
def test_words_that_have_a_better_one(line: str, found: int) -> None:
    assert len(list(words.violations("docs/tour.md", line))) == found
