"""Training with a progress bar, shared by `cmlp demo` and `cmlp train`; Ctrl-C keeps the best epoch."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cmlp import EarlyStopping, NonFiniteError, nn, optim
from cmlp.cli.ui import CommandError, StoppedError, notes
from cmlp.nn.activations import Activation

Data = tuple[NDArray[Any], NDArray[Any]]
Tell = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Recipe:
    """What to train and how.

    Parameters
    ----------
    hidden : tuple of int
        Widths of the hidden layers; none makes a linear model.
    activation, optimizer : str
        Names from the library's lists.
    dropout : float
        Share of hidden values set to zero while training.
    lr : float
        Learning rate.
    epochs, batch_size : int
        At most so many passes over the rows; rows a step.
    patience : int
        Epochs without a better validation loss before it stops.
    seed : int
        Of the initial weights, the shuffles and the dropout.
    """

    hidden: tuple[int, ...]
    activation: str
    dropout: float
    optimizer: str
    lr: float
    epochs: int
    batch_size: int
    patience: int
    seed: int


@dataclass(frozen=True)
class Outcome:
    """How a training went.

    Parameters
    ----------
    history : dict of list
        One value an epoch, by name.
    best_epoch : int
        The epoch whose weights the network now has, counted from 1.
    seconds : float
        Time in training.
    interrupted : bool
        Whether Ctrl-C stopped it.
    """

    history: dict[str, list[float]]
    best_epoch: int
    seconds: float
    interrupted: bool


class Watch:
    """Follows a training: moves the progress bar and keeps the weights of the best epoch.

    Parameters
    ----------
    net : cmlp.nn.Sequential
        The network in training.
    tell : callable
        Gets the epoch (from 1) and its numbers by name.
    """

    def __init__(self, net: nn.Sequential, tell: Tell) -> None:
        self._net = net
        self._tell = tell
        self.best_epoch = 0
        self._best_loss = float("inf")
        self._best: dict[str, NDArray[Any]] = {}

    def epoch_end(self, values: dict[str, Any]) -> None:
        """Take note of an epoch."""
        epoch, loss = values["epoch"] + 1, values.get("val_loss", values["loss"])
        if loss < self._best_loss:
            self.best_epoch, self._best_loss = epoch, loss
            self._best = self._net.state_dict()
        self._tell(epoch, {name: values[name] for name in values if name.endswith(("loss", "accuracy"))})

    def restore(self) -> None:
        """Give the network the weights of the best epoch."""
        self._net.load_state_dict(self._best)


def build_network(inputs: int, outputs: int, recipe: Recipe) -> nn.Sequential:
    """Build the network of a recipe: hidden layers with activation and dropout, then a linear layer."""
    layers: list[nn.Module] = []
    for width in recipe.hidden:
        layers += [nn.Linear(inputs, width), Activation(recipe.activation)]
        layers += [nn.Dropout(recipe.dropout)] if recipe.dropout else []
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs), seed=recipe.seed)


def describe_network(inputs: int, outputs: int, recipe: Recipe) -> str:
    """One line on a recipe's network: widths and activation."""
    widths = [f"{width} {recipe.activation}" for width in recipe.hidden]
    return " -> ".join([f"{inputs} inputs", *widths, f"{outputs} output{'s' * (outputs > 1)}"])


def fit(net: nn.Sequential, train: Data, validation: Data | None, recipe: Recipe, loss: str) -> Outcome:
    """Train with progress shown; the network ends with the weights of its best epoch.

    The best epoch is the one with the lowest validation loss, or training loss when there is no validation
    part. Ctrl-C ends the training early and keeps that epoch too.

    Parameters
    ----------
    net : cmlp.nn.Sequential
        The network.
    train, validation : tuple of numpy.ndarray
        Inputs and targets.
    recipe : Recipe
        How to train.
    loss : str
        Name of the loss.

    Returns
    -------
    Outcome
        How it went.

    Raises
    ------
    CommandError
        If the loss is no longer finite, or Ctrl-C came before the first epoch was over.
    """
    start, interrupted = time.perf_counter(), False
    with _progress(recipe.epochs) as tell:
        watch = Watch(net, tell)
        try:
            _fit(net, train, validation, recipe, loss, watch)
        except KeyboardInterrupt:
            interrupted = True
        except NonFiniteError as error:
            raise CommandError(f"{error}; try a smaller --lr") from error
    seconds = time.perf_counter() - start
    if not watch.best_epoch or net.history is None:
        raise StoppedError("stopped before the first epoch was over; nothing was written")
    watch.restore()
    return Outcome(net.history.history, watch.best_epoch, seconds, interrupted)


def _fit(
    net: nn.Sequential, train: Data, validation: Data | None, recipe: Recipe, loss: str, watch: Watch
) -> None:
    net.fit(
        *train,
        loss=loss,
        optimizer=optim.Optimizer(net.parameters(), recipe.optimizer, lr=recipe.lr),
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        validation_data=validation,
        early_stopping=EarlyStopping(patience=recipe.patience, restore_best=False) if validation else None,
        metrics=["accuracy"] if loss == "cross_entropy" else [],
        callbacks=[watch.epoch_end],
        verbose=False,
        seed=recipe.seed,
    )


def ending(outcome: Outcome, recipe: Recipe) -> str:
    """Say in a line how long a training took and why it ended."""
    epochs = len(outcome.history["loss"])
    why = "all epochs done" if epochs == recipe.epochs else f"no better for {recipe.patience} epochs"
    why = "stopped by Ctrl-C" if outcome.interrupted else why
    return f"trained {epochs} epochs in {outcome.seconds:.1f} s ({why}); kept epoch {outcome.best_epoch}"


def training_record(outcome: Outcome, recipe: Recipe) -> dict[str, Any]:
    """What a model file keeps of a training, as JSON types."""
    history = outcome.history
    losses = history.get("val_loss", history["loss"])
    return {
        "epochs": len(losses),
        "best_epoch": outcome.best_epoch,
        "best_loss": losses[outcome.best_epoch - 1],
        "loss_on": "validation" if "val_loss" in history else "training",
        "seconds": round(outcome.seconds, 3),
        "interrupted": outcome.interrupted,
        "recipe": asdict(recipe),
    }


@contextmanager
def _progress(epochs: int) -> Iterator[Tell]:
    """Show a moving bar on a terminal, about ten lines elsewhere."""
    console = notes()
    if not console.is_terminal:
        every = max(1, epochs // 10)
        yield lambda epoch, logs: _line(epoch, epochs, logs) if epoch % every == 0 else None
        return
    text = "{task.description}"
    columns = (TextColumn("epoch"), MofNCompleteColumn(), BarColumn(), TimeElapsedColumn(), TextColumn(text))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=epochs)
        yield lambda epoch, logs: progress.update(task, completed=epoch, description=_numbers(logs))


def _line(epoch: int, epochs: int, logs: dict[str, float]) -> None:
    notes().print(f"epoch {epoch}/{epochs}  {_numbers(logs)}", markup=False)


def _numbers(logs: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in logs.items())
