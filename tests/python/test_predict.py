"""Predictions are the outputs of a forward pass in evaluation mode, bit for bit, on any threads and rows."""

import numpy as np
import pytest

import cmlp
from cmlp import nn

NETS = {
    "one layer": lambda: [nn.Linear(7, 5)],
    "no bias": lambda: [nn.Linear(7, 33, bias=False), nn.Tanh(), nn.Linear(33, 2, bias=False)],
    "deep": lambda: [nn.Linear(7, 64), nn.ReLU(), nn.Linear(64, 130), nn.GELU(), nn.Linear(130, 3)],
    "activation at the end": lambda: [nn.Linear(7, 20), nn.LeakyReLU(0.2), nn.Linear(20, 1), nn.Sigmoid()],
    "linear after linear": lambda: [nn.Linear(7, 20), nn.Linear(20, 20), nn.ELU(0.5), nn.Linear(20, 4)],
    "activation first": lambda: [nn.Tanh(), nn.Linear(7, 20), nn.ReLU(), nn.Linear(20, 4)],
    "two activations": lambda: [nn.Linear(7, 20), nn.ReLU(), nn.Tanh(), nn.Linear(20, 4)],
    "identity": lambda: [nn.Linear(7, 20), nn.Identity(), nn.Linear(20, 4)],
    "other layers": lambda: [
        nn.Linear(7, 20),
        nn.LayerNorm(20),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(20, 4),
    ],
    "dropout": lambda: [nn.Dropout(0.5), nn.Linear(7, 20), nn.ReLU(), nn.Dropout(0.5), nn.Linear(20, 4)],
    "a share of the activation": lambda: [
        nn.Linear(7, 20, parametrization="ntk"),
        nn.ParametricActivation(nn.Mish(), 20),
        nn.Dropout(0.5),
        nn.Linear(20, 4),
        nn.ParametricActivation(nn.Identity(), 4),
    ],
    "ntk": lambda: [nn.Linear(7, 20, parametrization="ntk"), nn.ReLU(), nn.Linear(20, 4)],
}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 25, 193, 900])
def test_equal_to_forward(name: str, dtype: str, rows: int) -> None:
    net = nn.Sequential(*NETS[name](), seed=3, dtype=dtype).eval()
    x = np.random.default_rng(0).normal(size=(rows, 7)).astype(dtype)
    expected = net(x)
    before = cmlp.get_num_threads()
    try:
        for threads in (1, 2, 3):
            cmlp.set_num_threads(threads)
            np.testing.assert_array_equal(net.predict(x), expected)
            np.testing.assert_array_equal(net.predict(x[-1:]), expected[-1:])
    finally:
        cmlp.set_num_threads(before)


def test_of_changed_weights_and_copies() -> None:
    net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2), seed=0)
    x = np.ones((4, 3), dtype=np.float32)
    twin = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2), seed=1)
    twin.load_state_dict(net.state_dict())
    np.testing.assert_array_equal(twin.predict(x), net.predict(x))
    net[0].weight.data[:] = 0
    np.testing.assert_array_equal(net.predict(x), net.eval()(x))
    assert not np.array_equal(net.predict(x), twin.predict(x))
