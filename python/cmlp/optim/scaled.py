"""Rules that divide by a root of the squared gradients: Adagrad, Adadelta, RMSprop."""

from __future__ import annotations

from cmlp.optim.optimizers import Optimizer, Params


class Adagrad(Optimizer, rule="adagrad"):
    """``w -= lr g / (sqrt(v) + eps)``, v the sum of all g^2: Duchi et al., JMLR 2011.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 1e-2
    lr_decay : float, default 0.0
        The step s takes ``lr / (1 + (s - 1) lr_decay)``.
    weight_decay : float, default 0.0
        Added to the gradient as ``weight_decay * w``.
    initial_accumulator_value : float, default 0.0
        Where v starts.
    eps : float, default 1e-10
    maximize : bool, default False

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[0.5]]
    >>> optim.Adagrad(layer.parameters(), lr=0.25).step()
    >>> layer.weight.data.tolist()
    [[0.75]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None: ...


class Adadelta(Optimizer, rule="adadelta"):
    """Steps as large as the recent ones: Zeiler, arXiv:1212.5701.

    ``d = sqrt(u + eps) / sqrt(v + eps) g; w -= lr d``, v and u running means of g^2 and of d^2.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 1.0
    rho : float, default 0.9
        Share of the old mean in the new one.
    eps : float, default 1e-6
    weight_decay : float, default 0.0
        Added to the gradient as ``weight_decay * w``.
    maximize : bool, default False

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[0.0]]
    >>> optim.Adadelta(layer.parameters()).step()
    >>> layer.weight.data.tolist()
    [[1.0]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None: ...


class RMSprop(Optimizer, rule="rmsprop"):
    """``w -= lr g / (sqrt(v) + eps)``, v a running mean of g^2: Tieleman and Hinton, 2012.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 1e-2
    alpha : float, default 0.99
        Share of the old mean in the new one.
    eps : float, default 1e-8
    weight_decay : float, default 0.0
        Added to the gradient as ``weight_decay * w``.
    momentum : float, default 0.0
        Of the scaled gradients.
    centered : bool, default False
        Divide by the root of the variance, ``v`` less the square of the mean of g (Graves, arXiv:1308.0850).
    maximize : bool, default False

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[0.5]]
    >>> optim.RMSprop(layer.parameters(), lr=0.25, alpha=0.0).step()
    >>> layer.weight.data.tolist()
    [[0.75]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None: ...
