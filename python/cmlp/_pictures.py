"""The three pictures of `cmlp demo`: the loss curve, the confusion matrix, the misread digits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TRAIN, VALIDATION, BEST = "#1f77b4", "#d95f02", "#555555"


def loss_curve(history: dict[str, list[float]], path: Path) -> None:
    """Draw training and validation loss over the epochs, and the epoch that was kept.

    Parameters
    ----------
    history : dict of list
        ``loss`` and, where there is one, ``val_loss``: one value an epoch.
    path : pathlib.Path
        The PNG to write.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    epochs = np.arange(1, len(history["loss"]) + 1)
    axes.plot(epochs, history["loss"], color=TRAIN, label="training (with dropout)")
    validation = history.get("val_loss", [])
    if validation:
        best = int(np.argmin(validation))
        axes.plot(epochs, validation, color=VALIDATION, label="validation")
        axes.plot(best + 1, validation[best], "o", color=VALIDATION, markersize=7)
        axes.axvline(best + 1, color=BEST, linestyle=":", label=f"kept: epoch {best + 1}")
    axes.set(xlabel="epoch", ylabel="cross-entropy (log scale)", yscale="log", title="Loss while training")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=130)


def confusion(counts: NDArray[np.int64], labels: Sequence[Any], path: Path) -> None:
    """Draw a confusion matrix: hits along the diagonal in blue, mistakes in orange.

    Parameters
    ----------
    counts : numpy.ndarray
        (classes, classes): rows are true, columns are predicted.
    labels : sequence
        What to call the classes.
    path : pathlib.Path
        The PNG to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5.6), layout="constrained")
    axes = figure.subplots()
    hits = np.eye(len(counts), dtype=bool)
    axes.imshow(np.where(hits, counts, np.nan), cmap="Blues", vmin=0, vmax=1.4 * max(counts.max(), 1))
    mistakes = np.where(hits | (counts == 0), np.nan, counts)
    axes.imshow(mistakes, cmap="Oranges", vmin=-1, vmax=2 * max(3, counts[~hits].max()))
    for row, column in zip(*np.nonzero(counts), strict=True):
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=10)
    axes.set_xticks(range(len(labels)), [str(label) for label in labels])
    axes.set_yticks(range(len(labels)), [str(label) for label in labels])
    right, total = int(np.trace(counts)), int(counts.sum())
    axes.set(xlabel="read as", ylabel="is", title=f"{right} of {total} test digits read right")
    figure.savefig(path, dpi=130)


def misread(
    images: NDArray[Any],
    true: NDArray[np.int64],
    predicted: NDArray[np.int64],
    probabilities: NDArray[Any],
    path: Path,
) -> None:
    """Draw the misread digits, surest mistakes first; when there are none, the least certain digits.

    Parameters
    ----------
    images : numpy.ndarray
        (n, 8, 8), the larger the darker.
    true, predicted : numpy.ndarray
        Classes (n,).
    probabilities : numpy.ndarray
        (n,): that of the predicted class.
    path : pathlib.Path
        The PNG to write.
    """
    from matplotlib.figure import Figure

    wrong = np.flatnonzero(true != predicted)
    shown = wrong[np.argsort(-probabilities[wrong])] if len(wrong) else np.argsort(probabilities)[:12]
    shown = shown[:24]
    columns = min(6, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(1.7 * max(columns, 4), 2.1 * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, k in zip(grid.flat, shown, strict=False):
        axes.imshow(images[k], cmap="gray_r")
        axes.set_title(f"a {true[k]}, read as {predicted[k]}\n{probabilities[k]:.0%} sure", fontsize=10)
    rest = f" (the surest {len(shown)})" if len(wrong) > len(shown) else ""
    none = f"All {len(true)} test digits are read right; the least certain"
    figure.suptitle(f"{len(wrong)} of {len(true)} test digits misread{rest}" if len(wrong) else none)
    figure.savefig(path, dpi=130)
