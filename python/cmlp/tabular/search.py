"""Which recipes are trained on which rows, and what each network counts in the model."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cmlp.tabular.fitting import NoModelError
from cmlp.tabular.members import interrupted, train_members
from cmlp.tabular.network import describe_network
from cmlp.tabular.recipe import Recipe
from cmlp.tabular.split import Splits
from cmlp.tabular.training import Data, Member, Settings, Training

if TYPE_CHECKING:
    from cmlp.tabular.jobs import Observers

# Networks of each recipe that are compared before the best one gets the others.
TRIALS = 2


class Search:
    """The trainings of one fit.

    Parameters
    ----------
    data : Data
        The rows.
    splits : Splits
        For each network of a recipe.
    settings : Settings
        What all trainings share.
    observers : Observers
        Who is called meanwhile.
    deadline : float or None
        Of `time.monotonic`.
    """

    def __init__(
        self,
        data: Data,
        splits: Splits,
        settings: Settings,
        observers: "Observers",
        deadline: float | None = None,
    ) -> None:
        self._data, self._splits, self._settings = data, splits, settings
        self._observers, self._deadline = observers, deadline

    def run(self, recipes: Sequence[Recipe]) -> tuple[list[Member], list[float]]:
        """Train the networks of the best recipe; give them and their weights."""
        parts = self._splits.parts
        trials = min(TRIALS, len(parts)) if len(recipes) > 1 else len(parts)
        rest = len(parts) - trials
        members = self._train(recipes, 0, trials, rest)
        best = min(recipes, key=lambda recipe: _mean_value(members, recipe))
        members = [member for member in members if _is_of(member, best)]
        if rest and not any(member.outcome.interrupted for member in members):
            members = self._extended(members, best, trials)
        used = min(self._splits.used, len(members))
        return members, [0.0] * (len(members) - used) + [1 / used] * used

    def _extended(self, members: list[Member], recipe: Recipe, first: int) -> list[Member]:
        """The members and the remaining ones of the recipe, as far as Ctrl-C and the time allow."""
        try:
            return members + self._train([recipe], first, len(self._splits.parts), 0)
        except NoModelError as error:
            return interrupted(members) if error.interrupted else members

    def _train(self, recipes: Sequence[Recipe], first: int, last: int, later: int) -> list[Member]:
        """Train networks first ... last - 1 of each recipe; `later` others share the time."""
        trainings = [
            Training(replace(recipe, seed=recipe.seed + k), *self._splits.parts[k])
            for recipe in recipes
            for k in range(first, last)
        ]
        epochs = sum(training.recipe.sized(len(training.train)).epochs for training in trainings)
        text = describe_network(self._data.inputs.features, self._data.outputs, recipes[0])
        text = text if len(trainings) == 1 else f"{len(trainings)} networks of {text}"
        started = time.monotonic()
        deadline = self._deadline
        if deadline is not None:  # a share of the time that is left
            deadline = started + (deadline - started) * len(trainings) / (len(trainings) + later)
        with self._observers.network(text, epochs) as observer:
            members = train_members(self._data, trainings, self._settings, observer, deadline, self._deadline)
        self._observers.trained(members, time.monotonic() - started)
        return members


def _is_of(member: Member, recipe: Recipe) -> bool:
    return replace(member.training.recipe, seed=recipe.seed) == recipe


def _mean_value(members: list[Member], recipe: Recipe) -> float:
    values = [member.outcome.best_value for member in members if _is_of(member, recipe)]
    return float(np.mean(values)) if values else np.inf
