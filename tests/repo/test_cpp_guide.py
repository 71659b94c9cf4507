"""The C++ of docs/cpp.md and of the README compiles against the installed headers."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cmlp.__main__ import cmake_dir

ROOT = Path(__file__).parents[2]
CXX = shutil.which(os.environ.get("CXX", "g++"))
INCLUDE = cmake_dir().parents[2] / "include"
# What the README's example takes as given.
GIVEN = {"README.md": "cmlp::Matrix<float> x, points; std::vector<std::int64_t> labels;"}
SNIPPETS = [
    (name, block)
    for name in ("docs/cpp.md", "README.md")
    for block in re.findall(r"```cpp\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
]


@pytest.mark.skipif(CXX is None, reason="there is no C++ compiler")
@pytest.mark.parametrize(("name", "block"), SNIPPETS)
def test_snippets_compile(name: str, block: str) -> None:
    headers = "#include <array>\n#include <cmlp/cmlp.hpp>\n"
    source = f"{headers}int main() {{\n{GIVEN.get(name, '')}\n{re.sub(r'#include.*', '', block)}}}\n"
    command = [CXX, "-std=c++20", "-fsyntax-only", "-I", str(INCLUDE), "-x", "c++", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_guide_names_headers_that_exist() -> None:
    named = re.findall(r"`(cmlp/[\w/]+\.hpp)`", (ROOT / "docs/cpp.md").read_text(encoding="utf-8"))
    assert len(named) > 15
    assert [header for header in named if not (ROOT / "cpp/include" / header).exists()] == []
