"""Muon: orthogonalised momentum for weight matrices."""

from __future__ import annotations

from typing import Literal

from cmlp.optim.optimizers import Optimizer, Params


class Muon(Optimizer, rule="muon"):
    """Step along the nearest orthogonal matrix to the momentum: Jordan et al., 2024.

    For each weight matrix ``m += (1 - momentum) (g - m)``; ``X = g + momentum (m - g)``, or m without
    Nesterov, is divided by its norm and then ``ns_steps`` times becomes ``a X + (b X X^T + c (X X^T)^2) X``;
    ``W = (1 - lr weight_decay) W - lr r X``. PyTorch's class takes matrices only; this one steps biases and
    all else that is one-dimensional as :class:`AdamW` does, with ``betas`` and ``adam_eps``, so that one
    optimizer may have all parameters. Give them a learning rate of their own in a group of their own. The
    iteration runs in the weights' own precision; PyTorch's runs in bfloat16.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 1e-3
    weight_decay : float, default 0.1
        Taken off the weights, not added to the gradient.
    momentum : float, default 0.95
    nesterov : bool, default True
    ns_coefficients : (float, float, float), default (3.4445, -4.775, 2.0315)
    eps : float, default 1e-7
        Least norm to divide by.
    ns_steps : int, default 5
    adjust_lr_fn : {None, "original", "match_rms_adamw"}
        The factor r: ``sqrt(max(1, out / in))`` (None, "original"), or ``0.2 sqrt(max(out, in))``, which
        makes a step as large as AdamW's.
    betas : (float, float), default (0.9, 0.999)
    adam_eps : float, default 1e-8

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> weights = [p for p in net.parameters() if p.data.ndim == 2]
    >>> biases = [p for p in net.parameters() if p.data.ndim == 1]
    >>> muon = optim.Muon([{"params": weights, "lr": 0.02}, {"params": biases, "lr": 1e-3}])
    >>> muon.param_groups[0]["ns_coefficients"]
    (3.4445, -4.775, 2.0315)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: Literal["original", "match_rms_adamw"] | None = None,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        adam_eps: float = 1e-8,
    ) -> None: ...
