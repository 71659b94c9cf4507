"""Later rules of Adam's family: NAdam, RAdam, Adan."""

from __future__ import annotations

from cmlp.optim.optimizers import Optimizer, Params


class NAdam(Optimizer, rule="nadam"):
    """Adam with Nesterov's momentum: Dozat, ICLR workshop 2016.

    ``w -= lr ((1 - mu) / (1 - p) g + mu' / (1 - p mu') m) / (sqrt(v_hat) + eps)`` with the momentum
    ``mu = beta1 (1 - 0.96^(s momentum_decay) / 2)`` of step s, mu' that of the next, p the product of all.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 2e-3
    betas : (float, float), default (0.9, 0.999)
    eps : float, default 1e-8
    weight_decay : float, default 0.0
        Added to the gradient as ``weight_decay * w``.
    momentum_decay : float, default 4e-3
    decoupled_weight_decay : bool, default False
        Take ``lr * weight_decay * w`` off the weights instead, as :class:`AdamW` does.
    maximize : bool, default False

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[0.5]]
    >>> optim.NAdam(layer.parameters(), lr=0.0).step()
    >>> layer.weight.data.tolist()
    [[1.0]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None: ...


class RAdam(Optimizer, rule="radam"):
    """Adam whose step is rectified while v rests on few gradients: Liu et al., ICLR 2020.

    With ``a = 2 / (1 - beta2) - 1`` and ``b = a - 2 s beta2^s / (1 - beta2^s)`` the step of Adam is scaled by
    ``sqrt((b - 4) (b - 2) a / ((a - 4) (a - 2) b))``; until b exceeds 5 it is ``lr m_hat`` alone.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 1e-3
    betas : (float, float), default (0.9, 0.999)
    eps : float, default 1e-8
        Added to ``sqrt(v)`` before the correction of v.
    weight_decay : float, default 0.0
        Added to the gradient as ``weight_decay * w``.
    decoupled_weight_decay : bool, default False
        Take ``lr * weight_decay * w`` off the weights instead, as :class:`AdamW` does.
    maximize : bool, default False

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[0.5]]
    >>> optim.RAdam(layer.parameters(), lr=0.5).step()
    >>> layer.weight.data.tolist()
    [[0.75]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None: ...


class Adan(Optimizer, rule="adan"):
    """Nesterov momentum from differences of gradients: Xie et al., TPAMI 2024.

    m, v and n are running means of g, of ``d = g - g before`` (0 at first) and of ``(g + beta2 d)^2``;
    ``w -= lr (m_hat + beta2 v_hat) / (sqrt(n_hat) + eps)``, then ``w /= 1 + lr weight_decay``. Names and
    defaults are the authors'.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 1e-3
    betas : (float, float, float), default (0.98, 0.92, 0.99)
    eps : float, default 1e-8
    weight_decay : float, default 0.0
        Taken off the weights, by a proximal step.
    no_prox : bool, default False
        Multiply the weights by ``1 - lr * weight_decay`` before the step instead.
    maximize : bool, default False

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[0.5]]
    >>> optim.Adan(layer.parameters(), lr=0.25).step()
    >>> layer.weight.data.tolist()
    [[0.75]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float, float] = (0.98, 0.92, 0.99),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        no_prox: bool = False,
        *,
        maximize: bool = False,
    ) -> None: ...
