"""Random trainings of networks whose every object is made from a number, in any process."""

from __future__ import annotations

from typing import Any

import numpy as np

from cmlp import EarlyStopping, nn, optim
from cmlp.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CosLog4LR,
    CyclicLR,
    ExponentialLR,
    FlatCosLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)
from cmlp.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn

ROWS, EPOCHS = 45, 9
BY_BATCHES = [
    "Adam",
    "SGD",
    "AdamW",
    "NAdam",
    "RAdam",
    "Adamax",
    "Adagrad",
    "Adadelta",
    "RMSprop",
    "Rprop",
    "ASGD",
    "Lion",
    "Adan",
    "Muon",
]
SCHEDULERS = {
    "none": lambda o, n: None,
    "plateau": lambda o, n: ReduceLROnPlateau(o, patience=0, factor=0.5),
    "constant": lambda o, n: ConstantLR(o, 0.2, total_iters=n // 3),
    "logarithmic": lambda o, n: CosLog4LR(o, n),
    "flat": lambda o, n: FlatCosLR(o, n),
    "function": lambda o, n: LambdaLR(o, lambda step: 1 / (1 + step)),
    "averaging": lambda o, n: SWALR(o, 0.005, anneal_epochs=3),
    "dropout": lambda o, n: LinearLR(o, 0.1, total_iters=5, setting="dropout"),
    "step": lambda o, n: StepLR(o, 2, 0.5),
    "steps": lambda o, n: MultiStepLR(o, [n // 3, n // 2], 0.3),
    "exponential": lambda o, n: ExponentialLR(o, 0.9),
    "linear": lambda o, n: LinearLR(o, 0.2, total_iters=n // 2),
    "cosine": lambda o, n: CosineAnnealingLR(o, n),
    "restarts": lambda o, n: CosineAnnealingWarmRestarts(o, max(1, n // 3)),
    "polynomial": lambda o, n: PolynomialLR(o, n),
    "one cycle": lambda o, n: OneCycleLR(o, 0.05, total_steps=n, cycle_momentum=False),
    "cyclic": lambda o, n: CyclicLR(o, 0.001, 0.02, step_size_up=2, cycle_momentum=False),
    "in sequence": lambda o, n: SequentialLR(
        o, [LinearLR(o, 0.1, total_iters=2), ExponentialLR(o, 0.8)], [2]
    ),
    "in a chain": lambda o, n: ChainedScheduler([ExponentialLR(o, 0.9), StepLR(o, 3, 0.5)]),
    "two": lambda o, n: [ExponentialLR(o, 0.9, setting="weight_decay"), ReduceLROnPlateau(o, patience=1)],
}


def pick(rng: np.random.Generator, values: Any) -> Any:
    """Return one of the values."""
    values = list(values)
    return values[rng.integers(len(values))]


class Run:
    """A fit of the number `index`: network, optimizer and arguments, and what can be compared after it."""

    def __init__(self, index: int) -> None:
        rng = np.random.default_rng(index)
        full_batch = index % 9 == 8
        dtype = pick(rng, ["float32", "float64"])
        bf16 = {"precision": "bf16"} if dtype == "float32" and rng.random() < 0.2 else {}
        self.classes = bool(rng.random() < 0.5) and not full_batch
        self.net = nn.Sequential(*self._layers(rng, full_batch), seed=index, dtype=dtype, **bf16)
        self.x = rng.normal(size=(ROWS, 5))
        self.y = (self.x[:, 0] > 0).astype(int) if self.classes else np.tanh(self.x[:, :1] * 2)
        self.optimizer = self._optimizer(rng, index, full_batch)
        self.average = AveragedModel(self.net, multi_avg_fn=get_ema_multi_avg_fn(0.8))
        self.arguments = self._arguments(rng, full_batch)

    def _layers(self, rng: np.random.Generator, full_batch: bool) -> list[nn.Module]:
        width = int(rng.integers(3, 20))
        norm = [] if full_batch else [pick(rng, [nn.BatchNorm1d, nn.LayerNorm])(width)]
        drawn = [] if full_batch else [nn.Dropout(0.3)]
        middle = [*norm, pick(rng, [nn.ReLU, nn.Tanh, nn.GELU])(), *drawn]
        inner = [nn.Residual(nn.Linear(width, width), nn.SiLU())] if rng.random() < 0.4 else []
        return [nn.Linear(5, width), *middle, *inner, nn.Linear(width, 2 if self.classes else 1)]

    def _optimizer(self, rng: np.random.Generator, index: int, full_batch: bool) -> Any:
        if full_batch:
            kind = pick(rng, [optim.LBFGS, optim.LevenbergMarquardt])
            return kind(self.net.parameters(), **({"max_iter": 2} if kind is optim.LBFGS else {}))
        kind = getattr(optim, BY_BATCHES[index % len(BY_BATCHES)])
        settings = {"momentum": 0.9} if kind is optim.SGD else {}
        if rng.random() < 0.3:
            groups = [{"params": [p], "lr": 0.002 * (i + 1)} for i, p in enumerate(self.net.parameters())]
            return kind(groups, **settings)
        return kind(self.net.parameters(), lr=0.01, **settings)

    def _arguments(self, rng: np.random.Generator, full_batch: bool) -> dict[str, Any]:
        by_step = bool(rng.random() < 0.3)
        size = int(rng.integers(4, 30))
        steps = -(-ROWS // size) if by_step else 1
        name = "none" if full_batch else pick(rng, SCHEDULERS)
        if name == "two" and "weight_decay" not in self.optimizer.param_groups[0]:
            name = "plateau"
        values: dict[str, Any] = {
            "loss": "cross_entropy" if self.classes else "mse",
            "seed": int(rng.integers(100)),
            "batch_size": None if full_batch else size,
            "scheduler": SCHEDULERS[name](self.optimizer, EPOCHS * (steps + 1)),
            "scheduler_interval": "step" if by_step else "epoch",
            "callbacks": [self.average],
            "metrics": ["accuracy"] if self.classes else ["r2"],
        }
        if rng.random() < 0.6:
            values["early_stopping"] = EarlyStopping(patience=int(rng.integers(1, 6)))
        if rng.random() < 0.5:
            values["validation_split"] = 0.2
        if rng.random() < 0.3:
            values["sample_weight"] = rng.uniform(0.5, 2, ROWS)
        if not full_batch and rng.random() < 0.4:
            values |= {"mixup": 0.3, "input_noise": 0.05, "clip_grad_norm": 1.0, "accumulate_steps": 2}
        return values

    def fit(self, epochs: int = EPOCHS, **more: Any) -> None:
        """Train; callbacks that are given come after the average."""
        callbacks = [*self.arguments["callbacks"], *more.pop("callbacks", [])]
        arguments = {**self.arguments, **more, "callbacks": callbacks}
        self.net.fit(self.x, self.y, optimizer=self.optimizer, epochs=epochs, **arguments)

    def state(self) -> dict[str, Any]:
        """Return all that the fit has changed, but for times."""
        history = self.net.history.to_dict()
        del history["total_seconds"], history["history"]["seconds"]
        schedulers = self.arguments["scheduler"]
        each = schedulers if isinstance(schedulers, list) else [schedulers]
        return {
            "weights": self.net.state_dict(),
            "passes": self.net._core.step,
            "history": history,
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state_dict(),
            "schedulers": [None if one is None else _without_cache(one.state_dict()) for one in each],
        }


def _without_cache(state: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key != "_reached"}
