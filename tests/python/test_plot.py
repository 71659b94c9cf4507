"""The pictures of cmlp.plot: what is on them, and what they refuse."""

import re

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.inspection import permutation_importance

from cmlp import MLPClassifier, MLPRegressor, nn, plot

X, Y = make_moons(80, noise=0.1, random_state=0)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def model():
    return MLPClassifier((9, 4), max_iter=5, random_state=0).fit(X, Y, eval_set=(X[:20], Y[:20]))


def fitted_net():
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
    net.fit(X, Y, loss="cross_entropy", epochs=3, metrics=["accuracy"], validation_data=(X, Y))
    return net


PICTURES = {
    "loss of an estimator": lambda model: plot.loss_curve(model),
    "loss of a network": lambda model: plot.loss_curve(fitted_net()),
    "loss of a history": lambda model: plot.loss_curve(fitted_net().history),
    "scores": lambda model: plot.score_curve(model),
    "scores of a network": lambda model: plot.score_curve(fitted_net()),
    "boundary": lambda model: plot.decision_boundary(model, X, Y, steps=20),
    "boundary of values": lambda model: plot.decision_boundary(
        MLPRegressor(max_iter=2).fit(X, Y), X, Y, steps=20
    ),
    "weights": lambda model: plot.weights(model, 1),
    "weights as pictures": lambda model: plot.weights(model, shape=(1, 2), units=5),
    "activations": lambda model: plot.activation_histograms(model, X),
    "gradients": lambda model: plot.gradient_flow(model, X, Y),
    "confusion": lambda model: plot.confusion_matrix(Y, model.predict(X)),
    "calibration": lambda model: plot.calibration_curve(Y, model.predict_proba(X)[:, 1]),
    "importance": lambda model: plot.permutation_importance(
        permutation_importance(model, X, Y, n_repeats=2), ["a", "b"]
    ),
}


@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)
def test_every_picture(draw, model):
    ax = draw(model)
    assert isinstance(ax, matplotlib.axes.Axes)
    assert ax.get_title()
    ax.figure.canvas.draw()


def test_given_axes_are_used():
    _, ax = plt.subplots()
    assert plot.loss_curve({"loss": [2.0, 1.0]}, ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_the_numbers_are_there(model):
    ax = plot.loss_curve(model)
    assert ax.lines[0].get_ydata().tolist() == model.loss_curve_
    assert ax.lines[1].get_ydata().tolist() == model.validation_loss_curve_
    ax = plot.confusion_matrix([0, 0, 1, 1, 1], [0, 1, 1, 1, 0])
    assert sorted(text.get_text() for text in ax.texts) == ["1", "1", "1", "2"]
    ax = plot.calibration_curve([0, 1, 1, 1], [0.1, 0.15, 0.9, 1.0], bins=2)
    assert ax.lines[1].get_xydata().tolist() == [[0.125, 0.5], [0.95, 1.0]]


def test_live_curves():
    live = plot.LiveCurves(every=2)
    MLPClassifier(max_iter=5, callbacks=[live]).fit(X, Y, eval_set=(X, Y))
    assert len(live.series["loss"]) == len(live.series["val_loss"]) == 5
    assert len(live.figure.axes[0].lines[0].get_xdata()) == 4


BAD = {
    "unfitted": (lambda: plot.loss_curve(nn.Sequential(nn.Linear(1, 1))), "Sequential has not been fitted"),
    "no scores": (lambda: plot.score_curve({"loss": [1.0]}), "there are no metrics"),
    "columns": (
        lambda: plot.decision_boundary(None, np.ones((3, 3))),
        "X has shape (3, 3)",
    ),
    "shape": (lambda: plot.weights(nn.Sequential(nn.Linear(4, 1)), shape=(3, 3)), "the layer takes 4 inputs"),
    "no activation": (
        lambda: plot.activation_histograms(nn.Sequential(nn.Linear(2, 1)), X),
        "the network has no activation layer",
    ),
    "probability": (lambda: plot.calibration_curve([0, 1], [0.5, 1.5]), "probability in [0, 1]"),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
