"""Layers, losses and initialisers under PyTorch's names, with an explicit backward."""

from __future__ import annotations

from typing import NoReturn

from cmlp._foreign_names import advice as _advice
from cmlp.nn import activations as _activations
from cmlp.nn import init, utils
from cmlp.nn import losses as _losses
from cmlp.nn.activations import *  # noqa: F403  the classes are made from the core's list
from cmlp.nn.container import Residual
from cmlp.nn.embeddings import Embedding, PeriodicEmbedding, PiecewiseLinearEmbedding, quantile_bins
from cmlp.nn.ensemble import Ensemble
from cmlp.nn.gated import GEGLU, GLU, PReLU, RReLU, SwiGLU
from cmlp.nn.layers import AlphaDropout, Dropout, Flatten, Linear, LogSoftmax, Softmax
from cmlp.nn.losses import *  # noqa: F403  all that the package names
from cmlp.nn.module import Module, Parameter
from cmlp.nn.norms import BatchNorm1d, LayerNorm, RMSNorm
from cmlp.nn.sequential import Sequential
from cmlp.nn.tabular import BatchEnsemble, ParametricActivation, Scale


def __getattr__(name: str) -> NoReturn:
    hint = _advice("nn", name)
    raise AttributeError(f"module 'cmlp.nn' has no attribute '{name}'" + (f"; {hint}" if hint else ""))


__all__ = [
    "AlphaDropout",
    "BatchEnsemble",
    "BatchNorm1d",
    "Dropout",
    "Embedding",
    "Ensemble",
    "Flatten",
    "GEGLU",
    "GLU",
    "LayerNorm",
    "Linear",
    "LogSoftmax",
    "Module",
    "PReLU",
    "Parameter",
    "ParametricActivation",
    "PeriodicEmbedding",
    "PiecewiseLinearEmbedding",
    "RMSNorm",
    "RReLU",
    "Residual",
    "Scale",
    "Sequential",
    "Softmax",
    "SwiGLU",
    "init",
    "quantile_bins",
    "utils",
    *_activations.__all__,
    *_losses.__all__,
]


def __dir__() -> list[str]:
    return sorted(__all__)
