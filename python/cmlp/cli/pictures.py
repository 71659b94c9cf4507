"""The three pictures of `cmlp demo`: the loss curve, the confusion matrix, the misread digits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmlp import plot


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

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = plot.loss_curve(history, ax=figure.subplots())
    axes.set_ylabel("cross-entropy (log scale)")
    figure.savefig(path, dpi=130)


def confusion(counts: NDArray[np.int64], labels: Sequence[Any], path: Path) -> None:
    """Draw a confusion matrix.

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
    from sklearn.metrics import ConfusionMatrixDisplay

    figure = Figure(figsize=(6, 5.6), layout="constrained")
    axes = figure.subplots()
    ConfusionMatrixDisplay(counts, display_labels=labels).plot(ax=axes, cmap="Blues", colorbar=False)
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
