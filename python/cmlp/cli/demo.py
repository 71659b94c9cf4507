"""`cmlp demo`: learn to read handwritten digits in a few seconds, and show how well."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray
from rich.text import Text

import cmlp
from cmlp import nn, optim
from cmlp.cli import pictures
from cmlp.cli.progress import progress
from cmlp.cli.store import check_model_name
from cmlp.cli.ui import OptionError, StoppedError, console, make_table, say
from cmlp.tabular.fitting import (
    NoModelError,
    Outcome,
    Plan,
    Rows,
    describe_end,
    fit_network,
    training_record,
)
from cmlp.tabular.scores import Scores, classification_scores, confusion_counts, probabilities

COUNT = click.IntRange(min=1)
MODEL, LOSS, CONFUSION, MISREAD = "model.safetensors", "loss_curve.png", "confusion.png", "misread.png"


class Digits(NamedTuple):
    """The three parts of scikit-learn's bundled digits: 64 pixels from 0 to 1, classes 0 to 9."""

    train: Rows
    validation: Rows
    test: Rows


@click.command(short_help="Learn to read handwritten digits.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("cmlp-demo"), help="Folder to write to.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the split and of all that is random.")
@click.option("--epochs", type=COUNT, default=60, help="Passes over the training digits, at most.")
@click.option("--threads", type=COUNT, help="CPU threads; they never change the result.  [default: all]")
def demo(out: Path, seed: int, epochs: int, threads: int | None) -> None:
    """Train on 8x8 pictures of handwritten digits and show how well it reads others.

    The 1797 digits come with scikit-learn, so nothing is downloaded. Writes the model and three pictures
    into the folder --out. The result depends on the seed alone, never on the number of threads.
    """
    if out.exists() and not out.is_dir():
        raise OptionError(f"{out} is a file; --out takes a folder")
    check_model_name(out)
    out.mkdir(parents=True, exist_ok=True)
    if threads is not None:
        cmlp.set_num_threads(threads)
    data = load_digits(seed)
    sizes = " + ".join(str(len(part[1])) for part in data)
    console().print(
        f"{sizes} digits to train, validate and test; 64 inputs -> 256 gelu -> 128 gelu -> 10 outputs"
    )
    net = build_network(seed)
    optimizer = optim.Adam(net.parameters(), lr=2e-3)
    plan = Plan(nn.CrossEntropyLoss(), optimizer, (), epochs, batch_size=32, patience=20, seed=seed)
    try:
        with progress(epochs) as observer:
            outcome = fit_network(net, data.train, data.validation, plan, observer=observer)
    except NoModelError as error:
        raise StoppedError(f"{error}; nothing was written") from error
    say(describe_end(outcome, plan.patience))
    shares = probabilities(net.predict(data.test[0]))
    scores = classification_scores(data.test[1], shares)
    record = {"data": "digits", "rows": len(data.train[1]), "test": scores}
    record |= training_record(outcome)
    cmlp.save(net, out / MODEL, metadata={"cmlp.training": json.dumps(record)})
    show_results(data.test, shares, outcome, scores, out)
    if outcome.interrupted:
        raise StoppedError("stopped by Ctrl-C; the best epoch so far is what you see above")


def build_network(seed: int) -> nn.Sequential:
    """The network that reads 64 pixels as one of 10 digits."""
    return nn.Sequential(
        nn.Linear(64, 256), nn.GELU(), nn.Dropout(0.3),
        nn.Linear(256, 128), nn.GELU(), nn.Dropout(0.3),
        nn.Linear(128, 10), seed=seed,
    )  # fmt: skip


def load_digits(seed: int) -> Digits:
    """Load the digits in three parts with the same share of each class: 64 %, 16 %, 20 %.

    Parameters
    ----------
    seed : int
        Draws the parts.

    Returns
    -------
    Digits
        Training, validation and test part: inputs float32 (rows, 64), classes int64 (rows,).
    """
    from sklearn.datasets import load_digits as bundled
    from sklearn.model_selection import train_test_split

    pixels, classes = bundled(return_X_y=True)
    x, y = (pixels / 16).astype(np.float32), classes.astype(np.int64)
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    x, x_valid, y, y_valid = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    return Digits(Rows(x, y), Rows(x_valid, y_valid), Rows(x_test, y_test))


def show_results(
    test: Rows, shares: NDArray[np.float64], outcome: Outcome, scores: Scores, out: Path
) -> None:
    """Print the accuracy, the confusion matrix and where the files are; write the pictures.

    Parameters
    ----------
    test : tuple of numpy.ndarray
        The test digits and their classes.
    shares : numpy.ndarray
        The probabilities the network gives, (rows, 10).
    outcome : Outcome
        The training.
    scores : dict
        On the test digits.
    out : pathlib.Path
        The folder.
    """
    images, true = test[0].reshape(-1, 8, 8), test[1]
    read = shares.argmax(axis=1)
    counts = confusion_counts(true, read, 10)
    console().print(_confusion_table(counts))
    right = int((read == true).sum())
    line = f"test accuracy {scores['accuracy']:.2%}: {right} of {len(true)} test digits"
    console().print(Text(f"{line}, after {outcome.seconds:.1f} s of training", style="bold green"))
    pictures.loss_curve(outcome.history, out / LOSS)
    pictures.confusion(counts, range(10), out / CONFUSION)
    pictures.misread(images, true, read, shares.max(axis=1), out / MISREAD)
    _say_what_next(out)


def _confusion_table(counts: NDArray[np.int64]) -> Any:
    rows = []
    for digit, row in enumerate(counts):
        cells = [Text("." if not n else str(n), style=_style(int(n), digit == k)) for k, n in enumerate(row)]
        rows.append([Text(str(digit), style="bold"), *cells])
    headers = ["is \\ read as", *map(str, range(10))]
    return make_table("What the test digits are, and are read as", headers, rows, "r" * 11)


def _style(count: int, hit: bool) -> str:
    return "green" if hit else "bold red" if count else "dim"


def _say_what_next(out: Path) -> None:
    say(f"written to {out}: {MODEL}, {LOSS}, {CONFUSION}, {MISREAD}")
    say("next:")
    say(f"  cmlp info {out / MODEL}")
    say("  cmlp train your_table.csv --target a_column")
