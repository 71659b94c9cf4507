"""Cyclic schedulers, which may move the momentum against the learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cmlp import _core
from cmlp.optim._schedule import LRScheduler, Numbers, Track, for_each_group
from cmlp.optim.optimizers import Optimizer


class _Cycle(LRScheduler):
    """Parameters of a closed form for each setting and group."""

    _form = ""

    def __init__(
        self, optimizer: Optimizer, forms: list[list[float]], momenta: list[list[float]], last_epoch: int
    ) -> None:
        self.forms: dict[str, Any] = {"lr": forms}
        if momenta:
            keys = optimizer.param_groups[0]
            name = next((key for key in ("momentum", "beta1") if key in keys), None)
            if name is None:
                raise ValueError(
                    f"{type(self).__name__}: cycle_momentum needs an optimizer with momentum or betas"
                )
            self.forms[name] = momenta
        super().__init__(optimizer, last_epoch)

    def _tracks(self) -> list[Track]:
        return [(setting, group, 0.0) for setting, forms in self.forms.items() for group in range(len(forms))]

    def _series(self, track: Track, first: int, count: int) -> list[float]:
        setting, group, _ = track
        return _core.schedule_table(self._form, self.forms[setting][group], 0.0, first, count)


class OneCycleLR(_Cycle):
    """From max_lr / div_factor up to max_lr, then down to 1 / final_div_factor of the start.

    Smith and Topin, 2017.

    The momentum (or beta1) goes the other way where ``cycle_momentum`` is true.
    """

    _form = "one_cycle"

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Numbers,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Numbers = 0.85,
        max_momentum: Numbers = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR: total_steps, or epochs and steps_per_epoch must be given")
            total_steps = epochs * steps_per_epoch
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: anneal_strategy is '{anneal_strategy}'; choose from cos, linear")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start is {pct_start}, it must be in [0, 1]")
        shape = [float(total_steps), pct_start, float(anneal_strategy == "linear"), float(three_phase)]
        tops = for_each_group(max_lr, optimizer, "OneCycleLR: max_lr")
        forms = [[*shape, top / div_factor, top, top / div_factor / final_div_factor] for top in tops]
        low = for_each_group(base_momentum, optimizer, "OneCycleLR: base_momentum")
        high = for_each_group(max_momentum, optimizer, "OneCycleLR: max_momentum")
        momenta = [[*shape, h, b, h] for b, h in zip(low, high, strict=True)] if cycle_momentum else []
        self.total_steps = total_steps
        if last_epoch < 0:  # schedules made after this one start from its first rate, as in PyTorch
            optimizer._initial["lr"] = [form[4] for form in forms]
        super().__init__(optimizer, forms, momenta, last_epoch)

    def _series(self, track: Track, first: int, count: int) -> list[float]:
        steps = first + count
        if steps > self.total_steps + 1:  # as in PyTorch, one step past the end still has a value
            raise ValueError(f"OneCycleLR: step {steps} is beyond the last of {self.total_steps}")
        return super()._series(track, first, count)


_MODES = ("triangular", "triangular2", "exp_range")


class CyclicLR(_Cycle):
    """low + (high - low) triangle(n), the height scaled by 1, 2^-cycle or gamma^n: Smith, WACV 2017."""

    _form = "cyclic"

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Numbers,
        max_lr: Numbers,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Numbers = 0.8,
        max_momentum: Numbers = 0.9,
        last_epoch: int = -1,
    ) -> None:
        if mode not in _MODES and scale_fn is None:
            raise ValueError(f"CyclicLR: mode is '{mode}'; choose from {', '.join(_MODES)}")
        if scale_mode not in ("cycle", "iterations"):
            raise ValueError(f"CyclicLR: scale_mode is '{scale_mode}'; choose from cycle, iterations")
        self.scale_fn = scale_fn
        self.scale_mode = scale_mode
        down = step_size_up if step_size_down is None else step_size_down
        which = 0 if scale_fn else _MODES.index(mode)
        self.cycle: float = step_size_up + down
        shape = [float(step_size_up), float(down), float(which), gamma]
        rates = [
            for_each_group(base_lr, optimizer, "CyclicLR: base_lr"),
            for_each_group(max_lr, optimizer, "CyclicLR: max_lr"),
        ]
        forms = [[*shape, low, high] for low, high in zip(*rates, strict=True)]
        low = for_each_group(base_momentum, optimizer, "CyclicLR: base_momentum")
        high = for_each_group(max_momentum, optimizer, "CyclicLR: max_momentum")
        momenta = [[*shape, h, b] for b, h in zip(low, high, strict=True)] if cycle_momentum else []
        if last_epoch < 0:  # what schedules start from, if this is the first
            optimizer._initial.setdefault("lr", rates[0])
        super().__init__(optimizer, forms, momenta, last_epoch)

    def _series(self, track: Track, first: int, count: int) -> list[float]:
        values = super()._series(track, first, count)
        if self.scale_fn is None:
            return values
        low = self.forms[track[0]][track[1]][4]
        at = [
            n if self.scale_mode == "iterations" else n // self.cycle + 1 for n in range(first, first + count)
        ]
        return [low + (value - low) * self.scale_fn(x) for value, x in zip(values, at, strict=True)]
