"""The stack level of warnings: the code that calls the package."""

from __future__ import annotations

import sys


def caller_level() -> int:
    """Return the ``stacklevel``, for a call of ``warnings.warn`` here, of the code that uses cmlp."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back and str(frame.f_globals.get("__name__")).startswith(("cmlp.", "sklearn.")):
        level, frame = level + 1, frame.f_back
    return level
