"""The benchmarks run: a tiny case of the comparison, and all groups of the kernels where they are built."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = os.environ.get("CMLP_BENCH_PROGRAM", "")


@pytest.mark.slow
def test_comparison_runs(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    options = ["--rounds=1", "--repetitions=1", "--seconds=0.001", "--case=4-16-3", f"--out={out}"]
    peers = ["--peer", "cmlp", "--peer", "cmlp-step", "--peer", "sklearn", "--peer", "numpy"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "compare"), *options, *peers], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(out.read_text(encoding="utf-8"))
    found = {(row["kind"], row["peer"]) for row in run["results"]}
    assert found >= {("train", name) for name in ("cmlp", "cmlp-step", "sklearn", "numpy")}
    assert found >= {("predict", "cmlp"), ("predict", "numpy")}
    assert run["errors"] == []
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "| 4-16-3,32 |" in page
    assert (tmp_path / "pictures" / "performance.png").stat().st_size > 0


@pytest.mark.slow
@pytest.mark.skipif(not PROGRAM, reason="CMLP_BENCH_PROGRAM does not name cmlp_bench")
def test_kernel_benchmark_runs(tmp_path: Path) -> None:
    out = tmp_path / "kernels.json"
    subprocess.run([PROGRAM, "--smoke", "--json", str(out)], check=True, capture_output=True)
    groups = {row["group"] for row in json.loads(out.read_text(encoding="utf-8"))["rows"]}
    assert groups >= {"product", "step", "predict", "activation", "loss", "optimizer"}
