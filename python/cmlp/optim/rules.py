"""Rules that keep the gradient's scale, or nothing but its sign: SGD, ASGD, Rprop, Lion."""

from __future__ import annotations

from typing import Literal

from cmlp.optim.optimizers import Optimizer, Params


class SGD(Optimizer, rule="sgd"):
    """Stochastic gradient descent with momentum: ``v = momentum v + g; w -= lr v``.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 1e-3
    momentum : float, default 0.0
    dampening : float, default 0.0
        Share of each gradient after the first that is held back from ``v``.
    weight_decay : float, default 0.0
        Added to the gradient as ``weight_decay * w``.
    nesterov : bool, default False
        Step along ``g + momentum v`` (Sutskever et al., ICML 2013); needs momentum and no dampening.
    maximize : bool, default False
    velocity_mode : {"torch", "keras"}
        Where a step size that changes takes effect: on the velocity ("torch"), or on what is added to it,
        ``v = momentum v + lr g; w -= v``, as in Keras and scikit-learn ("keras").

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[0.5]]
    >>> optim.SGD(layer.parameters(), lr=1.0).step()
    >>> layer.weight.data.tolist()
    [[0.5]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        velocity_mode: Literal["torch", "keras"] = "torch",
    ) -> None:
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"SGD: nesterov needs momentum above 0 and no dampening, they are {momentum} and {dampening}"
            )


class ASGD(Optimizer, rule="asgd"):
    """Averaged descent: Polyak and Juditsky, SIAM Journal on Control and Optimization 1992.

    ``w = (1 - lambd eta) w - eta g`` with ``eta = lr / (1 + lambd lr s)^alpha`` after step s. The average of
    the weights since step t0 is the array ``state_dict()["state"][0]``.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 1e-2
    lambd : float, default 1e-4
    alpha : float, default 0.75
    t0 : float, default 1e6
        Step after which the average begins; until then it is the weights.
    weight_decay : float, default 0.0
        Added to the gradient as ``weight_decay * w``.
    maximize : bool, default False

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[0.5]]
    >>> optim.ASGD(layer.parameters(), lr=0.5, lambd=0.0).step()
    >>> layer.weight.data.tolist()
    [[0.75]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None: ...


class Rprop(Optimizer, rule="rprop"):
    """By the gradient's sign alone, for full batches: Riedmiller and Braun, ICNN 1993.

    Each weight has a step size, lr at first: times ``etas[1]`` while g keeps its sign, times ``etas[0]``
    where it turns, and then that step is left out.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 1e-2
    etas : (float, float), default (0.5, 1.2)
    step_sizes : (float, float), default (1e-6, 50)
        Smallest and largest step size.
    maximize : bool, default False

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[3.0]]
    >>> optim.Rprop(layer.parameters(), lr=0.25).step()
    >>> layer.weight.data.tolist()
    [[0.75]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        maximize: bool = False,
    ) -> None: ...


class Lion(Optimizer, rule="lion"):
    """By the sign of the momentum: Chen et al., NeurIPS 2023.

    ``w *= 1 - lr weight_decay; w -= lr sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g``. Names
    and defaults are the authors'.

    Parameters
    ----------
    params : iterable of Parameter, or of dicts
    lr : float, default 1e-4
    betas : (float, float), default (0.9, 0.99)
    weight_decay : float, default 0.0
        Taken off the weights, not added to the gradient.
    maximize : bool, default False

    Examples
    --------
    >>> from cmlp import nn, optim
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> layer.weight.data, layer.weight.grad = [[1.0]], [[3.0]]
    >>> optim.Lion(layer.parameters(), lr=0.25).step()
    >>> layer.weight.data.tolist()
    [[0.75]]
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None: ...
