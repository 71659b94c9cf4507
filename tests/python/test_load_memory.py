"""Loading a damaged file takes at most the file's size and 16 MiB of memory, and less than a second."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from test_mutated_files import MODELS, model_bytes  # noqa: F401

pytestmark = pytest.mark.filterwarnings("ignore")  # of short fits

PROGRAM = """
import json, resource, sys, time, warnings
from pathlib import Path
import numpy as np
sys.path.insert(0, {tests!r})
import cmlp
from test_mutated_files import mutated
warnings.simplefilter("ignore")
raw, path = Path({good!r}).read_bytes(), {bad!r}
rng, slowest, beyond = np.random.default_rng({seed}), 0.0, 0
Path(path).write_bytes(raw)
cmlp.load(path)
page = resource.getpagesize()
for _ in range({count}):
    broken = mutated(rng, raw)
    Path(path).write_bytes(broken)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * page
    resource.setrlimit(resource.RLIMIT_AS, (used + len(broken) + 2**24, resource.RLIM_INFINITY))
    start = time.process_time()
    try:
        cmlp.load(path, verify=False)
    except ValueError:
        pass
    except MemoryError:
        beyond += 1
    slowest = max(slowest, time.process_time() - start)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(json.dumps([beyond, slowest]))
"""


def loaded(folder, raw, seed, count):
    """Load mutated files in a process of its own; return how many needed more, and the longest time in ms."""
    (folder / "good").write_bytes(raw)
    values = {"tests": str(Path(__file__).parent), "good": str(folder / "good"), "bad": str(folder / "bad")}
    code = PROGRAM.format(**values, seed=seed, count=count)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    beyond, slowest = json.loads(done.stdout)
    return beyond, 1e3 * slowest


@pytest.mark.parametrize("kind", MODELS)
def test_memory_of_loading(kind, model_bytes, tmp_path, record_property):  # noqa: F811
    beyond, slowest = loaded(tmp_path, model_bytes[kind], 0, 300)
    assert beyond == 0
    record_property("files loaded within their size and 16 MiB", 300)
    record_property("largest time to load one, in ms", slowest)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(1, 9))
@pytest.mark.parametrize("kind", MODELS)
def test_memory_of_loading_many(seed, kind, model_bytes, tmp_path, record_property):  # noqa: F811
    beyond, slowest = loaded(tmp_path, model_bytes[kind], seed, 20_000 if kind == "network" else 2_000)
    assert beyond == 0
    assert slowest < 1_000
    record_property("files loaded within their size and 16 MiB", 20_000 if kind == "network" else 2_000)
    record_property("largest time to load one, in ms", slowest)
