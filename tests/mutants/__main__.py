"""Mutation run over the core: python tests/mutants --count 200 (or nox -s mutants -- --count 200).

Builds the C++ tests with all mutants in one copy of the sources, then runs them once per mutant. Prints the
share that the tests catch and the mutants that survive; build/mutants/results.json has them all. An
interrupted run continues where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from operators import Mutant, choose, of_file, write

ROOT = Path(__file__).parents[2]
FLOORS = ("kernels", "ops", "layers", "losses", "optim", "train")
OTHER_ISAS = ("simd_avx512", "simd_neon")  # not compiled here
OPTIONS = ("-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_FLAGS=-O1", "-DCMLP_KERNEL_OPTIMIZATION=-O1",
           "-DCMLP_ISAS=avx2;scalar", "-DCMLP_DEVELOPER=OFF", "-DCMLP_TESTS=ON")  # fmt: skip
LONG = "determinism: large*,sparse: products have*,parallel: every piece*"
SWITCH = """// Which mutant runs; made by tests/mutants.
#include <cstdlib>
int cmlp_mutant = 0;
namespace {
const int chosen = [] {
    const char* number = std::getenv("CMLP_MUTANT");
    return cmlp_mutant = number != nullptr ? std::atoi(number) : 0;
}();
}  // namespace
"""


def candidates(root: Path) -> list[list[Mutant]]:
    """Return the mutants of each part of the core."""
    files = {floor: sorted((root / "cpp/src" / floor).glob("*.[ch]pp")) for floor in FLOORS}
    kept = {floor: [path for path in files[floor] if path.stem not in OTHER_ISAS] for floor in FLOORS}
    return [[mutant for path in kept[floor] for mutant in of_file(path, root)] for floor in FLOORS]


def copy(build: Path) -> Path:
    """Copy what the tests are built from, and configure its build."""
    tree = build / "tree"
    if not tree.exists():
        for name in ("cpp", "cmake", "tests/cpp"):
            shutil.copytree(ROOT / name, tree / name)
        shutil.copy(ROOT / "CMakeLists.txt", tree)
        (tree / "cpp/src/base/mutant.cpp").write_text(SWITCH, encoding="utf-8")
        launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        options = [*OPTIONS, *launcher, "-DCMLP_INSTALL=OFF", "-DCMLP_BENCH=OFF"]
        subprocess.run(["cmake", "-S", tree, "-B", build / "cmake", "-G", "Ninja", *options], check=True)
    return tree


def compile_all(mutants: dict[int, Mutant], build: Path, jobs: int) -> dict[int, Mutant]:
    """Build the test program with all mutants; those that do not compile are taken out."""
    tree = copy(build)
    command = ["cmake", "--build", build / "cmake", "--target", "cmlp_tests", f"-j{jobs}", "--", "-k", "0"]
    while True:
        write(mutants, ROOT, tree)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return mutants
        bad = set(re.findall(r"(cpp/src/[\w/.]+):(\d+)", done.stdout))
        kept = {n: m for n, m in mutants.items() if (m.path, str(m.line)) not in bad}
        if len(kept) == len(mutants):
            raise SystemExit(done.stdout[-5000:])
        print(f"{len(mutants) - len(kept)} mutants do not compile", flush=True)
        restore({m.path for m in mutants.values()} - {m.path for m in kept.values()}, tree)
        mutants = kept


def restore(names: set[str], tree: Path) -> None:
    """Put files without mutants back."""
    for name in names:
        shutil.copy(ROOT / name, tree / name)


def run(build: Path, number: int, limit: float) -> str:
    """Run the tests with one mutant, the long ones last; 0 is none."""
    for tests in (f"--test-case-exclude={LONG},*forked child*", f"--test-case={LONG}"):
        outcome = run_some(build, number, limit, tests)
        if outcome != "survived":
            return outcome
    return "survived"


def run_some(build: Path, number: int, limit: float, tests: str) -> str:
    """Run some of the tests with one mutant."""
    command = [build / "cmake/tests/cpp/cmlp_tests", "--abort-after=1", tests]
    environment = {**os.environ, "CMLP_MUTANT": str(number), "CMLP_ISA": "avx2"}
    try:
        done = subprocess.run(command, capture_output=True, env=environment, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return "caught: endless"
    if done.returncode == 0:
        return "survived"
    names = re.findall(rb"TEST CASE: +(.+)", done.stdout)
    return f"caught: {names[-1].decode()}" if names else "caught: crash"


def state(build: Path) -> Path:
    """Return the file of results, empty unless it is about these sources."""
    files = sorted([*(ROOT / "cpp").rglob("*.[ch]pp"), *(ROOT / "tests/cpp").rglob("*.[ch]pp")])
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    mark = build / "sources"
    if not mark.exists() or mark.read_text() != digest:
        shutil.rmtree(build, ignore_errors=True)
        build.mkdir(parents=True)
        mark.write_text(digest)
    return build / "results.json"


def results(count: int, seed: int, build: Path, jobs: int, limit: float, minutes: float) -> dict[str, str]:
    """Return what became of each mutant that was run in the time."""
    end = time.monotonic() + 60 * minutes
    kept = state(build)
    found = json.loads(kept.read_text()) if kept.exists() else {}
    chosen = choose(candidates(ROOT), count + count // 3, seed)  # some do not compile
    mutants = compile_all(dict(enumerate(chosen, 1)), build, jobs)
    if run(build, 0, 10 * limit) != "survived":
        raise SystemExit("the tests fail without a mutant")
    for number, mutant in list(mutants.items())[:count]:
        if str(mutant) not in found and time.monotonic() < end:
            found[str(mutant)] = run(build, number, limit)
            kept.write_text(json.dumps(found, indent=1))
            print(f"{len(found)}: {found[str(mutant)]:30.60} {mutant}", flush=True)
    return {str(m): found[str(m)] for m in list(mutants.values())[:count] if str(m) in found}


def main() -> None:
    """Run, and print the share caught and the survivors."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--jobs", type=int, default=os.cpu_count())
    options.add_argument("--limit", type=float, default=300.0, help="seconds after which a run is endless")
    options.add_argument("--minutes", type=float, default=600.0, help="after which no further mutant is run")
    options.add_argument("--build", type=Path, default=ROOT / "build/mutants")
    chosen = options.parse_args()
    found = results(chosen.count, chosen.seed, chosen.build, chosen.jobs, chosen.limit, chosen.minutes)
    survivors = [name for name, outcome in found.items() if outcome == "survived"]
    print("\nsurvivors:", *sorted(survivors), sep="\n  ")
    print(f"{len(found) - len(survivors)} of {len(found)} mutants caught")


if __name__ == "__main__":
    main()
