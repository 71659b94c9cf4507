"""Checkpoints of ``net.fit``: the model so far with all that the next epoch depends on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cmlp.training import state
from cmlp.training.history import History
from cmlp.training.options import FitOptions, Start
from cmlp.training.same_run import check_same, rule_settings

if TYPE_CHECKING:
    from cmlp.nn.sequential import Sequential
    from cmlp.training.loop import Callback
    from cmlp.training.run import Rule
    from cmlp.training.schedules import Schedules

_FINISHED = ("early_stopping", "callback", "converged")


def check_arguments(checkpoint: Any, every: int, resume: bool) -> None:
    """Raise ValueError for arguments of a checkpoint that do not fit, before anything is trained."""
    if not every >= 1:
        raise ValueError(f"fit: every is {every}, it must be at least 1 epoch")
    if checkpoint is None:
        if resume or every != 1:
            raise ValueError(
                f"fit: {'resume' if resume else 'every'} needs checkpoint=, the path of the file"
            )
        return
    folder = os.path.dirname(os.path.abspath(os.fspath(checkpoint)))
    if not os.path.isdir(folder):
        raise ValueError(f"fit: checkpoint is {os.fspath(checkpoint)!s}, there is no folder {folder}")


class Observed:
    """Callbacks that have a state: the methods ``state_dict()`` and ``load_state_dict(state)``."""

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        owners = [getattr(callback, "__self__", callback) for callback in callbacks]
        kept = [one for one in owners if hasattr(one, "state_dict") and hasattr(one, "load_state_dict")]
        self.owners: list[Any] = list({id(one): one for one in kept}.values())

    def names(self) -> list[str]:
        """Return the classes."""
        return [type(owner).__name__ for owner in self.owners]

    def section(self) -> list[Any]:
        """Return the states."""
        return [owner.state_dict() for owner in self.owners]

    def restore(self, section: Sequence[Any]) -> None:
        """Take over the states."""
        for owner, own in zip(self.owners, section, strict=True):
            owner.load_state_dict(own)


class TrainingParts:
    """What a fit changes: the network, the optimizer, the schedulers, the callbacks with a state."""

    def __init__(self, net: Any, rule: Rule, schedules: Schedules, observed: Observed) -> None:
        self.net: Sequential = net
        self.rule: Rule = rule
        self.schedules: Schedules = schedules
        self.observed: Observed = observed

    def sections(self, epochs: int, steps: int) -> dict[str, Any]:
        """Return the states after so many epochs and steps of this fit."""
        return {
            "optimizer": state.optimizer_section(self.rule, self.net),
            "schedulers": self.schedules.state_after(epochs, steps),
            "callbacks": self.observed.section(),
        }

    def restore(self, sections: Mapping[str, Any]) -> None:
        """Take over such states; the network's numbers are in place."""
        self.rule.load_state_dict(sections["optimizer"]["state"])
        self.schedules.restore(sections["schedulers"])
        self.observed.restore(sections["callbacks"])


class FitCheckpoint:
    """The file of a fit.

    Its network is what the fit would return if it ended there: the best weights so far with ``restore_best``.
    The weights to continue from are beside them where they are others.

    Parameters
    ----------
    path : path
    every : int
        Epochs from one file to the next; the last epoch is always written.
    parts : TrainingParts
    settings : dict of str to str
        What the bits depend on; a file of other settings is refused.
    keeps_best : bool
        Whether the fit ends with the best weights.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        every: int,
        parts: TrainingParts,
        settings: dict[str, str],
        keeps_best: bool,
    ) -> None:
        self.path: str = os.fspath(path)
        self.every: int = every
        self.parts: TrainingParts = parts
        self.settings: dict[str, str] = {**settings, **rule_settings(parts)}
        self.keeps_best: bool = keeps_best
        self.history: History = History()
        self.finished: bool = False
        self._best: dict[str, Any] | None = None  # weights, of an epoch before
        state.encoded(parts.sections(0, 0), "fit: checkpoint")  # refused now rather than after an epoch

    # ---- resuming

    def resumed(self, options: FitOptions) -> FitOptions:
        """Bring all parts to where the file left them, and return the options that continue from there.

        Without a file all stays as it is.

        Raises
        ------
        ValueError
            When the file is damaged, is no checkpoint, or is one of another network or other settings.
        """
        if not os.path.lexists(self.path):
            return options
        core, sections = state.read(self.path)
        try:
            found = type(self.parts.net)._of_core(core)
            progress = sections["training"]
            check_same(self, found, progress["settings"])
            return self._continue(found, sections, options)
        except state.BAD_DATA as error:
            raise ValueError(f"fit: {self.path} is not a checkpoint of fit: {error!r}") from error

    def _continue(self, found: Sequential, sections: Mapping[str, Any], options: FitOptions) -> FitOptions:
        progress, net = sections["training"], self.parts.net
        last: dict[str, Any] = (
            dict(zip(net.state_dict(), sections["last"], strict=True)) if sections["last"] else {}
        )
        first, best = int(progress["next_epoch"]), int(progress["best_epoch"])
        self.history = History() if found.history is None else found.history
        self.finished = self.history.stop in _FINISHED or first >= options.length.epochs
        kept = found.state_dict()
        net.load_state_dict(kept if self.finished or not last else last)
        self.parts.restore(sections)
        net._core.step = found._core.step
        if self.finished:
            self.parts.schedules.set_values()
            self.history.stop = self.history.stop if self.history.stop in _FINISHED else "completed"
            return options
        keeps = self.keeps_best and best >= 0
        self._best = kept if keeps else None
        weights = np.asarray(found._core.flat_state()) if keeps else np.empty(0)
        start = Start(self.history.steps, best, float(progress["best_value"]), weights)
        return replace(options, length=replace(options.length, initial_epoch=first), start=start)

    # ---- writing

    def epoch_end(
        self, record: Mapping[str, Any], history: History, stop: str | None, before: tuple[int, int]
    ) -> None:
        """Write the file where it is due.

        Parameters
        ----------
        record : dict
            Of the core.
        history : History
        stop : str or None
            Why it is the last epoch.
        before : (int, int)
            Epochs and steps of earlier fits, which this one continues.
        """
        epoch, best = record["epoch"], record["best_epoch"]
        if self.keeps_best and best == epoch:
            self._best = self.parts.net.state_dict()
        if stop is None and (epoch + 1) % self.every:
            return
        previous, history.stop = history.stop, stop or history.stop
        net, last = self.parts.net, []
        if self.keeps_best and best not in (-1, epoch) and self._best is not None:
            last = list(net.state_dict().values())
            net = net.copy()
            net.load_state_dict(self._best)
            net.history = history
        progress = {
            "settings": self.settings,
            "next_epoch": epoch + 1,
            "best_epoch": best,
            "best_value": record["best_value"],
        }
        done = len(history.epoch) - before[0], history.steps - before[1]
        state.write(
            net,
            self.path,
            {"training": progress, "last": last, **self.parts.sections(*done)},
            "fit: checkpoint",
        )
        history.stop = previous
