"""SWALR: from the present rate to that of weight averaging."""

from __future__ import annotations

import math

from cmlp.optim._schedule import LRScheduler, Numbers, Track, for_each_group
from cmlp.optim.optimizers import Optimizer


class SWALR(LRScheduler):
    """``lr + (swa_lr - lr) a(min(n / anneal_epochs, 1))`` with ``a(t) = (1 - cos(pi t)) / 2``, or t.

    It starts from the rate at its first step, which may be another scheduler's. Izmailov et al., UAI 2018.

    Parameters
    ----------
    optimizer : Optimizer
    swa_lr : float or sequence of float
        The rate it ends at, for all groups or for each.
    anneal_epochs : int, default 10
        Steps until then; 0: at once.
    anneal_strategy : {"cos", "linear"}
    last_epoch : int, default -1
        The last step that is done.

    Raises
    ------
    ValueError
        For another strategy, a negative or broken number of steps, or as many rates as there are not groups.

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> sgd = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
    >>> scheduler = optim.swa_utils.SWALR(sgd, swa_lr=0.5, anneal_epochs=2)
    >>> for _ in range(3):
    ...     print(sgd.lr)
    ...     scheduler.step()
    1.0
    0.75
    0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: Numbers,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        self.swa_lrs: list[float] = for_each_group(swa_lr, optimizer, "SWALR: swa_lr")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"SWALR: anneal_strategy is '{anneal_strategy}'; choose from cos, linear")
        if anneal_epochs < 0 or anneal_epochs != int(anneal_epochs):
            raise ValueError(f"SWALR: anneal_epochs is {anneal_epochs}, it must be an integer, not negative")
        self.anneal_epochs: int = anneal_epochs
        self.anneal_strategy: str = anneal_strategy
        self._begun = False
        super().__init__(optimizer, last_epoch)

    def _begin(self) -> None:
        if not self._begun:
            self.base_lrs = [float(group["lr"]) for group in self.optimizer.param_groups[: len(self.swa_lrs)]]
            self._begun = True

    def _share(self, n: int) -> float:
        t = min(n / self.anneal_epochs, 1.0) if self.anneal_epochs else 1.0
        return t if self.anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def _series(self, track: Track, first: int, count: int) -> list[float]:
        _, group, base = track
        shares = [self._share(n) for n in range(first, first + count)]
        return [self.swa_lrs[group] * share + base * (1 - share) for share in shares]

    def _next(self, track: Track, step: int, value: float) -> float:
        last = self.swa_lrs[track[1]]
        before = self._share(step - 1) if step > 0 else 0.0
        base = last if before == 1 else (value - before * last) / (1 - before)
        return self._series((*track[:2], base), step, 1)[0]

    def _track_from(self, track: Track, base: float) -> Track:
        return (*track[:2], base)

    def _track_after(self, track: Track, value: float) -> Track:
        return (*track[:2], value)

    def _tracks(self) -> list[Track]:
        if not self._begun:  # nothing moves yet, unless there is nothing to move through
            now = [float(group["lr"]) for group in self.optimizer.param_groups]
            return [("lr", group, now[group]) for group in range(len(self.swa_lrs))]
        return super()._tracks()

    def _table(self, count: int) -> list[tuple[str, int, list[float]]]:
        self._begin()
        return super()._table(count)

    def step(self, epoch: int | None = None) -> None:
        """Take one step, or go to step ``epoch``, and set the optimizer's rates."""
        if self.last_epoch >= 0:  # else it is being made
            self._begin()
        super().step(epoch)
