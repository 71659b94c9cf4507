"""The progress of a fit: a bar in terminals and notebooks, lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TextIO

_SHOWN = ("loss", "accuracy", "val_loss", "val_accuracy")
_LINES = 20  # about as many lines of a long fit as go to a file in place of a bar


class Progress:
    """Shows nothing."""

    shown = False

    def epoch_end(self, values: Mapping[str, Any]) -> None:
        """Show the values of an epoch."""

    def poll(self, progress: Mapping[str, Any]) -> None:
        """Show how far the epoch is."""

    def close(self) -> None:
        """Leave it as it is."""


class ProgressBar(Progress):
    """One bar over the epochs, tqdm's, with the latest values behind it."""

    shown = True

    def __init__(self, epochs: int) -> None:
        from tqdm.auto import tqdm

        file = sys.stdout if in_notebook() else sys.stderr
        self._bar: Any = tqdm(total=epochs, unit="epoch", leave=True, file=file)
        self._done = 0

    def epoch_end(self, values: Mapping[str, Any]) -> None:
        """Move on by one epoch."""
        self._done += 1
        shown = {key: f"{values[key]:.4f}" for key in values if key in _SHOWN}
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update(self._done - self._bar.n)

    def poll(self, progress: Mapping[str, Any]) -> None:
        """Move on within the epoch."""
        self._bar.update(self._done + round((progress["step"] + 1) / progress["steps"], 2) - self._bar.n)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()


class ProgressLines(Progress):
    """A line with the values after every epoch, or every few epochs and the last."""

    shown = True

    def __init__(self, epochs: int, file: TextIO, every: int = 1) -> None:
        self._epochs, self._file, self._every = epochs, file, every
        self._done = 0

    def epoch_end(self, values: Mapping[str, Any]) -> None:
        """Print a line where one is due."""
        self._done += 1
        if self._done % self._every and self._done != self._epochs:
            return
        numbers = {name: value for name, value in values.items() if name not in ("epoch", "estimator")}
        text = "  ".join(f"{name} {value:.4g}" for name, value in numbers.items())
        print(f"epoch {self._done}/{self._epochs}  {text}", file=self._file, flush=True)


def progress_for(epochs: int, verbose: bool | int | str) -> Progress:
    """Return the progress that ``verbose`` selects.

    0 or False: none; "auto": a bar in a terminal or a notebook; 1 or True: a bar, about twenty lines where
    the output is a file; 2: a line an epoch.

    Raises
    ------
    ValueError
        For anything else.
    """
    if isinstance(verbose, str):
        if verbose != "auto":
            raise ValueError(f"fit: verbose is {verbose!r}; choose from True, False, 2, 'auto'")
        return ProgressBar(epochs) if is_interactive() else Progress()
    if verbose not in (0, 1, 2):
        raise ValueError(f"fit: verbose is {verbose!r}; choose from True, False, 2, 'auto'")
    if verbose == 2:
        return ProgressLines(epochs, sys.stdout)
    return bar_or_lines(epochs) if verbose else Progress()


def bar_or_lines(epochs: int) -> Progress:
    """Return a bar, or about twenty lines where the output is a file."""
    return ProgressBar(epochs) if is_interactive() else ProgressLines(epochs, sys.stderr, _step_of(epochs))


def _step_of(epochs: int) -> int:
    return max(1, epochs // _LINES)


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this."""
    return "ipykernel" in sys.modules


def is_interactive() -> bool:
    """Whether somebody sees the output as it comes."""
    return in_notebook() or bool(getattr(sys.stderr, "isatty", bool)())
