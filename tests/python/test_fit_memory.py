"""Memory that fit needs in addition to its data: parameters, a batch, the order of the rows."""

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
