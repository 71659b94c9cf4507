"""Each kernel object in the installed archive exports the tables of its one family and nothing else.

The families' files are compiled once per instruction set. A weak symbol (an inline or template function with
external linkage) in two of them would be merged by the linker, which may keep the copy that cannot run here.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cmlp.__main__ import cmake_dir

NM = shutil.which(os.environ.get("NM", "nm"))
ARCHIVE = Path(os.environ.get("CMLP_ARCHIVE", cmake_dir().parents[1] / "libcmlp.a"))
LIST = Path(__file__).parents[2] / "cpp" / "src" / "kernels" / "families.hpp"
FAMILIES = [*re.findall(r"FAMILY\((\w+), ", LIST.read_text("utf-8")), "bf16"]
OBJECT = re.compile(r"\n?family_(\w+)\.cpp\.o:")


def kernel_objects(listing: str) -> list[str]:
    """Split what nm prints of an archive into its members and keep those made from a family's file."""
    members = re.split(r"\n(?=[^\n]+\.o:\n)", "\n" + listing)
    return [member for member in members if OBJECT.match(member)]


def violations(member: str) -> list[str]:
    """List the weak symbols of an object, and the defined global ones beside its family's tables."""
    family = OBJECT.match(member)[1]
    table = rf"cmlp::kernels::\w+::table_{family}(_float|_double)?"
    symbols = re.findall(r"^[0-9a-f ]{16} (\w) (.+)$", member, re.MULTILINE)
    weak = [name for kind, name in symbols if kind in "WwVvu"]
    exported = [name for kind, name in symbols if kind.isupper() and kind not in "UWV"]
    other = [name for name in exported if not re.fullmatch(table, name)]
    return weak + other + ([] if exported else [f"{family}: no table"])


@pytest.mark.skipif(NM is None, reason="nm is not installed")
def test_kernel_objects_export_their_tables_alone() -> None:
    command = [NM, "--demangle", str(ARCHIVE)]
    members = kernel_objects(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    built = [OBJECT.match(member)[1] for member in members]
    assert set(built) == set(FAMILIES)
    assert all(built.count(family) >= 2 for family in FAMILIES), "an instruction set and the scalar baseline"
    assert [violation for member in members for violation in violations(member)] == []


def test_the_check_sees_violations() -> None:
    def line(kind: str, name: str) -> str:
        return f"0000000000000000 {kind} {name}\n"

    tables = "".join(line("D", f"cmlp::kernels::avx2::table_flat_{T}") for T in ("float", "double"))
    good = "family_flat.cpp.o:\n" + tables + "                 U memcpy\n"
    weak = good + line("W", "std::vector<int>::size() const")
    second = good + line("T", "cmlp::kernels::helper()")
    foreign = good + line("D", "cmlp::kernels::avx2::table_rows_float")
    listing = "\n".join(["", good, weak, "ops.cpp.o:\n" + line("W", "f"), second, foreign])
    assert [len(violations(member)) for member in kernel_objects(listing)] == [0, 1, 1, 1]
