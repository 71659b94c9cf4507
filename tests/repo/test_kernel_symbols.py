"""Each kernel object in the installed archive exports its table and nothing else.

The kernel files are compiled once per instruction set. A weak symbol (an inline or template function with
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


def kernel_objects(listing: str) -> list[str]:
    """Split what nm prints of an archive into its members and keep those made from a kernel table."""
    members = re.split(r"\n(?=[^\n]+\.o:\n)", "\n" + listing)
    return [member for member in members if re.match(r"\n?(table\w*|bf16_native)\.cpp\.o:", member)]


def violations(member: str) -> list[str]:
    """List the weak symbols of an object, and its defined global ones when they are not one table."""
    symbols = re.findall(r"^[0-9a-f ]{16} (\w) (.+)$", member, re.MULTILINE)
    weak = [name for kind, name in symbols if kind in "WwVvu"]
    exported = [name for kind, name in symbols if kind.isupper() and kind not in "UWV"]
    tables = [name for name in exported if re.fullmatch(r"cmlp::kernels::\w+::table\w*", name)]
    return weak + (exported if len(exported) != 1 or tables != exported else [])


@pytest.mark.skipif(NM is None, reason="nm is not installed")
def test_kernel_objects_export_one_table() -> None:
    command = [NM, "--demangle", str(ARCHIVE)]
    members = kernel_objects(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert len(members) >= 2, "an instruction set and the scalar baseline at least"
    assert [violation for member in members for violation in violations(member)] == []


def test_the_check_sees_violations() -> None:
    table = "table.cpp.o:\n0000000000000000 D cmlp::kernels::avx2::table\n                 U memcpy\n"
    weak = table + "0000000000000010 W std::vector<int>::size() const\n"
    second = table + "0000000000000010 T cmlp::kernels::helper()\n"
    listing = f"\n{table}\n{weak}\nops.cpp.o:\n0000000000000000 W f\n\n{second}"
    assert [len(violations(member)) for member in kernel_objects(listing)] == [0, 1, 2]
