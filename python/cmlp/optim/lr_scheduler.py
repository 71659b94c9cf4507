"""Schedulers under PyTorch's names: a setting of the optimizer as a function of the step."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from cmlp.optim._closed import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CosLog4LR,
    ExponentialLR,
    FlatCosLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from cmlp.optim._cycles import CyclicLR, OneCycleLR
from cmlp.optim._schedule import LRScheduler, Numbers, Track, for_each_group, is_one
from cmlp.optim.optimizers import Optimizer

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosLog4LR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "FlatCosLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


class LambdaLR(LRScheduler):
    """``base * lr_lambda(n)``: any function of the step, or one for each group."""

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
        *,
        setting: str = "lr",
    ) -> None:
        groups = len(optimizer.param_groups)
        functions = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        self.lr_lambdas: list[Callable[[int], float]] = functions
        if len(self.lr_lambdas) != groups:
            raise ValueError(
                f"LambdaLR: lr_lambda has {len(self.lr_lambdas)} functions, the optimizer has {groups} groups"
            )
        super().__init__(optimizer, last_epoch, setting=setting)

    def _series(self, track: Track, first: int, count: int) -> list[float]:
        _, group, base = track
        return [base * float(self.lr_lambdas[group](n)) for n in range(first, first + count)]


class _Compound(LRScheduler):
    """A scheduler made of others over the same optimizer and setting."""

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], last_epoch: int) -> None:
        self._schedulers = list(schedulers)
        name = type(self).__name__
        if not self._schedulers:
            raise ValueError(f"{name}: there are no schedulers")
        setting = self._schedulers[0].setting
        for one in self._schedulers:
            if not isinstance(one, LRScheduler):
                raise ValueError(f"{name}: {one!r} cannot be a part of it")
            if one.optimizer is not optimizer or one.setting != setting:
                raise ValueError(f"{name}: the schedulers are over different optimizers or settings")
            if len(one._tracks()) != len(optimizer.param_groups):
                raise ValueError(f"{name}: {type(one).__name__} with cycle_momentum cannot be a part of it")
        super().__init__(optimizer, last_epoch, setting=setting)

    def _track_from(self, track: Track, base: float) -> Track:
        return (*track[:2], base)

    def state_dict(self) -> dict[str, Any]:
        """Return all but the optimizer and functions, with the states of the schedulers."""
        return {**super().state_dict(), "_schedulers": [one.state_dict() for one in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` returned; the optimizer's values come with its own state."""
        own = dict(state_dict)
        for one, state in zip(self._schedulers, own.pop("_schedulers", ()), strict=False):
            one.load_state_dict(state)
        super().load_state_dict(own)


class SequentialLR(_Compound):
    """One scheduler after the other: each starts at its milestone, from the first value of the setting.

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> from cmlp.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
    >>> adam = optim.Adam(nn.Linear(2, 1).parameters(), lr=0.1)
    >>> warm_up, down = LinearLR(adam, 0.1, total_iters=10), CosineAnnealingLR(adam, 90)
    >>> SequentialLR(adam, [warm_up, down], milestones=[10]).get_last_lr()
    [0.010000000000000002]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        if len(milestones) != len(schedulers) - 1 or list(milestones) != sorted(milestones):
            raise ValueError(
                f"SequentialLR: {len(schedulers)} schedulers need {len(schedulers) - 1} rising milestones"
            )
        self._milestones = list(milestones)
        super().__init__(optimizer, schedulers, last_epoch)

    def _part(self, track: Track, step: int) -> tuple[LRScheduler, Track, int]:
        """Return the scheduler of a step, its track, and the step at which it begins."""
        i = bisect_right(self._milestones, step)
        start = self._milestones[i - 1] if i > 0 else 0
        part = self._schedulers[i]
        own = part._tracks()[track[1]]
        return part, (own if start > 0 else part._track_from(own, track[2])), start

    def _series(self, track: Track, first: int, count: int) -> list[float]:
        values: list[float] = []
        ends = [milestone for milestone in self._milestones if first < milestone < first + count]
        for begin, end in pairwise([first, *ends, first + count]):
            part, own, start = self._part(track, begin)
            if start > 0:
                own = part._track_after(own, self._series(track, start - 1, 1)[0])
            values += part._series(own, begin - start, end - begin)
        return values

    def _next(self, track: Track, step: int, value: float) -> float:
        part, own, start = self._part(track, step)
        if step == start:
            left = value if step > 0 else track[2]
            return part._series(part._track_after(own, left), 0, 1)[0]
        return part._next(own, step - start, value)


class ChainedScheduler(_Compound):
    """Several at once, each of which changes the value that the one before it leaves.

    :class:`LambdaLR`, :class:`CyclicLR`, :class:`OneCycleLR`, :class:`CosineAnnealingWarmRestarts` and
    :class:`CosLog4LR` have values of their own, whatever those before them leave: they come first.
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler: there are no schedulers")
        optimizer = schedulers[0].optimizer if optimizer is None else optimizer
        self._reached: dict[Track, tuple[int, float]] = {}  # the last step computed of each track, its value
        super().__init__(optimizer, schedulers, -1)

    def _series(self, track: Track, first: int, count: int) -> list[float]:
        step, value = self._reached.get(track, (-1, track[2]))
        if step >= first:
            step, value = -1, track[2]
        values: list[float] = []
        for n in range(step + 1, first + count):
            value = self._next(track, n, value)
            if n >= first:
                values.append(value)
        self._reached[track] = first + count - 1, value
        return values

    def _next(self, track: Track, step: int, value: float) -> float:
        for part in self._schedulers:
            value = part._next(part._tracks()[track[1]], step, value)
        return value


class ReduceLROnPlateau:
    """``lr * factor`` after more than ``patience`` epochs in which the value did not improve.

    ``monitor`` names the value that ``fit`` shows: by default ``"val_loss"``, without validation ``"loss"``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: Numbers = 0.0,
        eps: float = 1e-8,
        *,
        monitor: str = "",
    ) -> None:
        if not 0 <= factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor is {factor}, it must be in [0, 1)")
        for name, value, choices in (
            ("mode", mode, ("min", "max")),
            ("threshold_mode", threshold_mode, ("rel", "abs")),
        ):
            if value not in choices:
                raise ValueError(f"ReduceLROnPlateau: {name} is '{value}'; choose from {', '.join(choices)}")
        self.optimizer = optimizer
        self.mode: str = mode
        self.factor: float = factor
        self.patience: int = patience
        self.threshold: float = threshold
        self.threshold_mode: str = threshold_mode
        self.cooldown: int = cooldown
        self.eps: float = eps
        least = for_each_group(min_lr, optimizer, "ReduceLROnPlateau: min_lr")
        self.min_lrs: float | list[float] = least[0] if is_one(min_lr) else least
        self.monitor = monitor
        self.last_epoch: int = 0
        self.best: float = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs: int = 0
        self.cooldown_counter: int = 0

    def _check_groups(self) -> None:
        """Raise ValueError unless there is a least rate for each group, also of those added since."""
        groups = len(self.optimizer.param_groups)
        if isinstance(self.min_lrs, list) and len(self.min_lrs) != groups:
            raise ValueError(
                f"ReduceLROnPlateau: min_lr has {len(self.min_lrs)} values, there are {groups} groups; "
                "set min_lrs to as many, or to one number for all"
            )

    def step(self, metrics: float, epoch: int | None = None) -> None:
        """Take the value of an epoch; reduce the learning rates when it is time."""
        self._check_groups()
        current = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        better = self.is_better(current, self.best)
        self.best = current if better else self.best
        self.num_bad_epochs = 0 if better else self.num_bad_epochs + 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        each = self.min_lrs if isinstance(self.min_lrs, list) else [self.min_lrs] * len(groups)
        for group, least in zip(groups, each, strict=True):
            lr = max(group["lr"] * self.factor, least)
            if group["lr"] - lr > self.eps:
                group["lr"] = lr

    def is_better(self, a: float, best: float) -> bool:
        """Whether ``a`` improves on ``best`` by the threshold."""
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            return sign * a > sign * best * (1 + sign * self.threshold)
        return sign * a > sign * best + self.threshold

    def get_last_lr(self) -> list[float]:
        """Return the learning rate of each group."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return all but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` returned."""
        self.__dict__.update(state_dict)
