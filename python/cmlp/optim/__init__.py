"""Optimizers under PyTorch's names."""

from __future__ import annotations

from cmlp.optim import lr_scheduler, swa_utils
from cmlp.optim.adam import Adam, Adamax, AdamW
from cmlp.optim.adaptive import Adan, NAdam, RAdam
from cmlp.optim.groups import param_groups
from cmlp.optim.lbfgs import LBFGS
from cmlp.optim.levenberg import LevenbergMarquardt
from cmlp.optim.muon import Muon
from cmlp.optim.optimizers import Optimizer
from cmlp.optim.rules import ASGD, SGD, Lion, Rprop
from cmlp.optim.scaled import Adadelta, Adagrad, RMSprop

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Adan",
    "LevenbergMarquardt",
    "Lion",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
    "param_groups",
    "swa_utils",
]


def __dir__() -> list[str]:
    return sorted(__all__)
