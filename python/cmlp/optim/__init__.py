"""Optimizers under PyTorch's names."""

from __future__ import annotations

from cmlp.optim.optimizers import SGD, Adam, AdamW, Optimizer

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]
