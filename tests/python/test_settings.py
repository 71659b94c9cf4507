"""Settings of layers, losses and optimizers: checked, read back as given, and effective when they are set."""

from __future__ import annotations

import numpy as np
import pytest

from cmlp import nn, optim
from tolerance import assert_same_bits

X = np.linspace(0.0, 1.0, 12).reshape(4, 3)


def parametric():
    return nn.ParametricActivation(nn.LeakyReLU(), 3)


@pytest.mark.parametrize(
    ("make", "name", "value"),
    [
        (lambda: nn.Dropout(0.5), "p", 0.0),
        (lambda: nn.AlphaDropout(0.5), "p", 0.0),
        (lambda: nn.LeakyReLU(), "negative_slope", 0.5),
        (lambda: nn.Activation("elu"), "alpha", 2.0),
        (lambda: nn.GELU(), "approximate", "tanh"),
        (lambda: nn.LayerNorm(3), "eps", 10.0),
        (lambda: nn.RMSNorm(3), "eps", 10.0),
        (lambda: nn.BatchNorm1d(3), "eps", 10.0),
        (lambda: nn.ParametricActivation(nn.ReLU(), 3), "activation", nn.Tanh()),
    ],
)
@pytest.mark.parametrize("within", [False, True])
def test_setting_an_attribute_takes_effect(make, name, value, within):
    layer = make()
    net = nn.Sequential(layer) if within else layer
    x = (X - 0.5).astype("float32")
    before = net(x)
    setattr(layer, name, value)
    expected = type(layer)(**{name: value}) if name == "p" else None
    assert (net(x) != before).any()
    if expected is not None:
        assert_same_bits(net(x), expected(x))
    assert repr(getattr(layer, name)) == repr(value)
    if within:
        assert_same_bits(net.predict(x), net.copy().predict(x))


def test_dropout_may_change_in_mid_training():
    net = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))
    fits = [net.copy() for _ in range(2)]

    def off(values):
        fits[0][1].p = 0.0

    for each, callbacks in zip(fits, ([off], []), strict=True):
        each.fit(X, X.sum(axis=1), loss="mse", epochs=3, callbacks=callbacks, verbose=False)
    assert fits[0][1].p == 0.0
    assert (fits[0][0].weight.data != fits[1][0].weight.data).any()


@pytest.mark.parametrize(
    ("make", "name", "value", "message"),
    [
        (
            lambda: nn.Linear(3, 2),
            "in_features",
            4,
            "in_features cannot be changed; make a new Linear",
        ),
        (lambda: nn.BatchNorm1d(3), "affine", False, "BatchNorm1d: affine cannot be changed"),
        (lambda: nn.Dropout(), "rate", 0.5, "'Dropout' has no setting 'rate'; what can be set: p"),
        (lambda: nn.ReLU(), "slope", 0.5, "'ReLU' has no setting 'slope'"),
        (
            lambda: nn.ParametricActivation(nn.LeakyReLU(), 3).activation,
            "negative_slope",
            1.0,
            "cannot be changed",
        ),
        (lambda: nn.MSELoss(), "weight", [1.0], "'MSELoss' has no setting 'weight'"),
        (lambda: optim.SGD(nn.Linear(1, 1).parameters()), "beta", 1.0, "'SGD' has no setting 'beta'"),
    ],
)
def test_an_attribute_that_would_do_nothing_is_refused(make, name, value, message):
    with pytest.raises(AttributeError, match=message):
        setattr(make(), name, value)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Linear(0, 2), ValueError, "Linear: in_features is 0, it must be at least 1"),
        (lambda: nn.Linear(2, 2.5), TypeError, "Linear: out_features is 2.5, it must be an integer"),
        (lambda: nn.Linear(True, 2), TypeError, "Linear: in_features is True, it must be an integer"),
        (
            lambda: nn.Linear(2, 2, init="hee"),
            ValueError,
            "unknown initializer 'hee'; choose from auto",
        ),
        (lambda: nn.Linear(2, 2, init="normal", init_settings={"sigma": 1}), ValueError, "sigma"),
        (lambda: nn.Linear(2, 2, parametrization="mup"), ValueError, "choose from standard, ntk"),
        (lambda: nn.Linear(2, 2, bias="no"), TypeError, "Linear: bias is 'no', it must be True or False"),
        (lambda: nn.Dropout(1.5), ValueError, r"Dropout: p is 1.5, it must be in \[0, 1\]"),
        (lambda: nn.Dropout(float("nan")), ValueError, "Dropout: p is nan"),
        (lambda: nn.Dropout("0.5"), TypeError, "Dropout: p is '0.5', it must be a number"),
        (lambda: nn.Activation("swish"), ValueError, "unknown activation 'swish'; cmlp calls it 'silu'"),
        (lambda: nn.CELU(0.0), ValueError, "alpha"),
        (
            lambda: nn.BatchNorm1d(3, momentum=2),
            ValueError,
            r"it must be in \[0, 1\] or None",
        ),
        (lambda: nn.RReLU(0.5, 0.25), ValueError, "lower is 0.5, it must not be above upper, 0.25"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), ValueError, "padding_idx is 3"),
        (lambda: nn.Embedding(3, 2, columns=[1, 0]), ValueError, "must be increasing"),
        (lambda: nn.PiecewiseLinearEmbedding([[1.0, 0.0]]), ValueError, "bins|edges"),
        (
            lambda: nn.CrossEntropyLoss(label_smoothing=2),
            ValueError,
            r"is 2, it must be in \[0, 1\]",
        ),
        (lambda: nn.MSELoss("avg"), ValueError, "choose from mean, sum, none, batchmean"),
        (lambda: nn.Loss("mae"), ValueError, "unknown loss 'mae'; cmlp calls it 'l1'"),
        (lambda: nn.Sequential(nn.ReLU), ValueError, r"is not a module; call ReLU\(...\) first"),
    ],
)
def test_constructors_check(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_settings_read_back_as_they_were_given():
    weight = np.array([1.0, 2.0])
    loss = nn.CrossEntropyLoss(weight, label_smoothing=0.1)
    weight[0] = 9.0
    assert (loss.weight.tolist(), loss.label_smoothing, loss.reduction) == ([1.0, 2.0], 0.1, "mean")
    assert nn.NLLLoss((1.0, 3.0)).weight == (1.0, 3.0)
    linear = nn.Linear(3, 2, init="xavier")
    assert (linear.init, linear.in_features) == ("xavier", 3)
    assert_same_bits(linear.weight.data, nn.Linear(3, 2, init="xavier_uniform").weight.data)
    assert (nn.RMSNorm(3).eps, nn.BatchNorm1d(3, momentum=None).momentum) == (None, None)
    adam = optim.Adam(linear.parameters(), amsgrad=True, eps_mode="keras", betas=(0.5, 0.75))
    assert (adam.amsgrad, adam.eps_mode, adam.betas, adam.lr) == (True, "keras", (0.5, 0.75), 1e-3)
    adam.betas = (0.25, 0.5)
    assert adam.param_groups[0]["beta1"] == 0.25


def test_flags_of_losses_by_name():
    assert nn.Loss("gaussian_nll", log_var=True).settings == nn.GaussianNLLLoss(log_var=True).settings


def test_settings_of_losses_take_effect():
    loss = nn.CrossEntropyLoss()
    y, t = [[0.0, 1.0], [2.0, 0.0]], [0, 1]
    loss.label_smoothing, loss.weight, loss.reduction = 0.1, [1.0, 3.0], "sum"
    assert loss(y, t) == nn.CrossEntropyLoss([1.0, 3.0], "sum", 0.1)(y, t)
    with pytest.raises(ValueError, match="label_smoothing is 2"):
        loss.label_smoothing = 2
    assert loss.label_smoothing == 0.1
