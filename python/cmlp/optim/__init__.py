"""Optimizers under PyTorch's names."""

from __future__ import annotations

from cmlp.optim.adam import Adam, Adamax, AdamW
from cmlp.optim.adaptive import Adan, NAdam, RAdam
from cmlp.optim.optimizers import Optimizer
from cmlp.optim.rules import ASGD, SGD, Lion, Rprop
from cmlp.optim.scaled import Adadelta, Adagrad, RMSprop

__all__ = [
    "ASGD",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Adan",
    "Lion",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
]
