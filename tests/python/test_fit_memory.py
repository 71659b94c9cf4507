"""Memory that fit needs in addition to its data: parameters, a batch, the order of the rows."""

import os

import pytest

import fresh

CODE = """
import json, resource
import numpy as np
from cmlp import nn, optim
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
x = np.ones((60_000, 400), np.float32)
y = np.arange(60_000) % 10
small = nn.Sequential(nn.Linear(400, 10))
small.fit(x[:256], y[:256], loss="cross_entropy", epochs=1)  # threads and the library's pages
before = peak()
net = nn.Sequential(nn.Linear(400, 700), nn.ReLU(), nn.Linear(700, 10))
net.fit(x, y, loss="cross_entropy", optimizer=optim.Adam(net.parameters()), epochs=1, batch_size={batch},
        shuffle={shuffle})
print(json.dumps(peak() - before))
"""


@pytest.mark.parametrize(("batch", "shuffle"), [(128, True), (4096, False)])
def test_peak_of_fit(shuffle, batch):
    parameters = 401 * 700 + 701 * 10
    expected = 4 * (4 * parameters + 7000 + batch * (400 + 3 * 700 + 2 * 10)) + 16 * 60_000
    grown = fresh.result(CODE.format(batch=batch, shuffle=shuffle))
    assert grown < 1.15 * expected + 4e6  # the data are 96 MB


MANY = """
import gc, json, os, warnings
import numpy as np
import cmlp
from cmlp import nn, optim
warnings.simplefilter("ignore")
x, y = np.random.default_rng(0).normal(size=(200, 20)), np.arange(200) % 3
options = dict(loss="cross_entropy", epochs=1, validation_data=(x, y), metrics=["accuracy"], verbose=False)
def network():
    net = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.BatchNorm1d(30), nn.Linear(30, 3))
    net.fit(x, y, optimizer=optim.Adam(net.parameters()), callbacks=[lambda values: None], **options)
    net.copy().predict(x)
same = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 3))
adam = optim.Adam(same.parameters())
def one_network():
    same.fit(x, y, optimizer=adam, **options)
def estimator():
    cmlp.MLPClassifier((30,), max_iter=2, early_stopping=True).fit(x, y).predict_proba(x)
def lbfgs():
    cmlp.MLPRegressor(hidden_layer_sizes=(30,), solver="lbfgs", max_iter=2).fit(x, y).predict(x)
def used():
    gc.collect()
    pages = int(open("/proc/self/statm").read().split()[1])
    files, threads = (len(os.listdir(f"/proc/self/{{name}}")) for name in ("fd", "task"))
    return [pages * os.sysconf("SC_PAGESIZE"), files, threads]
for _ in range({warm}): {kind}()
before = used()
for _ in range({fits}): {kind}()
print(json.dumps([before, used()]))
"""


@pytest.mark.skipif(not os.path.isfile("/proc/self/statm"), reason="reads /proc")
@pytest.mark.parametrize(("warm", "fits"), [(200, 100), pytest.param(500, 1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["network", "one_network", "estimator", "lbfgs"])
def test_many_fits_leave_memory_flat(kind, warm, fits, record_property):
    before, after = fresh.result(MANY.replace("{kind}", kind).format(warm=warm, fits=fits))
    record_property("fits", fits)
    record_property("largest growth in KiB", (after[0] - before[0]) / 1024)
    assert after[0] - before[0] < 2**22  # what the allocator keeps changes by 2 MiB
    assert after[1:] == before[1:]  # files, threads
