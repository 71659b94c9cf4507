"""Predictions of a model: decision boundaries, confusion matrices, calibration, the importance of columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cmlp.plot._axes import HELD_OUT, QUIET, TRAIN, axes_of
from cmlp.plot._models import estimator_of, last_step

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def decision_boundary(
    model: Any, X: npt.ArrayLike, y: npt.ArrayLike | None = None, *, steps: int = 200, ax: Axes | None = None
) -> Axes:
    """Draw what a model of two features predicts over the plane, with the rows on it.

    Parameters
    ----------
    model : fitted classifier, regressor, Pipeline or network
        Classes are shaded by ``predict_proba`` where there is one; values are contours. Several outputs of a
        network are logits of classes; one output is the logit of the second class where `y` has two classes
        (0 and 1, -1 and 1, text), and a value otherwise. A network that ends in Softmax, LogSoftmax or
        Sigmoid has probabilities.
    X : array or frame (rows, 2)
    y : array (rows,), optional
        Colours of the rows.
    steps : int, default 200
        Points of the grid along each side.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        Unless X has two columns.

    Examples
    --------
    >>> from cmlp import MLPClassifier, plot
    >>> from sklearn.datasets import make_moons
    >>> X, y = make_moons(60, random_state=0)
    >>> model = MLPClassifier((8,), solver="lbfgs", random_state=0).fit(X, y)
    >>> plot.decision_boundary(model, X, y, steps=30).get_title()
    'Decision boundary of MLPClassifier'
    """
    rows: Any = X if hasattr(X, "columns") else np.asarray(X, float)
    if rows.ndim != 2 or rows.shape[1] != 2:
        raise ValueError(f"decision_boundary: X has shape {rows.shape}, it must have two columns")
    if y is not None and np.shape(y)[:1] != (len(rows),):
        raise ValueError(
            f"decision_boundary: y has shape {np.shape(y)}, it must have one value for each row of X"
        )
    shown = estimator_of(model, rows, y, "decision_boundary")
    from sklearn.inspection import DecisionBoundaryDisplay

    classes = getattr(shown, "classes_", None)
    ax = axes_of(ax, (5.6, 4.8))
    margin = 0.08 * float(np.ptp(np.asarray(rows, float), axis=0).min())
    more = {
        "grid_resolution": steps,
        "eps": margin,
        "ax": ax,
        "plot_method": "contourf",
        **_style(shown, classes),
    }
    display = DecisionBoundaryDisplay.from_estimator(shown, rows, **more)
    if classes is None:
        ax.figure.colorbar(display.surface_, ax=ax)
    elif len(classes) == 2:
        ax.contour(display.xx0, display.xx1, display.response, levels=[0.5], colors="k", linewidths=1)
    _scatter(ax, np.asarray(rows), y, classes)
    names = getattr(rows, "columns", ("first feature", "second feature"))
    what = "Predicted values" if classes is None else "Decision boundary"
    ax.set(xlabel=names[0], ylabel=names[1], title=f"{what} of {type(last_step(model)).__name__}")
    return ax


def _style(model: Any, classes: Any) -> dict[str, Any]:
    """Return the options of scikit-learn's display for values, two classes, or more."""
    if classes is None:
        return {"response_method": "predict", "levels": 20, "cmap": "viridis"}
    method = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    if len(classes) > 2:
        return {"response_method": method, "multiclass_colors": _colors(len(classes)), "alpha": 0.6}
    from matplotlib.colors import LinearSegmentedColormap

    between = LinearSegmentedColormap.from_list("two classes", [TRAIN, "white", HELD_OUT])
    return {"response_method": method, "levels": np.linspace(0, 1, 21), "cmap": between, "alpha": 0.6}


def _colors(count: int) -> list[Any]:
    from matplotlib import colormaps

    return [TRAIN, HELD_OUT] if count == 2 else [colormaps["tab10"](at % 10) for at in range(count)]


def _scatter(ax: Axes, x: npt.NDArray[Any], y: Any, classes: Any) -> None:
    more: dict[str, Any] = {"s": 14, "edgecolor": "white", "linewidth": 0.4}
    if y is None:
        ax.scatter(x[:, 0], x[:, 1], color=QUIET, **more)
    elif classes is None:
        values = np.asarray(y, float).ravel()
        ax.scatter(x[:, 0], x[:, 1], c=values, cmap="viridis", **more)
    else:
        for label, color in zip(classes, _colors(len(classes)), strict=True):
            rows = x[np.asarray(y).ravel() == label]
            ax.scatter(rows[:, 0], rows[:, 1], color=color, label=str(label), **more)
        ax.legend(title="class")


def confusion_matrix(
    model: Any,
    X: npt.ArrayLike,
    y: npt.ArrayLike | None = None,
    *,
    labels: Sequence[Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how often each class is predicted as each.

    Parameters
    ----------
    model : fitted classifier, Pipeline or network
    X : array or frame (rows, features)
    y : array (rows,)
        The true classes. Without it, the first two arguments are the true and the predicted classes.
    labels : sequence, optional
        The classes in order; all that occur by default.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from cmlp import plot
    >>> plot.confusion_matrix(["ash", "elm", "elm"], ["ash", "elm", "ash"]).get_title()
    '2 of 3 rows are right'
    """
    true, predicted = (
        (model, X) if y is None else (y, estimator_of(model, X, y, "confusion_matrix").predict(X))
    )
    from sklearn.metrics import ConfusionMatrixDisplay

    style = {"cmap": "Blues", "colorbar": False, "labels": labels}
    ax = axes_of(ax, (6, 5.6))
    counts = ConfusionMatrixDisplay.from_predictions(true, predicted, ax=ax, **style).confusion_matrix
    ax.set_title(f"{int(np.trace(counts))} of {int(counts.sum())} rows are right")
    return ax


def calibration_curve(
    model: Any,
    X: npt.ArrayLike,
    y: npt.ArrayLike | None = None,
    *,
    bins: int = 10,
    ax: Axes | None = None,
) -> Axes:
    """Draw how often the second of two classes occurs against its predicted probability.

    Parameters
    ----------
    model : fitted classifier of two classes, Pipeline or network
    X : array or frame (rows, features)
    y : array (rows,)
        The true classes. Without it, the first two arguments are the true classes and the predicted
        probabilities of the second one.
    bins : int, default 10
        Of equal width; a point for each that has rows.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from cmlp import plot
    >>> plot.calibration_curve([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3]).get_title()
    'Calibration'
    """
    from sklearn.calibration import CalibrationDisplay

    ax = axes_of(ax, (5.2, 4.8))
    if y is None:
        display = CalibrationDisplay.from_predictions(model, X, n_bins=bins, ax=ax, name="model")
    else:
        shown, name = estimator_of(model, X, y, "calibration_curve"), type(last_step(model)).__name__
        display = CalibrationDisplay.from_estimator(shown, X, y, n_bins=bins, ax=ax, name=name)
    counts, edges = np.histogram(display.y_prob, bins=bins, range=(0, 1))
    share, width = counts / counts.sum(), 0.9 / bins
    ax.bar((edges[:-1] + edges[1:]) / 2, share, width, color=QUIET, alpha=0.25, label="share of the rows")
    ax.set(title="Calibration")
    ax.legend(loc="upper left")
    return ax


def permutation_importance(
    model: Any,
    X: Any = None,
    y: npt.ArrayLike | None = None,
    *,
    names: Sequence[str] | None = None,
    most: int = 20,
    repeats: int = 5,
    random_state: int | None = 0,
    ax: Axes | None = None,
) -> Axes:
    """Draw what the score loses when a column is shuffled.

    Parameters
    ----------
    model : fitted estimator, Pipeline or network
        Or the result of :func:`sklearn.inspection.permutation_importance`, without X and y.
    X : array or frame (rows, features)
    y : array (rows,)
    names : sequence of str, optional
        Of the columns; those of a frame by default.
    most : int, default 20
        Columns to show, the most important first.
    repeats : int, default 5
        Shuffles of each column.
    random_state : int or None, default 0
        Of the shuffles.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from cmlp import MLPClassifier, plot
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((8,), solver="lbfgs", random_state=0, max_iter=50, tol=1).fit(X, y)
    >>> plot.permutation_importance(model, X, y).get_title()
    'Permutation importance'
    """
    if y is None and not hasattr(model, "importances_mean"):
        raise ValueError(
            "permutation_importance: y is None; give X and y, or a result of scikit-learn's function"
        )
    if y is None:
        result, names = model, X if names is None else names
    else:
        from sklearn import inspection

        shown = estimator_of(model, X, y, "permutation_importance")
        result = inspection.permutation_importance(shown, X, y, n_repeats=repeats, random_state=random_state)
        names = list(X.columns) if names is None and hasattr(X, "columns") else names
    return _bars(result, names, most, ax)


def _bars(result: Any, names: Any, most: int, ax: Axes | None) -> Axes:
    mean, spread = np.asarray(result.importances_mean), np.asarray(result.importances_std)
    shown = np.argsort(mean)[::-1][:most][::-1]
    if names is not None and len(names) != len(mean):
        raise ValueError(f"permutation_importance: names has {len(names)} names, X has {len(mean)} columns")
    labels = [str(at) if names is None else str(names[at]) for at in shown]
    ax = axes_of(ax, (6.4, 0.8 + 0.28 * len(shown)))
    ax.barh(range(len(shown)), mean[shown], xerr=spread[shown], color=TRAIN, ecolor=QUIET)
    ax.set_yticks(range(len(shown)), labels)
    ax.axvline(0, color=QUIET, linewidth=0.8)
    ax.set(xlabel="loss of score when shuffled", title="Permutation importance")
    return ax
