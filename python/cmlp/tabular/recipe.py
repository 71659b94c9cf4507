"""What to train and how: the recipe of a network for a table, and the presets."""

from dataclasses import dataclass, field, replace
from typing import Any

TASKS = ("auto", "classification", "regression")


@dataclass(frozen=True)
class Recipe:
    """What to train and how.

    Parameters
    ----------
    hidden : tuple of int
        Widths of the hidden layers; none makes a linear model.
    activation, optimizer : str
        Names from the library's lists. Only ``adamw`` has the schedules and factors of RealMLP.
    dropout : float
        Share of hidden values set to zero while training.
    label_smoothing : float
        Share of a class label that is spread over all classes.
    periodic : bool
        Whether numbers are embedded by cosines, see `cmlp.nn.PeriodicEmbedding`.
    sigma : float
        Standard deviation of the embedding's frequencies at first.
    lr : float or None
        Learning rate; None: the optimizer's own.
    weight_decay : float
        Of ``adamw``.
    epochs : int
        Passes over the rows; 0: so many that there are about `steps` updates ...
    steps, least_epochs, most_epochs : int
        ... within these limits.
    batch_size : int
        Rows a step; 0: by the number of rows.
    patience : int
        Epochs without improvement before it stops; 0: never.
    seed : int
        Of the initial weights, the shuffles and the dropout.
    """

    hidden: tuple[int, ...] = (128, 128, 128)
    activation: str = "selu"
    dropout: float = 0.15
    label_smoothing: float = 0.03
    periodic: bool = True
    sigma: float = 0.1
    optimizer: str = "adamw"
    lr: float | None = 0.04
    weight_decay: float = 0.02
    epochs: int = 0
    steps: int = 3000
    least_epochs: int = 48
    most_epochs: int = 256
    batch_size: int = 0
    patience: int = 0
    seed: int = 0

    def sized(self, rows: int) -> "Recipe":
        """With the batch size and the epochs for so many training rows."""
        size = min(self.batch_size or batch_size_for(rows), rows)
        wanted = round(self.steps * size / rows)
        epochs = self.epochs or min(max(wanted, self.least_epochs), self.most_epochs)
        return replace(self, batch_size=size, epochs=epochs)


@dataclass(frozen=True)
class Preset:
    """How much is tried.

    Parameters
    ----------
    members : int
        Networks of each recipe, each with other rows held out.
    changes : tuple of dict
        What each recipe differs in from the task's own.
    """

    members: int
    changes: tuple[dict[str, Any], ...] = field(default=({},))


# The recipes of RealMLP (Holzmueller, Grinsztajn and Steinwart, arXiv:2407.04491) by task ...
TASK_RECIPES = {
    "classification": Recipe(activation="selu", lr=0.04),
    "regression": Recipe(activation="mish", lr=0.2),
}
# ... and what differs for sparse features, such as the words of texts: a plain network.
SPARSE: dict[str, Any] = {
    "hidden": (128, 128),
    "activation": "relu",
    "dropout": 0.2,
    "optimizer": "adam",
    "lr": 3e-3,
    "epochs": 60,
    "patience": 8,
}
PRESETS = {
    "fast": Preset(1, ({"steps": 1500, "least_epochs": 24, "most_epochs": 128},)),
    "default": Preset(3),
    "best": Preset(8, ({}, {"sigma": 0.5}, {"periodic": False})),
}


def batch_size_for(rows: int) -> int:
    """Rows a step by rows to train on: small sets have several steps an epoch, large ones large steps."""
    limits = {1024: max(rows // 4, 32), 32768: 256, 131072: 512}
    return next((size for limit, size in limits.items() if rows <= limit), 1024)
