"""The process of one system on one table: writes the scores and times of each split as a line of JSON."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from time import perf_counter, process_time
from typing import Any

import numpy as np
import pandas as pd

from bench.accuracy.protocol import Split, scores, split
from bench.accuracy.sets import SETS, Table
from bench.accuracy.systems import System


def predict_timed(predict: Callable[[pd.DataFrame], np.ndarray], X: pd.DataFrame) -> tuple[np.ndarray, float]:
    """Return the predictions and the shorter of two times."""
    times = []
    for _ in range(2):
        start = perf_counter()
        predicted = np.asarray(predict(X))
        times.append(perf_counter() - start)
    return predicted, min(times)


def measure(system: System, module: Any, table: Table, seed: int, threads: int) -> dict[str, Any]:
    """Fit one split and score its test rows."""
    parts: Split = split(table.codes, table.task, seed)
    settings = json.loads(system.settings)
    wall, cpu = perf_counter(), process_time()
    predict = module.fit(table, parts, seed, threads, **settings)
    times = {"fit_seconds": perf_counter() - wall, "fit_cpu_seconds": process_time() - cpu}
    predicted, seconds = predict_timed(predict, table.X.iloc[parts.test])
    return {
        "split": seed,
        **scores(table.task, table.codes[parts.test], predicted),
        **times,
        "predict_seconds_per_row": seconds / len(parts.test),
        "rows": [len(parts.train), len(parts.validation), len(parts.test)],
    }


def measurements(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the results of all splits, or {"error": ...}."""
    system = System(**request["system"])
    try:
        module = system.load()
        table = SETS[request["set"]].load()
        version = str(getattr(sys.modules[system.package], "__version__", ""))
    except Exception as error:
        yield {"error": f"{type(error).__name__}: {error}"}
        return
    about = {"system": system.name, "set": request["set"], "task": table.task, "threads": request["threads"]}
    for seed in request["splits"]:
        try:
            yield {**about, **measure(system, module, table, seed, request["threads"]), "version": version}
        except Exception as error:
            yield {"error": f"split {seed}: {type(error).__name__}: {error}"}


def main() -> None:
    """Measure what the argument says."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a package prints is no result
    for found in measurements(json.loads(sys.argv[1])):
        print(json.dumps(found), file=out)


if __name__ == "__main__":
    main()
