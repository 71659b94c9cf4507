"""What every scheduler is: values of a setting as a function of the step, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cmlp import _core
from cmlp.optim.optimizers import Optimizer

Numbers = float | Sequence[float]  # one for all groups, or one for each
Track = tuple[str, int, float]  # setting, group, its value without a schedule


def is_one(value: Numbers) -> bool:
    """Return whether it is one number for all groups; NumPy's numbers are numbers."""
    return np.ndim(value) == 0


def for_each_group(value: Numbers, optimizer: Optimizer, label: str) -> list[float]:
    """Return a number for each group; raise ValueError where there are others than groups."""
    groups = len(optimizer.param_groups)
    values: list[Any] = [value] * groups if is_one(value) else list(value)  # type: ignore[arg-type]
    if len(values) != groups:
        raise ValueError(f"{label} has {len(values)} values, the optimizer has {groups} groups")
    return [float(number) for number in values]


class LRScheduler:
    """Base of all schedulers: the value of a setting at a step, and how many steps there have been.

    Parameters
    ----------
    optimizer : Optimizer
    last_epoch : int, default -1
        The last step that is done. From 0 on it resumes a schedule of an optimizer whose state is loaded: the
        optimizer's ``state_dict`` holds the values that its schedules start from.
    setting : str, default "lr"
        What it moves: any setting of the optimizer's groups, such as ``"weight_decay"`` or ``"momentum"``, or
        ``"dropout"``, the factor of p of all dropout layers of the network.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1, *, setting: str = "lr") -> None:
        if type(self)._series is LRScheduler._series:
            raise TypeError(
                f"{type(self).__name__}: the base of schedulers has no values; for a schedule of your own "
                "take LambdaLR(optimizer, lambda step: factor)"
            )
        self.optimizer = optimizer
        self.setting = setting
        self.base_lrs: list[float] = self._initial(setting, last_epoch)
        self.last_epoch: int = last_epoch
        self.step()

    def _initial(self, setting: str, last_epoch: int) -> list[float]:
        """Return the setting of each group as it was before the first scheduler moved it."""
        name, owner = type(self).__name__, type(self.optimizer).__name__
        for group in self.optimizer.param_groups:
            if setting not in group:
                raise ValueError(f"{name}: {owner} has no setting '{setting}'")
        initial = self.optimizer._initial
        if last_epoch >= 0 and setting not in initial:
            raise ValueError(
                f"{name}: last_epoch is {last_epoch}, and {owner} has no initial {setting} to continue from; "
                f"load the optimizer's state_dict first, or set group['initial_{setting}'] of each group"
            )
        values = [float(group[setting]) for group in self.optimizer.param_groups]
        return list(initial.setdefault(setting, values))

    def _tracks(self) -> list[Track]:
        return [(self.setting, group, base) for group, base in enumerate(self.base_lrs)]

    def _series(self, track: Track, first: int, count: int) -> list[float]:
        """Return the values of ``count`` steps from ``first`` on."""
        raise NotImplementedError

    def _next(self, track: Track, step: int, value: float) -> float:
        """Return the value at ``step`` of a setting that is ``value`` before it: a link of a chain."""
        return self._series(track, step, 1)[0]

    def _track_from(self, track: Track, base: float) -> Track:
        """Return the track of a schedule whose setting is ``base`` before it."""
        return track

    def _track_after(self, track: Track, value: float) -> Track:
        """Return the track of a schedule that begins where another one left the setting at ``value``."""
        return track

    def _table(self, count: int) -> list[tuple[str, int, list[float]]]:
        """Return setting, group and values of the steps to come, the present one first."""
        return [(*track[:2], self._series(track, self.last_epoch, count)) for track in self._tracks()]

    def step(self, epoch: int | None = None) -> None:
        """Take one step, or go to step ``epoch``, and set the optimizer's values."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        for track in self._tracks():
            setting, group, _ = track
            self.optimizer.param_groups[group][setting] = self._series(track, self.last_epoch, 1)[0]

    def get_last_lr(self) -> list[float]:
        """Return the present value of each group."""
        return [float(group[self.setting]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return all but the optimizer and functions."""
        kept = {key: value for key, value in self.__dict__.items() if not _is_kept_out(key, value)}
        return {**kept, "_last_lr": self.get_last_lr()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` returned; the optimizer's values come with its own state."""
        self.__dict__.update({key: value for key, value in state_dict.items() if key != "_last_lr"})

    def __repr__(self) -> str:
        return f"{type(self).__name__}(last_epoch={self.last_epoch}, {self.setting}={self.get_last_lr()})"


def _is_kept_out(key: str, value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return key == "optimizer" or any(callable(item) or isinstance(item, LRScheduler) for item in items)


class ClosedForm(LRScheduler):
    """A scheduler whose values the core computes: a row of its list of schedules."""

    _form = ""
    _is_factor = True  # of the base: in a chain, of what the link before leaves

    def __init__(
        self, optimizer: Optimizer, parameters: Sequence[float], last_epoch: int, setting: str
    ) -> None:
        self.parameters: list[float] = [float(value) for value in parameters]
        _core.schedule_table(self._form, self.parameters, 0.0, 0, 0)  # raises where they do not fit
        super().__init__(optimizer, last_epoch, setting=setting)

    def _series(self, track: Track, first: int, count: int) -> list[float]:
        return _core.schedule_table(self._form, self.parameters, track[2], first, count)

    def _track_from(self, track: Track, base: float) -> Track:
        return (*track[:2], base) if self._is_factor else track

    def _next(self, track: Track, step: int, value: float) -> float:
        if not self._is_factor:
            return super()._next(track, step, value)
        if step == 0:
            return value * _core.schedule_table(self._form, self.parameters, 1.0, 0, 1)[0]
        before, now = _core.schedule_table(self._form, self.parameters, 1.0, step - 1, 2)
        if before == 0 and now != 0:
            raise ValueError(
                f"{type(self).__name__}: it is 0 at step {step - 1}, and a chain multiplies what it leaves"
            )
        return value * now / before if before else value
