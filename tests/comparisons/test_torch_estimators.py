"""get_torch: a fitted estimator's network as PyTorch's modules gives the same outputs."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris

import cmlp
from cmlp import MLPClassifier, MLPRegressor, nn

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
SHAPES = {
    "plain": {},
    "no hidden layer": {"hidden_layer_sizes": ()},
    "dropout": {"dropout": 0.3, "input_dropout": 0.1},
    "batch norm": {"batch_norm": True},
    "layer norm": {"layer_norm": True},
    "residual": {"residual": True, "batch_norm": True, "dropout": 0.2},
    "leaky": {"activation": [nn.LeakyReLU(0.3), nn.ELU(0.5)]},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_outputs(kind, shape, dtype):
    model = kind(**{"hidden_layer_sizes": (8, 8), "max_iter": 5, "random_state": 0, "dtype": dtype, **shape})
    model.fit(X, Y)
    net = model.get_torch()
    assert not net.training
    with torch.no_grad():
        theirs = net(torch.from_numpy(X.astype(dtype))).numpy()
    np.testing.assert_allclose(theirs, model._raw(X), rtol=1e-4 if dtype == "float32" else 1e-10, atol=1e-5)


@pytest.mark.parametrize("name", cmlp.activations())
def test_every_activation(name):
    model = MLPRegressor(activation=name, max_iter=2, random_state=0, learning_rate_init=1e-4).fit(X, Y)
    with torch.no_grad():
        theirs = model.get_torch()(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(theirs, model._raw(X), rtol=1e-8, atol=1e-8)
