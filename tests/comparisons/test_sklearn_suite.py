"""scikit-learn's own tests of its MLP, with cmlp's classes in the place of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

TESTS = 59  # of scikit-learn 1.9; another version may have more


def test_all_of_them_pass(tmp_path):
    command = [sys.executable, "-m", "pytest", "-p", "cmlp_as_sklearn", "-p", "no:cacheprovider"]
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    run = subprocess.run(
        [*command, "--pyargs", "sklearn.neural_network.tests.test_mlp"],
        cwd=tmp_path,  # away from this project's settings of pytest
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    assert "scikit-learn's tests of cmlp." in run.stdout
    passed = re.search(r"(\d+) passed", run.stdout)
    assert passed is not None
    assert int(passed[1]) >= TESTS
