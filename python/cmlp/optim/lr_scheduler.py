"""Schedulers under PyTorch's names: a setting of the optimizer as a function of the step."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
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
from cmlp.optim._schedule import LRScheduler, Track
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
        self.lr_lambdas = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"LambdaLR: {len(self.lr_lambdas)} functions, the optimizer has {groups} groups")
        super().__init__(optimizer, last_epoch, setting=setting)

    def _series(self, track: Track, first: int, count: int) -> list[float]:
        _, group, base = track
        return [base * float(self.lr_lambdas[group](n)) for n in range(first, first + count)]


class _Compound(LRScheduler):
    """Made of other schedulers of one optimizer and one setting, which it asks for their values."""

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


class SequentialLR(_Compound):
    """One scheduler after the other: each begins anew, from the first value of all, at its milestone.

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

    def _series(self, track: Track, first: int, count: int) -> list[float]:
        values: list[float] = []
        while len(values) < count:
            n = first + len(values)
            i = bisect_right(self._milestones, n)
            end = self._milestones[i] if i < len(self._milestones) else first + count
            start = self._milestones[i - 1] if i > 0 else 0
            scheduler = self._schedulers[i]
            own = scheduler._tracks()[track[1]]
            values += scheduler._series(own, n - start, min(end, first + count) - n)
        return values


class ChainedScheduler(_Compound):
    """Several at once: the value of one is the base of the next."""

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if optimizer is None and schedulers:
            optimizer = schedulers[0].optimizer
        super().__init__(optimizer, schedulers, -1)  # type: ignore[arg-type]  # refused where there are none

    def _series(self, track: Track, first: int, count: int) -> list[float]:
        setting, group, base = track
        values = [base] * count
        for one in self._schedulers:
            values = [one._series((setting, group, v), first + i, 1)[0] for i, v in enumerate(values)]
        return values


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
        min_lr: float | Sequence[float] = 0.0,
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
        groups = len(optimizer.param_groups)
        self.optimizer = optimizer
        self.mode, self.factor, self.patience = mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown, self.eps = (
            threshold,
            threshold_mode,
            cooldown,
            eps,
        )
        self.min_lrs = (
            [float(min_lr)] * groups if isinstance(min_lr, int | float) else [float(v) for v in min_lr]
        )
        if len(self.min_lrs) != groups:
            raise ValueError(
                f"ReduceLROnPlateau: min_lr has {len(self.min_lrs)} values, there are {groups} groups"
            )
        self.monitor = monitor
        self.last_epoch = 0
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0

    def step(self, metrics: float, epoch: int | None = None) -> None:
        """Take the value of an epoch; reduce the learning rates when it is time."""
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
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def _reduce(self) -> None:
        for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
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
