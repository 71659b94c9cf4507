"""Schedulers of one closed form each, with PyTorch's names, arguments and defaults."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cmlp.optim._schedule import ClosedForm, Track
from cmlp.optim.optimizers import Optimizer


class StepLR(ClosedForm):
    """base gamma^floor(n / step_size).

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> sgd = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.StepLR(sgd, step_size=2, gamma=0.5)
    >>> for _ in range(3):
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    _form = "step"

    def __init__(
        self,
        optimizer: Optimizer,
        step_size: int,
        gamma: float = 0.1,
        last_epoch: int = -1,
        *,
        setting: str = "lr",
    ) -> None:
        super().__init__(optimizer, [step_size, gamma], last_epoch, setting)


class MultiStepLR(ClosedForm):
    """base gamma^(milestones in [0, n])."""

    _form = "multi_step"

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
        *,
        setting: str = "lr",
    ) -> None:
        super().__init__(optimizer, [gamma, *milestones], last_epoch, setting)


class ConstantLR(ClosedForm):
    """base factor while n < total_iters, then base."""

    _form = "constant"

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
        *,
        setting: str = "lr",
    ) -> None:
        super().__init__(optimizer, [factor, total_iters], last_epoch, setting)


class LinearLR(ClosedForm):
    """base (start + (end - start) min(n / total_iters, 1)): a warm-up, or a way down."""

    _form = "linear"

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
        *,
        setting: str = "lr",
    ) -> None:
        super().__init__(optimizer, [start_factor, end_factor, total_iters], last_epoch, setting)


class ExponentialLR(ClosedForm):
    """base gamma^n."""

    _form = "exponential"

    def __init__(
        self, optimizer: Optimizer, gamma: float, last_epoch: int = -1, *, setting: str = "lr"
    ) -> None:
        super().__init__(optimizer, [gamma], last_epoch, setting)


class PolynomialLR(ClosedForm):
    """base (1 - min(n / total_iters, 1))^power."""

    _form = "polynomial"

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
        *,
        setting: str = "lr",
    ) -> None:
        super().__init__(optimizer, [total_iters, power], last_epoch, setting)


class CosineAnnealingLR(ClosedForm):
    """eta_min + (base - eta_min) (1 + cos(pi n / T_max)) / 2: Loshchilov and Hutter, ICLR 2017."""

    _form = "cosine"

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,
        eta_min: float = 0.0,
        last_epoch: int = -1,
        *,
        setting: str = "lr",
    ) -> None:
        super().__init__(optimizer, [T_max, eta_min], last_epoch, setting)

    def _next(self, track: Track, step: int, value: float) -> float:
        length, least = self.parameters
        if step == 0:
            return value
        if (step - 1 - length) % (2 * length) == 0:  # from the minimum up again
            return value + (track[2] - least) * (1 - math.cos(math.pi / length)) / 2
        now, before = (1 + math.cos(math.pi * n / length) for n in (step, step - 1))
        return least + (value - least) * now / before


class CosineAnnealingWarmRestarts(ClosedForm):
    """Cosine over T_0 steps, then over T_mult times as many, and so on: Loshchilov and Hutter, ICLR 2017."""

    _form = "cosine_restarts"
    _is_factor = False

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
        *,
        setting: str = "lr",
    ) -> None:
        if T_mult < 1 or T_mult != int(T_mult):
            raise ValueError(
                f"CosineAnnealingWarmRestarts: T_mult is {T_mult}, it must be an integer from 1 on"
            )
        super().__init__(optimizer, [T_0, T_mult, eta_min], last_epoch, setting)


class CosLog4LR(ClosedForm):
    """base (1 - cos(2 pi log2(1 + 15 n / total_iters))) / 2: RealMLP's, Holzmueller et al., NeurIPS 2024."""

    _form = "coslog4"
    _is_factor = False

    def __init__(
        self, optimizer: Optimizer, total_iters: int, last_epoch: int = -1, *, setting: str = "lr"
    ) -> None:
        super().__init__(optimizer, [total_iters], last_epoch, setting)


class FlatCosLR(ClosedForm):
    """base for a share ``flat`` of the steps, then a cosine to 0: Holzmueller et al., NeurIPS 2024.

    Examples
    --------
    Weight decay and dropout fade out over 100 updates while the rate goes through four cycles:

    >>> import numpy as np
    >>> from cmlp import nn, optim
    >>> net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Dropout(0.15), nn.Linear(8, 1))
    >>> adam = optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.02)
    >>> schedulers = [
    ...     optim.lr_scheduler.CosLog4LR(adam, 100),
    ...     optim.lr_scheduler.FlatCosLR(adam, 100, setting="weight_decay"),
    ...     optim.lr_scheduler.FlatCosLR(adam, 100, setting="dropout"),
    ... ]
    >>> x = np.eye(2)
    >>> _ = net.fit(x, [0.0, 1.0], loss="mse", optimizer=adam, epochs=75, scheduler=schedulers,
    ...             scheduler_interval="step", verbose=False)
    >>> [round(scheduler.get_last_lr()[0], 4) for scheduler in schedulers]
    [0.0088, 0.01, 0.5]
    """

    _form = "flat_cos"

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int,
        flat: float = 0.5,
        last_epoch: int = -1,
        *,
        setting: str = "lr",
    ) -> None:
        super().__init__(optimizer, [total_iters, flat], last_epoch, setting)
