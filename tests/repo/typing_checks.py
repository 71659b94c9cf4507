"""Checks the types that users see: python tests/repo/typing_checks.py; `nox -s types` calls it.

mypy and pyright, both strict, find no error in tests/python/typing_program.py, and pyright finds a known type
for nearly all public names.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tests" / "python" / "typing_program.py"
LEAST = 0.98  # share of public names whose type is known


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a type checker with the package of this checkout first on the path."""
    package = str(ROOT / "python")
    environment = {**os.environ, "PYTHONPATH": package, "MYPYPATH": package}
    arguments = [sys.executable, "-m", *command]
    return subprocess.run(arguments, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def completeness() -> tuple[float, list[str]]:
    """Return the share of public names with a known type, and the names without."""
    done = run("pyright", "--verifytypes", "cmlp", "--ignoreexternal", "--outputjson")
    report = json.loads(done.stdout)["typeCompleteness"]
    unknown = [each["name"] for each in report["symbols"] if each["isExported"] and not each["isTypeKnown"]]
    return report["completenessScore"], unknown


def main() -> int:
    """Run the checks and return the exit status."""
    failed = False
    for command in (("mypy", "--strict", str(PROGRAM)), ("pyright", str(PROGRAM))):
        done = run(*command)
        print(f"{command[0]}: {done.stdout.strip()}{done.stderr.strip()}")
        failed |= done.returncode != 0
    score, unknown = completeness()
    print(f"pyright --verifytypes cmlp: {100 * score:.1f} %")
    if score < LEAST:
        print("without a known type: " + ", ".join(unknown))
    return int(failed or score < LEAST)


if __name__ == "__main__":
    sys.exit(main())
