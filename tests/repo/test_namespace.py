"""The C++ interface is in an inline namespace that carries its version; the kernels are not."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CPP = ROOT / "cpp"
FILES = sorted(file for folder in ("include", "src") for file in (CPP / folder).rglob("*.[ch]pp"))
VERSION = (CPP / "include" / "cmlp" / "version.hpp").read_text("utf-8")
NAME = "v{}_{}".format(*(re.search(rf"CMLP_VERSION_{part} (\d+)", VERSION)[1] for part in ("MAJOR", "MINOR")))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CPP)))
def test_the_namespace_carries_the_version(file: Path) -> None:
    opened = re.findall(r"^namespace cmlp\b(\S*(?: \w+)?)", file.read_text("utf-8"), re.MULTILINE)
    for rest in opened:
        assert re.match(rf"::kernels\b|::inline {NAME}\b", rest), f"namespace cmlp{rest}, not {NAME}"
