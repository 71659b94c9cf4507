"""Rule of namespaces: the C++ core is in an inline namespace of its version, the kernels in cmlp::kernels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

HEADER = Path(__file__).parents[3] / "cpp" / "include" / "cmlp" / "version.hpp"
PARTS = [re.search(rf"CMLP_VERSION_{part} (\d+)", HEADER.read_text("utf-8")) for part in ("MAJOR", "MINOR")]
NAME = "v" + "_".join(part[1] for part in PARTS if part)


def violations(name: str, text: str) -> Iterator[str]:
    """Yield the namespaces that the file ``name`` of the core opens outside that of the version."""
    if not name.startswith(("cpp/include/", "cpp/src/")):
        return
    for rest in re.findall(r"^namespace cmlp\b(.*) \{", text, re.MULTILINE):
        if not re.match(rf"::kernels\b|::inline {NAME}\b", rest):
            yield f"{name}: namespace cmlp{rest}; write namespace cmlp::inline {NAME}"
