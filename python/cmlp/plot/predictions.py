"""What a model answers: boundaries, confusions, calibration, what it goes by."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp.plot._axes import HELD_OUT, QUIET, TRAIN, axes_of


def decision_boundary(model: Any, X: Any, y: Any = None, *, steps: int = 200, ax: Any = None) -> Any:
    """Draw what a model of two features predicts over the plane, with the rows on it.

    Parameters
    ----------
    model : classifier or regressor with ``predict``
        Classifiers by class, shaded by ``predict_proba`` where there is one; regressors by value.
    X : array (rows, 2)
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
    """
    names = list(getattr(X, "columns", ["first feature", "second feature"]))
    X = np.asarray(X, float)
    if X.ndim != 2 or X.shape[1] != 2:
        raise ValueError(f"decision_boundary: X has shape {X.shape}, it must have two columns")
    ax = axes_of(ax, (5.6, 4.8))
    margin = 0.08 * np.ptp(X, axis=0)
    (left, bottom), (right, top) = X.min(axis=0) - margin, X.max(axis=0) + margin
    across, up = np.meshgrid(np.linspace(left, right, steps), np.linspace(bottom, top, steps))
    points = np.stack([across.ravel(), up.ravel()], axis=1)
    classes = getattr(model, "classes_", None)
    if classes is None:
        drawn = ax.contourf(across, up, model.predict(points).reshape(across.shape), 20, cmap="viridis")
        ax.figure.colorbar(drawn, ax=ax)
    else:
        ax.imshow(
            _shaded(model, points, classes).reshape(*across.shape, 3),
            extent=(left, right, bottom, top),
            origin="lower",
            aspect="auto",
            interpolation="bilinear",
        )
    _scatter(ax, X, y, classes)
    ax.set(xlabel=names[0], ylabel=names[1], title=f"Boundary of {type(model).__name__}")
    return ax


def _colors(count: int) -> npt.NDArray[Any]:
    from matplotlib import colormaps

    return np.array([colormaps["tab10"](at % 10)[:3] for at in range(count)])


def _shaded(model: Any, points: npt.NDArray[Any], classes: Any) -> npt.NDArray[Any]:
    """Return a colour a point: paler where the model is less sure."""
    if hasattr(model, "predict_proba"):
        share = model.predict_proba(points)
    else:
        share = (model.predict(points)[:, None] == np.asarray(classes)).astype(float)
    mixed: npt.NDArray[Any] = 0.45 + 0.55 * (share @ _colors(share.shape[1]))
    return mixed


def _scatter(ax: Any, x: npt.NDArray[Any], y: Any, classes: Any) -> None:
    if y is None:
        ax.scatter(*x.T, s=12, color=QUIET, edgecolor="white", linewidth=0.4)
    elif classes is None:
        ax.scatter(*x.T, s=14, c=np.asarray(y, float), cmap="viridis", edgecolor="white", linewidth=0.4)
    else:
        for label, color in zip(classes, _colors(len(classes)), strict=True):
            rows = x[np.asarray(y) == label]
            ax.scatter(*rows.T, s=14, color=color, edgecolor="white", linewidth=0.4, label=str(label))
        ax.legend(title="class")


def confusion_matrix(true: Any, predicted: Any, *, labels: Any = None, ax: Any = None) -> Any:
    """Draw how often each class is predicted as each: hits in blue, mistakes in orange.

    Parameters
    ----------
    true, predicted : array (rows,)
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
    '2 of 3 rows right'
    """
    true, predicted = np.asarray(true), np.asarray(predicted)
    names = np.unique(np.concatenate([true, predicted])) if labels is None else np.asarray(labels)
    counts = np.array([[int(((true == a) & (predicted == b)).sum()) for b in names] for a in names])
    return draw_confusion(counts, names, axes_of(ax, (6, 5.6)))


def draw_confusion(counts: npt.NDArray[Any], names: Any, ax: Any) -> Any:
    """Draw a matrix of counts: rows are true, columns are predicted."""
    hits = np.eye(len(counts), dtype=bool)
    ax.imshow(np.where(hits, counts, np.nan), cmap="Blues", vmin=0, vmax=1.4 * max(counts.max(), 1))
    mistakes = np.where(hits | (counts == 0), np.nan, counts)
    ax.imshow(mistakes, cmap="Oranges", vmin=-1, vmax=2 * max(3, counts[~hits].max(initial=0)))
    for row, column in zip(*np.nonzero(counts), strict=True):
        ax.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=10)
    ax.set_xticks(range(len(names)), [str(name) for name in names])
    ax.set_yticks(range(len(names)), [str(name) for name in names])
    right = f"{int(np.trace(counts))} of {int(counts.sum())} rows right"
    ax.set(xlabel="predicted", ylabel="true", title=right)
    return ax


def calibration_curve(true: Any, probability: Any, *, bins: int = 10, ax: Any = None) -> Any:
    """Draw how often a class occurs against how probable it was said to be.

    Parameters
    ----------
    true : array (rows,)
        Whether the class is there.
    probability : array (rows,)
        What the model said: ``predict_proba(X)[:, 1]``.
    bins : int, default 10
        Of equal width; a point for each that has rows.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> from cmlp import plot
    >>> plot.calibration_curve([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3]).get_xlabel()
    'probability said'
    """
    true, probability = np.asarray(true, float), np.asarray(probability, float)
    if true.shape != probability.shape or ((probability < 0) | (probability > 1)).any():
        raise ValueError("calibration_curve: true and probability must be as long, probability in [0, 1]")
    ax = axes_of(ax, (5.2, 4.8))
    which = np.minimum((probability * bins).astype(int), bins - 1)
    filled = np.flatnonzero(np.bincount(which, minlength=bins))
    said = [probability[which == at].mean() for at in filled]
    met = [true[which == at].mean() for at in filled]
    ax.plot([0, 1], [0, 1], ":", color=QUIET, label="as it should be")
    ax.plot(said, met, "o-", color=TRAIN, label="this model")
    shares = [float((which == at).mean()) for at in filled]
    ax.bar((filled + 0.5) / bins, shares, 0.9 / bins, color=HELD_OUT, alpha=0.25, label="share of the rows")
    ax.set(xlabel="probability said", ylabel="share that came", xlim=(0, 1), ylim=(0, 1), title="Calibration")
    ax.legend()
    return ax


def permutation_importance(result: Any, names: Any = None, *, most: int = 20, ax: Any = None) -> Any:
    """Draw what the score loses when a column is shuffled.

    Parameters
    ----------
    result : Bunch of ``sklearn.inspection.permutation_importance``
    names : sequence of str, optional
        Of the columns.
    most : int, default 20
        Columns to show, the most important first.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    mean, spread = np.asarray(result.importances_mean), np.asarray(result.importances_std)
    shown = np.argsort(mean)[::-1][:most][::-1]
    labels = [str(at) if names is None else str(names[at]) for at in shown]
    ax = axes_of(ax, (6.4, 0.8 + 0.28 * len(shown)))
    ax.barh(range(len(shown)), mean[shown], xerr=spread[shown], color=TRAIN, ecolor=QUIET)
    ax.set_yticks(range(len(shown)), labels)
    ax.axvline(0, color=QUIET, linewidth=0.8)
    ax.set(xlabel="loss of score when shuffled", title="Permutation importance")
    return ax
