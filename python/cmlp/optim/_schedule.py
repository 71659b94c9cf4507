"""What every scheduler is: values of a setting as a function of the step, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cmlp import _core
from cmlp.optim.optimizers import Optimizer

Track = tuple[str, int, float]  # setting, group, its value without a schedule


class LRScheduler:
    """Base of all schedulers: the value of a setting at a step, and how many steps there have been.

    Parameters
    ----------
    optimizer : Optimizer
    last_epoch : int, default -1
        The last step that is done.
    setting : str, default "lr"
        What it moves: any setting of the optimizer's groups, such as ``"weight_decay"`` or ``"momentum"``, or
        ``"dropout"``, the factor of p of all dropout layers of the network.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1, *, setting: str = "lr") -> None:
        self.optimizer = optimizer
        self.setting = setting
        self.base_lrs = self._initial(setting)
        self.last_epoch = last_epoch
        self.step()

    def _initial(self, setting: str) -> list[float]:
        """Return the setting of each group as it was before the first scheduler moved it."""
        for group in self.optimizer.param_groups:
            if setting not in group:
                name = type(self.optimizer).__name__
                raise ValueError(f"{type(self).__name__}: {name} has no setting '{setting}'")
        initial: dict[str, list[float]] = self.optimizer.__dict__.setdefault("_initial", {})
        values = [float(group[setting]) for group in self.optimizer.param_groups]
        return list(initial.setdefault(setting, values))

    def _tracks(self) -> list[Track]:
        return [(self.setting, group, base) for group, base in enumerate(self.base_lrs)]

    def _series(self, track: Track, first: int, count: int) -> list[float]:
        """Return the values of ``count`` steps from ``first`` on."""
        raise NotImplementedError

    def _table(self, count: int) -> list[tuple[str, int, list[float]]]:
        """Return setting, group and values of the steps to come, the present one first."""
        return [(*track[:2], self._series(track, self.last_epoch, count)) for track in self._tracks()]

    def step(self, epoch: int | None = None) -> None:
        """Go on by one step, or to step ``epoch``, and set the optimizer's values."""
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

    def __init__(
        self, optimizer: Optimizer, parameters: Sequence[float], last_epoch: int, setting: str
    ) -> None:
        self.parameters = [float(value) for value in parameters]
        _core.schedule_table(self._form, self.parameters, 0.0, 0, 0)  # raises where they do not fit
        super().__init__(optimizer, last_epoch, setting=setting)

    def _series(self, track: Track, first: int, count: int) -> list[float]:
        return _core.schedule_table(self._form, self.parameters, track[2], first, count)
