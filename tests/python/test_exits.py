"""Processes that end while a training runs: cleanly, with their own exit code and nothing on stderr."""

from __future__ import annotations

import pytest

import fresh

SETUP = """
import atexit, os, sys, threading, time, warnings
import numpy as np, cmlp
from cmlp import nn
warnings.simplefilter("ignore")
cmlp.set_num_threads(2)
x, y = np.ones((2000, 100)), np.arange(2000) % 10
began = threading.Event()

def network():
    return nn.Sequential(nn.Linear(100, 200), nn.ReLU(), nn.Linear(200, 10))

def callback(values):
    began.set()

def begin(target):
    threading.Thread(target=target, daemon=True).start()
    began.wait()
"""
FOREVER = "loss='cross_entropy', epochs=10**9, verbose=False"
WORK = {
    "fit": f"""
net = network()
threading.Thread(target=lambda: net.fit(x, y, {FOREVER}), daemon=True).start()
while net._core.step < 3: pass
""",
    "fit with callbacks": f"""
each = dict(callbacks=[callback], every_steps=1, step_callbacks=[callback])
begin(lambda: network().fit(x, y, {FOREVER}, **each))
""",
    "fit with lbfgs": f"""
begin(lambda: network().fit(x, y, {FOREVER}, optimizer='lbfgs', callbacks=[callback]))
""",
    "two fits": f"""
for _ in range(2): begin(lambda: network().fit(x, y, {FOREVER}, callbacks=[callback]))
""",
    "an estimator": """
model = cmlp.MLPClassifier((50,), max_iter=10**9, tol=0, n_iter_no_change=10**9, callbacks=[callback])
begin(lambda: model.fit(x, y))
""",
    "predict": """
net = network()
def serve():
    while True:
        net.predict(x)
        began.set()
for _ in range(3): begin(serve)
""",
}
# name: (code that ends the process, exit code, last line on stderr)
ENDS = {
    "the last line": ("", 0, ""),
    "sys.exit": ("sys.exit(3)", 3, ""),
    "an exception": ("raise ValueError('as ever')", 1, "ValueError: as ever"),
    "os._exit": ("os._exit(4)", 4, ""),
    "atexit": ("atexit.register(lambda: network().fit(x, y, loss='cross_entropy', verbose=False))", 0, ""),
}


@pytest.mark.parametrize("times", [1, pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("work", WORK)
def test_a_process_ends_in_the_middle_of_a_training(work, end, times, record_property):
    if times == 1 and work != "fit" and end != "the last line":
        pytest.skip("the slow form has each")
    code, status, last = ENDS[end]
    for _ in range(times):
        done = fresh.run(SETUP + WORK[work] + code)
        lines = done.stderr.splitlines()
        assert (done.returncode, lines[-1] if lines else "") == (status, last), done.stderr
    record_property("processes that ended in mid-training", times)
