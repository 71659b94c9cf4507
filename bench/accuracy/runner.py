"""Runs what is missing from a file of results: a process for each table and system, a line for each split."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.accuracy.results import read_results
from bench.accuracy.sets import SETS
from bench.accuracy.systems import System
from bench.compare.machine import cpu_name

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Job:
    """The splits of a table that a system has yet to fit."""

    system: System
    table: str
    splits: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """What the file of results is to contain."""

    systems: list[System]
    sets: list[str]
    splits: int
    threads: int


@dataclass
class Run:
    """A plan, its file, and what could not be measured."""

    plan: Plan
    file: Path
    skipped: dict[str, str] = field(default_factory=dict)  # system or package of tables: why
    errors: list[str] = field(default_factory=list)

    def jobs(self) -> list[Job]:
        """List what the file lacks, table by table, so that other load affects all systems alike."""
        self.skipped = dict(missing_packages(self.plan))
        done = {(row["system"], row["set"], row["split"], row["threads"]) for row in read_results(self.file)}
        found = []
        for name in self.plan.sets:
            for system in self.plan.systems:
                left = tuple(
                    seed
                    for seed in range(self.plan.splits)
                    if (system.name, name, seed, self.plan.threads) not in done
                )
                if left and not {SETS[name].package, system.name} & self.skipped.keys():
                    found.append(Job(system, name, left))
        return found

    def measure(self, job: Job, advance: Callable[[], None]) -> None:
        """Run one job and append each result to the file as it comes."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        about = {"cpu": cpu_name(), "date": date.today().isoformat()}
        about |= {"commit": commit()} if job.system.ours else {}
        with self.file.open("a", encoding="utf-8", buffering=1) as file:
            for found in replies(job, self.plan.threads):
                if "error" in found:
                    self.errors.append(f"{job.system.title}, {job.table}: {found['error']}")
                else:
                    print(json.dumps(found | about), file=file)
                advance()


def missing_packages(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the systems and the packages of tables that are not installed."""
    for system in plan.systems:
        if find_spec(system.package) is None:
            yield system.name, f"{system.package} is not installed"
    for package in sorted({SETS[name].package for name in plan.sets}):
        if find_spec(package) is None:
            yield package, "not installed: pip install -r bench/accuracy/requirements.txt"


def commit() -> str:
    """Return the commit of the source, with a mark if files have changed; empty without git."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def environment(threads: int) -> dict[str, str]:
    """Return the variables of a system's process: its number of threads, in every package's words."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return os.environ | dict.fromkeys(names, str(threads)) | {"PYTHONPATH": path}


def replies(job: Job, threads: int) -> Iterator[dict[str, Any]]:
    """Yield what the process of a job writes; an error if it ends before the last split."""
    request = {"system": asdict(job.system), "set": job.table, "splits": job.splits, "threads": threads}
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.accuracy.worker", json.dumps(request)],
        env=environment(threads), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    count = 0
    try:
        for line in child.stdout or ():
            found = json.loads(line)
            count += 1
            yield found
        code = child.wait()
        if code:
            yield {"error": f"its process ended with {code} after {count} of {len(job.splits)} splits"}
    finally:
        child.terminate()  # of an interrupted run; an ended process stays as it is
        child.wait()
