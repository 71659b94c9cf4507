"""Layers, losses and initialisers under PyTorch's names, with an explicit backward."""

from __future__ import annotations

from cmlp.nn import activations as _activations
from cmlp.nn import init
from cmlp.nn.activations import *  # noqa: F403  the classes are made from the core's list
from cmlp.nn.layers import Dropout, Linear, Softmax
from cmlp.nn.losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, Loss, MSELoss
from cmlp.nn.module import Module, Parameter
from cmlp.nn.sequential import Sequential

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "Dropout",
    "Linear",
    "Loss",
    "MSELoss",
    "Module",
    "Parameter",
    "Sequential",
    "Softmax",
    "init",
    *_activations.__all__,
]
