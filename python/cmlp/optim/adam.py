"""Adam, AdamW and Adamax."""

from __future__ import annotations

from typing import Literal

from cmlp.optim.optimizers import Optimizer, Params


class Adam(Optimizer, rule="adam"):
    """``w -= lr m_hat / (sqrt(v_hat) + eps)``, m and v running means of g and g^2: Kingma and Ba, ICLR 2015.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 1e-3
    betas : (float, float), default (0.9, 0.999)
    eps : float, default 1e-8
    weight_decay : float, default 0.0
        Added to the gradient as ``weight_decay * w``.
    amsgrad : bool, default False
        Divide by the largest mean of g^2 so far (Reddi et al., ICLR 2018).
    maximize : bool, default False
    decoupled_weight_decay : bool, default False
        Take ``lr * weight_decay * w`` off the weights instead, as :class:`AdamW` does.
    eps_mode : {"torch", "keras"}
        Where eps stands: added to ``sqrt(v / (1 - beta2^s))`` ("torch"), or to ``sqrt(v)`` with the
        corrections taken into the step size, as Keras and scikit-learn do ("keras"; the paper's "epsilon
        hat").

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[0.5]]
    >>> optim.Adam(layer.parameters(), lr=0.25).step()
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
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        eps_mode: Literal["torch", "keras"] = "torch",
    ) -> None: ...


class AdamW(Optimizer, rule="adamw"):
    """Adam after ``w *= 1 - lr weight_decay``: Loshchilov and Hutter, ICLR 2019.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 1e-3
    betas : (float, float), default (0.9, 0.999)
    eps : float, default 1e-8
    weight_decay : float, default 1e-2
    amsgrad : bool, default False
        Divide by the largest mean of g^2 so far (Reddi et al., ICLR 2018).
    maximize : bool, default False
    eps_mode : {"torch", "keras"}
        As in :class:`Adam`.

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[0.0]]
    >>> optim.AdamW(layer.parameters(), lr=0.5, weight_decay=0.5).step()
    >>> layer.weight.data.tolist()
    [[0.75]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        eps_mode: Literal["torch", "keras"] = "torch",
    ) -> None: ...


class Adamax(Optimizer, rule="adamax"):
    """Adam by the largest gradient: ``w -= lr m_hat / u``, Kingma and Ba, ICLR 2015.

    ``u = max(beta2 u, |g| + eps)``.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 2e-3
    betas : (float, float), default (0.9, 0.999)
    eps : float, default 1e-8
    weight_decay : float, default 0.0
        Added to the gradient as ``weight_decay * w``.
    maximize : bool, default False

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[0.5]]
    >>> optim.Adamax(layer.parameters(), lr=0.25, eps=1e-10).step()
    >>> layer.weight.data.tolist()
    [[0.75]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None: ...
