"""Starts the peers' processes and measures them in turn, round after round."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cases import Case
from peers import Peer

SETTINGS_OF_OTHERS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "CMLP_ISA", "XLA_FLAGS")
PAUSE = 0.01  # seconds: threads that spin after their work go to sleep


def environment(peer: Peer, threads: int) -> dict[str, str]:
    """Return what the peer's process sees: its number of threads, in every package's words."""
    kept = {key: value for key, value in os.environ.items() if key not in SETTINGS_OF_OTHERS}
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    kept |= dict.fromkeys(names, str(threads))
    if threads == 1:
        kept["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return kept | peer.environment


class Process:
    """One peer with one number of threads, alive until closed."""

    def __init__(self, peer: Peer, threads: int) -> None:
        self.peer, self.threads = peer, threads
        script = Path(__file__).with_name("worker.py")
        self.child = subprocess.Popen(
            [sys.executable, str(script), peer.name, str(threads)], env=environment(peer, threads),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.about = self.hear()

    def hear(self) -> dict[str, Any]:
        assert self.child.stdout
        line = self.child.stdout.readline()
        return json.loads(line) if line else {"error": "its process has ended"}

    def request(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self.child.stdin
        try:
            print(json.dumps(request), file=self.child.stdin, flush=True)
        except BrokenPipeError:
            return {"error": "its process has ended"}
        return self.hear()

    def close(self) -> None:
        """End it; its input ends, so it leaves by itself."""
        with contextlib.suppress(BrokenPipeError):
            self.child.stdin.close()  # type: ignore[union-attr]
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


@dataclass
class Plan:
    """What to measure, and how long."""

    peers: list[Peer]
    cases: list[Case]
    threads: list[int]
    rounds: int
    seconds: float
    repetitions: int


class Comparison:
    """The figures of a plan as they come in."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.results: dict[tuple[str, str, int], dict[str, Any]] = {}
        self.absent: dict[str, str] = {}  # peer: why
        self.errors: list[str] = []
        self.versions: dict[str, str] = {}
        self.isas: dict[str, str] = {}
        self.processes: list[Process] = []

    def __enter__(self) -> "Comparison":
        for threads in self.plan.threads:
            for peer in self.plan.peers:
                if peer.name not in self.absent:
                    self.start(peer, threads)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.close()

    def start(self, peer: Peer, threads: int) -> None:
        process = Process(peer, threads)
        about = process.about
        if "version" not in about:
            self.absent[peer.name] = about.get("missing") or about["error"]
            process.close()
            return
        self.processes.append(process)
        self.versions[peer.package] = about["version"]
        if "isa" in about:
            self.isas[peer.name] = about["isa"]

    def turns(self) -> list[tuple[Case, Process]]:
        """List the questions of one round."""
        return [
            (case, process)
            for case in self.plan.cases
            for process in self.processes
            if case.kind in process.peer.classes
        ]

    def run(self, advance: Callable[[str], None]) -> None:
        """Measure everything in every round; a measurement that failed once is not repeated."""
        failed: set[tuple[str, str, int]] = set()
        for _ in range(self.plan.rounds):
            for case, process in self.turns():
                key = (case.key, process.peer.name, process.threads)
                advance(f"{process.peer.title}, {case.key}, {process.threads} threads")
                if key not in failed:
                    self.record(key, case, process, failed)

    def record(self, key: tuple[str, str, int], case: Case, process: Process, failed: set[Any]) -> None:
        time.sleep(PAUSE)
        request = {"case": case.key, "seconds": self.plan.seconds, "repetitions": self.plan.repetitions}
        found = process.request(request)
        if "error" in found:
            failed.add(key)
            self.errors.append(f"{process.peer.title}, {process.threads} threads: {found['error']}")
            return
        row = self.results.setdefault(
            key, {"kind": case.kind, "case": case.name, "peer": key[1], "threads": key[2], "times": []}
        )
        row["times"].append(found.pop("time"))
        row |= found
