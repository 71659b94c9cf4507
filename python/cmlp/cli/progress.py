"""Progress of a training: a moving bar on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cmlp.cli.ui import notes, remark
from cmlp.tabular.fitting import Observer

SECONDS = 5.0  # between two lines


@contextmanager
def progress(epochs: int) -> Iterator[Observer]:
    """Show the epochs of a training.

    Parameters
    ----------
    epochs : int
        How many there are at most.

    Yields
    ------
    callable
        To call after each epoch with its number (from 1) and its values by name.
    """
    if not notes().is_terminal:
        yield _lines(epochs)
        return
    text = "{task.description}"
    columns = (TextColumn("epoch"), MofNCompleteColumn(), BarColumn(), TimeElapsedColumn(), TextColumn(text))
    with Progress(*columns, console=notes()) as bar:
        task = bar.add_task("", total=epochs)
        yield lambda epoch, values: bar.update(task, completed=epoch, description=_numbers(values))


def _lines(epochs: int) -> Observer:
    """Report the first epoch, each tenth of all, and one after five seconds without a line."""
    last, every = time.monotonic(), max(1, epochs // 10)

    def observe(epoch: int, values: dict[str, float]) -> None:
        nonlocal last
        now = time.monotonic()
        if epoch == 1 or epoch % every == 0 or now - last >= SECONDS:
            remark(f"epoch {epoch}/{epochs}  {_numbers(values)}")
            last = now

    return observe


def _numbers(values: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in values.items())
