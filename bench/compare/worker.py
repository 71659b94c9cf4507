"""The process of one peer: reads one case per line as JSON and writes its best time per step or call."""

import json
import math
import os
import sys
from time import perf_counter
from typing import Any

import numpy as np
from cases import CASES, exact
from peers import BY_NAME, Peer

TOLERANCE = 1e-4  # of the first loss and of the outputs, relative to values above 1


class Measurement:
    """One case of one peer, kept ready from question to question."""

    def __init__(self, peer: Peer, case: Any, threads: int) -> None:
        self.case = case
        self.subject = peer.load(case.kind)(case, threads)
        self.repeats = 1
        self.first = self.verify()

    def verify(self) -> float | None:
        """Return the first loss; ValueError when it, or an output, is not what float64 gives."""
        expected = exact(self.case)
        if self.case.kind == "predict":
            found = self.subject.run(1)
        else:
            self.subject.start()
            found = self.subject.first_loss()
        if found is not None:
            error = float(np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected))))
            if not error <= TOLERANCE:
                raise ValueError(f"{self.case.key}: off by {error:.2g} from the result in float64")
        return None if self.case.kind == "predict" else found

    def once(self) -> tuple[float, Any]:
        """Time `repeats` epochs or calls from the start, after one untimed."""
        if self.case.kind == "train":
            self.subject.start()
        self.subject.run(1)
        begin = perf_counter()
        last = self.subject.run(self.repeats)
        return perf_counter() - begin, last

    def measure(self, seconds: float, repetitions: int) -> dict[str, Any]:
        """Return the best time of a step or a call, each repetition lasting about that many seconds."""
        times = []
        while len(times) < repetitions:
            elapsed, last = self.once()
            if elapsed < seconds / 2:
                self.repeats = math.ceil(self.repeats * min(seconds / max(elapsed, 1e-6), 100))
                continue
            times.append(elapsed / self.repeats / self.case.batches)
            self.repeats = max(1, round(self.repeats * seconds / elapsed))
        if self.case.kind == "predict":
            return {"time": min(times)}
        if self.first is not None and not last < self.first:
            raise ValueError(f"{self.case.key}: the loss went from {self.first} to {last}")
        return {"time": min(times), "first_loss": self.first, "last_loss": last}


class Worker:
    """A peer with the measurements it has ready, by case."""

    def __init__(self, peer: Peer, threads: int) -> None:
        self.peer, self.threads = peer, threads
        self.ready: dict[str, Measurement] = {}

    def reply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Measure what the request names."""
        key = request["case"]
        try:
            if key not in self.ready:
                case = next(case for case in CASES if case.key == key)
                self.ready[key] = Measurement(self.peer, case, self.threads)
            return self.ready[key].measure(request["seconds"], request["repetitions"])
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Report that the worker is ready, or what is missing; then reply until the input ends."""
    peer, threads = BY_NAME[sys.argv[1]], int(sys.argv[2])
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a package prints is not a reply
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    try:
        print(json.dumps(peer.about()), file=out)
    except (ImportError, ValueError) as error:
        print(json.dumps({"missing": str(error)}), file=out)
        return
    worker = Worker(peer, threads)
    for line in sys.stdin:
        print(json.dumps(worker.reply(json.loads(line))), file=out)


if __name__ == "__main__":
    main()
