"""The progress bar of a fit: tqdm's, shown in terminals and notebooks."""

from __future__ import annotations

import sys
from typing import Any

_SHOWN = ("loss", "accuracy", "val_loss", "val_accuracy")


class ProgressBar:
    """One bar over the epochs, with the latest values behind it."""

    def __init__(self, epochs: int, verbose: bool | str) -> None:
        if verbose not in (True, False, "auto"):
            raise ValueError(f"fit: verbose is {verbose!r}; choose from True, False, 'auto'")
        self.shown = _watched() if verbose == "auto" else bool(verbose)
        self._bar: Any = None
        if self.shown:
            from tqdm.auto import tqdm

            self._bar = tqdm(
                total=epochs, unit="epoch", leave=True, file=sys.stdout if _in_notebook() else sys.stderr
            )
        self._done = 0

    def epoch_end(self, values: dict[str, Any]) -> None:
        """Move on by one epoch."""
        if self._bar is None:
            return
        self._done += 1
        shown = {key: f"{values[key]:.4f}" for key in values if key in _SHOWN}
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update(self._done - self._bar.n)

    def poll(self, progress: dict[str, Any]) -> None:
        """Show how far the epoch is."""
        if self._bar is not None:
            self._bar.update(self._done + round((progress["step"] + 1) / progress["steps"], 2) - self._bar.n)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules


def _watched() -> bool:
    return _in_notebook() or bool(getattr(sys.stderr, "isatty", bool)())
