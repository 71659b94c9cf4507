"""The network of a recipe, and how it is updated."""

from dataclasses import dataclass, replace
from typing import Any

from cmlp import nn, optim
from cmlp.nn.activations import Activation
from cmlp.optim import lr_scheduler
from cmlp.tabular.recipe import Recipe

# Factors of learning rate and weight decay by layer and parameter of RealMLP (Holzmueller, Grinsztajn and
# Steinwart, arXiv:2407.04491). Biases do not decay.
FACTORS = {
    "PeriodicEmbedding.*": {"lr": 0.1, "weight_decay": 0.1},
    "Scale.*": {"lr": 6.0, "weight_decay": 6.0},
    "ParametricActivation.*": {"lr": 0.1, "weight_decay": 0.1},
    "Linear.bias": {"lr": 0.1, "weight_decay": 0.0},
}


@dataclass(frozen=True)
class Inputs:
    """What comes into a network.

    Parameters
    ----------
    features : int
        Columns.
    continuous : tuple of int
        Those that are numbers rather than 0/1.
    sparse : bool
        Whether they are a sparse matrix.
    """

    features: int
    continuous: tuple[int, ...] = ()
    sparse: bool = False


def build_network(inputs: Inputs, outputs: int, recipe: Recipe) -> nn.Sequential:
    """Build the network of a recipe: embedded and scaled inputs, hidden layers, a linear layer."""
    layers: list[nn.Module] = []
    width, realmlp = inputs.features, _is_realmlp(inputs, recipe)
    if _embeds(inputs, recipe):
        embedding = nn.PeriodicEmbedding(width, sigma=recipe.sigma, columns=inputs.continuous)
        width += len(inputs.continuous) * (embedding.embedding_dim - 1)
        layers.append(embedding)
    if realmlp:
        layers.append(nn.Scale(width))
    for units in recipe.hidden:
        activation = Activation(recipe.activation)
        layers += [
            nn.Linear(width, units),
            nn.ParametricActivation(activation, units) if realmlp else activation,
        ]
        layers += [nn.Dropout(recipe.dropout)] if recipe.dropout else []
        width = units
    return nn.Sequential(*layers, nn.Linear(width, outputs), seed=recipe.seed)


def initialize(net: nn.Sequential, x: Any, inputs: Inputs, recipe: Recipe) -> None:
    """Draw the weights from the training rows, where the recipe is RealMLP's."""
    if _is_realmlp(inputs, recipe):
        nn.init.data_driven_(net, x, seed=recipe.seed)


def make_optimizer(net: nn.Sequential, inputs: Inputs, recipe: Recipe) -> Any:
    """The recipe's optimizer over a network."""
    rates = {} if recipe.lr is None else {"lr": recipe.lr}
    if not _is_realmlp(inputs, recipe):
        return optim.Optimizer(net.parameters(), recipe.optimizer, **rates)
    # Adam's steps do not depend on the gradient's scale: rates by 1 / sqrt(in) are what the NTK form has.
    roots = {
        f"{k}.weight": {"lr": layer.in_features**-0.5, "weight_decay": layer.in_features**0.5}
        for k, layer in enumerate(net)
        if isinstance(layer, nn.Linear)
    }
    present = {type(layer).__name__ for layer in net}
    factors = {name: factor for name, factor in FACTORS.items() if name.split(".")[0] in present}
    groups = optim.param_groups(
        net, factors | roots, **{"lr": 0.04, **rates}, weight_decay=recipe.weight_decay
    )
    return optim.AdamW(groups, betas=(0.9, 0.95))


def make_schedulers(optimizer: Any, steps: int, inputs: Inputs, recipe: Recipe) -> list[Any]:
    """The recipe's schedules over so many steps."""
    if not _is_realmlp(inputs, recipe):
        return []
    settings = ["weight_decay", *(["dropout"] if recipe.dropout and recipe.hidden else [])]
    flat = [lr_scheduler.FlatCosLR(optimizer, steps, setting=setting) for setting in settings]
    return [lr_scheduler.CosLog4LR(optimizer, steps), *flat]


def describe_network(inputs: int, outputs: int, recipe: Recipe) -> str:
    """One line on a recipe's network: widths and activation."""
    widths = [f"{width} {recipe.activation}" for width in recipe.hidden]
    return " -> ".join([f"{inputs} inputs", *widths, f"{outputs} output{'s' * (outputs > 1)}"])


def for_inputs(recipe: Recipe, inputs: Inputs) -> Recipe:
    """The recipe without settings of an embedding that its network has not: equal networks, equal recipes."""
    return recipe if _embeds(inputs, recipe) else replace(recipe, periodic=False, sigma=0.0)


def _embeds(inputs: Inputs, recipe: Recipe) -> bool:
    embeds = recipe.periodic and bool(recipe.hidden) and bool(inputs.continuous)
    return embeds and _is_realmlp(inputs, recipe)


def _is_realmlp(inputs: Inputs, recipe: Recipe) -> bool:
    return recipe.optimizer == "adamw" and not inputs.sparse
