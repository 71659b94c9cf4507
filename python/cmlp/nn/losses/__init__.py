"""Losses: call one with predictions and targets, then call its ``backward`` for the gradient."""

from __future__ import annotations

from cmlp.nn.losses.base import Loss
from cmlp.nn.losses.binary import (
    BCELoss,
    BCEWithLogitsLoss,
    BinaryFocalLoss,
    HingeLoss,
    SoftMarginLoss,
    SquaredHingeLoss,
)
from cmlp.nn.losses.classes import CrossEntropyLoss, FocalLoss, MultiMarginLoss, NLLLoss
from cmlp.nn.losses.distributions import (
    GammaDevianceLoss,
    GaussianNLLLoss,
    KLDivLoss,
    PoissonNLLLoss,
    TweedieLoss,
)
from cmlp.nn.losses.regression import (
    HuberLoss,
    L1Loss,
    LogCoshLoss,
    MSELoss,
    QuantileLoss,
    SmoothL1Loss,
)

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "BinaryFocalLoss",
    "CrossEntropyLoss",
    "FocalLoss",
    "GammaDevianceLoss",
    "GaussianNLLLoss",
    "HingeLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "LogCoshLoss",
    "Loss",
    "MSELoss",
    "MultiMarginLoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "QuantileLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "SquaredHingeLoss",
    "TweedieLoss",
]
