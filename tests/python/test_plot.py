"""The plots of cmlp.plot: what they show, and the input they refuse."""

import re

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import cmlp
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


def one_logit(*more):
    net = nn.Sequential(nn.Linear(2, 1), *more)
    net[0].weight.data[...] = [[1.0, 1.0]]
    net[0].bias.data[...] = -1
    return net


PICTURES = {
    "loss of a history": lambda model: plot.loss_curve(fitted_net().history),
    "loss of a network": lambda model: plot.loss_curve(fitted_net()),
    "scores of a network": lambda model: plot.score_curve(fitted_net()),
    "values": lambda model: plot.decision_boundary(MLPRegressor(max_iter=2).fit(X, Y), X, Y, steps=20),
    "values of a network": lambda model: plot.decision_boundary(one_logit(), X, X[:, 0], steps=20),
    "two outputs": lambda model: plot.decision_boundary(fitted_net(), X, Y, steps=20),
    "two outputs, no rows' classes": lambda model: plot.decision_boundary(fitted_net(), X, steps=20),
    "text": lambda model: plot.decision_boundary(fitted_net(), X, np.where(Y, "b", "a"), steps=20),
    "a perceptron": lambda model: plot.decision_boundary(
        cmlp.Perceptron("adaline").fit(X, Y), X, Y, steps=20
    ),
    "confusion of a network": lambda model: plot.confusion_matrix(fitted_net(), X, Y),
    "confusion of labels": lambda model: plot.confusion_matrix(Y, model.predict(X)),
    "calibration of a network": lambda model: plot.calibration_curve(fitted_net(), X, Y),
    "calibration of labels": lambda model: plot.calibration_curve(Y, model.predict_proba(X)[:, 1]),
    "importance of a network": lambda model: plot.permutation_importance(fitted_net(), X, Y, repeats=1),
    "importance of a result": lambda model: plot.permutation_importance(
        permutation_importance(model, X, Y, n_repeats=2), names=["a", "b"]
    ),
    "gradients of a network": lambda model: plot.gradient_flow(
        fitted_net(), X, Y, loss=nn.CrossEntropyLoss()
    ),
}
OF_A_MODEL = {
    "loss": lambda model: plot.loss_curve(model),
    "scores": lambda model: plot.score_curve(model),
    "boundary": lambda model: plot.decision_boundary(model, X, Y, steps=20),
    "weights": lambda model: plot.weights(model, 1),
    "weights as pictures": lambda model: plot.weights(model, shape=(1, 2), units=5),
    "activations": lambda model: plot.activation_histograms(model, X),
    "gradients": lambda model: plot.gradient_flow(model, X, Y),
    "confusion": lambda model: plot.confusion_matrix(model, X, Y),
    "calibration": lambda model: plot.calibration_curve(model, X, Y),
    "importance": lambda model: plot.permutation_importance(model, X, Y, repeats=1),
}


@pytest.fixture(scope="module")
def models(model):
    scaled = StandardScaler().fit_transform(X)
    more = {"mlpclassifier__eval_set": (scaled, Y)}
    pipeline = make_pipeline(StandardScaler(), MLPClassifier((4,), max_iter=3, random_state=0)).fit(
        X, Y, **more
    )
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [0.1]}, cv=2).fit(X, Y, **more)
    return {"estimator": model, "pipeline": pipeline, "search": search}


@pytest.mark.parametrize("kind", ["estimator", "pipeline", "search"])
@pytest.mark.parametrize("draw", OF_A_MODEL.values(), ids=OF_A_MODEL)
def test_every_plot_of_every_kind_of_model(draw, kind, models):
    ax = draw(models[kind])
    assert ax.get_title()
    ax.figure.canvas.draw()


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


@pytest.mark.parametrize("target", [Y, 2 * Y - 1, Y.astype(float)], ids=["0 and 1", "-1 and 1", "floats"])
@pytest.mark.parametrize("net", [one_logit(), one_logit(nn.Sigmoid())], ids=["logit", "probability"])
def test_the_boundary_of_one_output_is_where_the_classes_are_as_likely(net, target):
    ax = plot.decision_boundary(net, X, target, steps=20)
    (line,) = [c for c in ax.collections if list(getattr(c, "levels", [])) == [0.5]]
    points = line.get_paths()[0].vertices
    np.testing.assert_allclose(points.sum(axis=1), 1, atol=0.01)


def test_several_models_on_one_axes_have_colours_and_names_of_their_own():
    _, ax = plt.subplots()
    for label in ("adam", "sgd"):
        plot.loss_curve({"loss": [2.0, 1.0], "val_loss": [2.0, 1.5]}, ax=ax, label=label)
    curves = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"]
    assert len({line.get_color() for line in curves}) == len({line.get_label() for line in curves}) == 4
    assert "sgd val loss" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_live_curves():
    live = plot.LiveCurves(every=2)
    MLPClassifier(max_iter=5, callbacks=[live]).fit(X, Y, eval_set=(X, Y))
    assert len(live.series["loss"]) == len(live.series["val_loss"]) == 5
    assert len(live.figure.axes[0].lines[0].get_xdata()) == 4


@pytest.mark.parametrize(
    ("backend", "is_open"), [("module://matplotlib_inline.backend_inline", False), ("agg", True)]
)
def test_live_curves_are_not_shown_twice_in_a_notebook(backend, is_open, monkeypatch):
    """The inline backend shows every open figure once more at the end of a cell."""
    monkeypatch.setattr(plt, "get_backend", lambda: backend)
    live = plot.LiveCurves()
    live({"loss": 1.0})
    assert plt.fignum_exists(live.figure.number) == is_open
    plt.close("all")


BAD = {
    "unfitted": (
        lambda: plot.loss_curve(nn.Sequential(nn.Linear(1, 1))),
        "model (Sequential) has not been",
    ),
    "no scores": (lambda: plot.score_curve({"loss": [1.0]}), "there are no metrics"),
    "columns": (
        lambda: plot.decision_boundary(fitted_net(), np.ones((3, 3))),
        "X has shape (3, 3)",
    ),
    "shape": (lambda: plot.weights(nn.Sequential(nn.Linear(4, 1)), shape=(3, 3)), "the layer takes 4 inputs"),
    "no activation": (
        lambda: plot.activation_histograms(nn.Sequential(nn.Linear(2, 1)), X),
        "the network has no activation layer",
    ),
    "probability": (lambda: plot.calibration_curve([0, 1], [0.5, 1.5]), "outside [0, 1]"),
    "unfitted pipeline": (
        lambda: plot.loss_curve(make_pipeline(MLPClassifier())),
        "model (MLPClassifier) has not been",
    ),
    "unfitted estimator": (lambda: plot.weights(MLPClassifier()), "not fitted yet"),
    "not a model": (
        lambda: plot.weights(StandardScaler()),
        "is of type StandardScaler, it must",
    ),
    "no predict": (lambda: plot.confusion_matrix(nn, X, Y), "module has no predict"),
    "classes": (lambda: plot.decision_boundary(fitted_net(), X, Y + 1), "integers from 0 to 1"),
    "values": (lambda: plot.decision_boundary(fitted_net(), X, X[:, 0]), "the network has 2 outputs"),
    "labels": (
        lambda: plot.confusion_matrix(fitted_net(), X, np.array(list("abc"))[[*Y[1:], 2]]),
        "the network has 2 outputs, y has 3 labels",
    ),
    "layer": (lambda: plot.weights(fitted_net(), 2), "layer is 2, the network has 2 weight matrices"),
    "no loss": (lambda: plot.gradient_flow(fitted_net(), X, Y), "loss is None"),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
