"""Numbers at the ends of the float range: losses, parametric activations, data-driven initialisation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import cmlp
from cmlp import _core, nn
from tolerance import TOLERANCE

KINDS = {name: _core.output_kind(name) for name in cmlp.losses()}
CLASSES = [name for name, kind in KINDS.items() if kind == "class_logits"]
TARGETS = {
    "any": [-1.0, -1e-3, 0.0, 1e-3, 1.0],  # times the largest number
    "unit": [0.0, 0.5, 1.0],
    "sign": [-1.0, 1.0],
    "nonnegative": [0.0, 1.0],
    "positive": [1e-3, 1.0],
}
SETTINGS = {
    "focal": [{"gamma": g} for g in (0.0, 0.5, 2.0, 5.0)],
    "binary_focal": [{"gamma": g} for g in (0.0, 0.5, 2.0, 5.0)],
    "smooth_l1": [{"beta": b} for b in (0.0, 1.0, 1e30)],
    "huber": [{"delta": d} for d in (1e-30, 1.0)],
    "kl_div": [{"log_target": 0}, {"log_target": 1}],
    "poisson_nll": [{"log_input": 0}, {"log_input": 1}, {"full": 1}],
    "gaussian_nll": [{"log_var": 0}, {"log_var": 1}],
    "multi_margin": [{"p": 1}, {"p": 2}],
    "cross_entropy": [{"label_smoothing": s} for s in (0.0, 0.1)],
}
CASES = [(name, settings) for name in KINDS for settings in SETTINGS.get(name, [{}])]


def ends(dtype):
    """The largest numbers of both signs, their halves, numbers where exp ends, the smallest ones and 0."""
    largest, least = float(np.finfo(dtype).max), float(np.finfo(dtype).smallest_subnormal)
    limit = float(np.log(largest))
    sizes = [largest, largest / 2, limit * 1.01, limit * 0.99, 1.0, least]
    return np.array([*sizes, 0.0, *[-size for size in sizes]], dtype)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_no_loss_of_finite_numbers_is_nan(name, settings, dtype):
    largest = np.finfo(dtype).max
    criterion = nn.Loss(name, reduction="none", **settings)
    kind = "any" if settings.get("log_target") else _core.target_range(name)
    values = ends(dtype)
    if settings.get("log_input") == 0:
        values = values[values >= 0]  # means
    if KINDS[name] == "probability":
        values = np.array([0.0, 1.0, np.finfo(dtype).tiny], dtype)
    if name in CLASSES:
        y = np.array(list(itertools.product(values, repeat=2)), dtype)
        targets = [np.zeros(len(y), int), np.ones(len(y), int), np.full(y.shape, 0.5, dtype)]
        targets.append(np.tile(np.array([1.0, 0.0], dtype), (len(y), 1)))
    else:
        width = 2 if KINDS[name] == "moments" else 1
        y = np.array(list(itertools.product(values, repeat=width)), dtype)
        scale = largest if kind in ("any", "nonnegative", "positive") else 1
        targets = [np.full((len(y), 1), t * scale, dtype) for t in TARGETS[kind]]
    for t in targets:
        value = criterion(y, t)
        slope = criterion.backward()
        bad = np.isnan(np.ravel(value)) | np.isnan(slope).any(axis=1)
        assert not bad.any(), (y[bad][:3], np.ravel(t)[:1], np.ravel(value)[bad][:3], slope[bad][:3])


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_slopes_of_focal_losses_far_out(gamma, dtype):
    """A row that is certain and wrong has the slope of its logit, one that is certain and right none."""
    largest = np.finfo(dtype).max
    focal, binary = nn.FocalLoss(gamma=gamma), nn.BinaryFocalLoss(None, gamma)
    focal(np.array([[largest, -largest]], dtype), [1])
    assert focal.backward().tolist() == [[1.0, -1.0]]
    binary(np.array([[largest, largest, -largest]], dtype), np.array([[1, 0, 1]], dtype))
    np.testing.assert_allclose(binary.backward() * 3, [[0, 1, -1]])


# Parameters of the activations that have some, far from the defaults.
ACTIVATIONS = {
    "softplus": [{"beta": b, "threshold": 20.0 if b < 1 else 1000.0} for b in (1e-3, 0.1, 3.0, 7.5, 1e3)],
    "celu": [{"alpha": a} for a in (1e-3, 0.1, 3.0, 7.5, 1e3)],
    "elu": [{"alpha": a} for a in (-2.0, 1e-3, 0.1, 3.0, 7.5, 1e3)],
}


def exact(name, z, p):
    """Value and slope in extended precision, of the parameters as the dtype has them."""
    if name == "softplus":
        x = p["beta"] * z
        value = np.maximum(z, 0) + np.log1p(np.exp(-abs(x))) / p["beta"]
        return np.where(x > p["threshold"], z, value), np.where(x > p["threshold"], 1, 1 / (1 + np.exp(-x)))
    scale = p["alpha"] if name == "celu" else 1
    x = z / scale
    slope = np.exp(x) if name == "celu" else p["alpha"] * np.exp(x)
    return np.where(z > 0, z, p["alpha"] * np.expm1(x)), np.where(z > 0, 1, slope)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="needs an extended precision")
@pytest.mark.parametrize(("name", "settings"), [(n, s) for n, all_ in ACTIVATIONS.items() for s in all_])
def test_the_error_bound_holds_for_any_parameter(name, settings, dtype, isa):
    parameters = {key: np.longdouble(np.dtype(dtype).type(value)) for key, value in settings.items()}
    scale = float(parameters.get("beta", 1 / parameters.get("alpha", 1) if name == "celu" else 1))
    ends_at = 80 if dtype == "float32" else 700
    z = (np.linspace(-ends_at, ends_at / 4, 20001) / scale).astype(dtype)[:, None]
    layer = nn.Activation(name, **settings)
    net = nn.Sequential(layer, dtype=dtype)
    y = net(z)
    slope = net.backward(np.ones_like(z))
    value, derivative = exact(name, z.astype(np.longdouble), parameters)
    for got, wanted, kind in ((y, value, "activation"), (slope, derivative, "derivative")):
        # slopes of elu and sigmoid carry the rounding of a product more
        bound = TOLERANCE[kind, dtype] * abs(wanted) + 50 * np.finfo(dtype).smallest_subnormal
        worst = (abs(got - wanted) / bound).max()
        assert worst <= 1, f"{kind}: {float(worst):.3g} times the bound"


@pytest.mark.parametrize("scale", [1e160, 1e-160, 1e300, 1e-300])
def test_data_driven_initialisation_of_numbers_of_any_size(scale):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5))
    plain = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3), dtype="float64", seed=1)
    large = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3), dtype="float64", seed=1)
    nn.init.data_driven_(plain, x, seed=2)
    nn.init.data_driven_(large, x * scale, seed=2)
    assert all(np.isfinite(value).all() for value in large.state_dict().values())
    np.testing.assert_allclose(large.predict(x * scale), plain.predict(x), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(large[0](x * scale).std(axis=0), 1, rtol=1e-6)
