"""Levenberg-Marquardt: its steps against NumPy's, its minimum against SciPy's, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from cmlp import nn, optim


def problem(outputs=2, rows=40, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    return x, np.cos(x @ rng.normal(size=(3, outputs))) + 0.1 * rng.normal(size=(rows, outputs))


class Oracle:
    """A network of one hidden layer of tanh in NumPy, its Jacobian by complex steps."""

    def __init__(self, net, x, y, weight) -> None:
        self.shapes = [p.shape for p in net.parameters()]
        self.w = np.concatenate([p.data.ravel() for p in net.parameters()])
        self.x, self.y, self.root = x, y, np.sqrt(weight)[:, None]
        self.damping = 1e-3

    def errors(self, w):
        """Return the weighted errors, rows by outputs in one vector."""
        ends = np.cumsum([int(np.prod(s)) for s in self.shapes])[:-1]
        w1, b1, w2, b2 = (p.reshape(s) for p, s in zip(np.split(w, ends), self.shapes, strict=True))
        return (self.root * (np.tanh(self.x @ w1.T + b1) @ w2.T + b2 - self.y)).ravel()

    def jacobian(self, w):
        step = 1e-30j
        return np.stack([self.errors(w + step * e).imag / 1e-30 for e in np.eye(len(w))], axis=1)

    def step(self):
        """Hagan and Menhaj's: try until the sum of squares is smaller."""
        e, j = self.errors(self.w), self.jacobian(self.w)
        while True:
            d = np.linalg.solve(j.T @ j + self.damping * np.eye(len(self.w)), -j.T @ e)
            after = self.errors(self.w + d)
            if after @ after < e @ e:
                self.w, self.damping = self.w + d, self.damping / 10
                return e @ e
            self.damping *= 10


def network(outputs=2, dtype="float64", hidden=5):
    layers = [nn.Linear(3, hidden), nn.Tanh(), nn.Linear(hidden, outputs)]
    return nn.Sequential(*layers, dtype=dtype, seed=1)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_steps_are_numpys(outputs, reduction, weighted):
    net, (x, y) = network(outputs), problem(outputs, rows=300)  # more than one block of the Jacobian
    weight = np.random.default_rng(5).integers(0, 3, 300) if weighted else np.ones(300)
    oracle, rule = Oracle(net, x, y, weight), optim.LevenbergMarquardt(net.parameters())
    scale = weight.sum() * outputs if reduction == "mean" else 1.0
    options = {"sample_weight": weight} if weighted else {}
    for _ in range(8):
        history = net.fit(x, y, loss=nn.MSELoss(reduction=reduction), optimizer=rule, **options)
        np.testing.assert_allclose(history.history["loss"], oracle.step() / scale, rtol=1e-10)
        ours = np.concatenate([p.data.ravel() for p in net.parameters()])
        np.testing.assert_allclose(ours, oracle.w, rtol=0, atol=1e-8)
        assert rule.damping == pytest.approx(oracle.damping)


def test_the_minimum_is_scipys(dtype):
    """Around a network that made the targets, noise apart, there is one minimum that both go down to."""
    net, teacher, rng = network(2, dtype, hidden=2), network(2, hidden=2), np.random.default_rng(0)
    x = rng.normal(size=(80, 3))
    y = teacher.predict(x) + 0.1 * rng.normal(size=(80, 2))
    oracle = Oracle(teacher, x, y, np.ones(80))
    found = optimize.least_squares(oracle.errors, oracle.w, jac=oracle.jacobian, method="lm", xtol=1e-15)
    history = net.fit(x, y, loss="mse", optimizer="levenberg_marquardt", epochs=2000)
    assert history.stop == "converged"
    np.testing.assert_allclose(history.history["loss"][-1], 2 * found.cost / y.size, rtol=1e-6)
    if dtype == "float64":
        ours = np.concatenate([p.data.ravel() for p in net.parameters()])
        np.testing.assert_allclose(ours, found.x, atol=1e-3)  # flat down there


def test_a_linear_network_is_solved_in_one_step(dtype, rng):
    x, y, weight = rng.normal(size=(50, 4)), rng.normal(size=(50, 3)), rng.uniform(0, 2, 50)
    net = nn.Sequential(nn.Linear(4, 3), dtype=dtype)
    rule = optim.LevenbergMarquardt(net.parameters(), damping=1e-12)
    net.fit(x, y, loss="mse", optimizer=rule, sample_weight=weight)
    root = np.sqrt(weight)[:, None]
    expected = np.linalg.lstsq(root * np.c_[x, np.ones(50)], root * y, rcond=None)[0].T
    atol = 1e-12 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(np.c_[net[0].weight.data, net[0].bias.data], expected, atol=atol)


def test_it_is_far_ahead_of_adam_on_a_sine():
    x, losses = np.linspace(-3, 3, 100)[:, None], []
    for name, epochs in [("levenberg_marquardt", 100), ("adam", 1000)]:
        net = nn.Sequential(nn.Linear(1, 12), nn.Tanh(), nn.Linear(12, 1), dtype="float64", seed=0)
        losses.append(net.fit(x, np.sin(x), loss="mse", optimizer=name, epochs=epochs).history["loss"][-1])
    assert losses[0] < 0.02 * losses[1]


def test_more_parameters_than_a_block_of_the_factor(rng):
    """Several blocks of 64 rows in the equations' factor, and more weights than rows."""
    x, y = rng.normal(size=(60, 20)), rng.normal(size=(60, 1))
    net = nn.Sequential(nn.Linear(20, 14), nn.Tanh(), nn.Linear(14, 1), dtype="float64", seed=0)
    history = net.fit(x, y, loss="mse", optimizer="levenberg_marquardt", epochs=100)
    assert history.history["loss"][-1] < 1e-15


SETTINGS = {
    "damping": (0.0, r"damping is 0, it must be in \(0,inf\)"),
    "factor": (1.0, r"factor is 1, it must be in \(1,inf\)"),
    "max_damping": (float("nan"), r"max_damping is nan, it must be in \(0,inf\)"),
    "tolerance_grad": (-1.0, r"tolerance_grad is -1, it must be in \[0,inf\)"),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_out_of_range(setting):
    net, (x, y) = network(), problem()
    value, message = SETTINGS[setting]
    rule = optim.LevenbergMarquardt(net.parameters(), **{setting: value})
    with pytest.raises(ValueError, match=f"LevenbergMarquardt: {message}"):
        net.fit(x, y, loss="mse", optimizer=rule)


LAYERS = [nn.Dropout(0.1), nn.AlphaDropout(0.1), nn.RReLU(), nn.BatchNorm1d(5)]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_layers_that_are_no_function_of_a_row(layer):
    net, (x, y) = nn.Sequential(nn.Linear(3, 5), layer, nn.Linear(5, 2)), problem()
    with pytest.raises(ValueError, match="the output of layer '1' depends on chance or on other rows"):
        net.fit(x, y, loss="mse", optimizer="levenberg_marquardt")


def test_what_is_refused():
    net, (x, y) = network(), problem()
    with pytest.raises(ValueError, match="it minimises squares; the loss is 'l1', it must be 'mse'"):
        net.fit(x, y, loss="l1", optimizer="levenberg_marquardt")
    with pytest.raises(ValueError, match="there are 2020 parameters, it takes at most 2000"):
        optim.LevenbergMarquardt(nn.Linear(100, 20).parameters())
    with pytest.raises(ValueError, match="LevenbergMarquardt: there are no parameters"):
        optim.LevenbergMarquardt([])
    with pytest.raises(ValueError, match="the state is of 'lbfgs'"):
        optim.LevenbergMarquardt(net.parameters()).load_state_dict(optim.LBFGS(net.parameters()).state_dict())
