"""What to train and how: the recipe of a network for a table, and the presets."""

from dataclasses import dataclass

from cmlp import nn
from cmlp.nn.activations import Activation


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
        At most so many passes over the rows; rows a step, 0: by the number of rows.
    patience : int
        Epochs without improvement before it stops.
    seed : int
        Of the initial weights, the shuffles and the dropout.
    """

    hidden: tuple[int, ...] = (128, 128)
    activation: str = "relu"
    dropout: float = 0.2
    optimizer: str = "adam"
    lr: float = 3e-3
    epochs: int = 200
    batch_size: int = 0
    patience: int = 20
    seed: int = 0


TASKS = ("auto", "classification", "regression")
# Each preset: the changes to a recipe that are tried; the best by the validation rows is kept.
PRESETS: dict[str, tuple[dict[str, object], ...]] = {
    "fast": ({"hidden": (64,), "epochs": 60, "patience": 8},),
    "default": ({},),
    "best": (
        {},
        {"hidden": (256, 256), "dropout": 0.3, "lr": 1e-3},
        {"hidden": (64, 64), "dropout": 0.0, "lr": 1e-3},
        {"hidden": (256, 128, 64), "dropout": 0.1, "activation": "silu", "lr": 1e-3, "optimizer": "adamw"},
        {"hidden": (), "dropout": 0.0, "lr": 1e-2},
    ),
}


def batch_size_for(rows: int) -> int:
    """Rows a step by rows to train on: small sets need many steps, large ones few and fast ones."""
    limits = {1024: 32, 8192: 128, 32768: 256, 131072: 512}
    return next((size for limit, size in limits.items() if rows <= limit), 1024)


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
