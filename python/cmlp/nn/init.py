"""Initialisers under PyTorch's names: each fills a parameter in place and returns it.

Random ones take ``seed``; the numbers follow from it and the parameter's place in its network alone.
"""

from __future__ import annotations

import math

import numpy.typing as npt

from cmlp.nn.module import Module, Parameter


def _fill(parameter: Parameter, name: str, seed: int = 0, **settings: float) -> Parameter:
    parameter._core.initialize(parameter._index, name, settings, seed)
    return parameter


def zeros_(parameter: Parameter) -> Parameter:
    """Fill with 0: fine for a bias; for weights every unit of a layer then learns the same."""
    return _fill(parameter, "zeros")


def constant_(parameter: Parameter, val: float) -> Parameter:
    """Fill with ``val``.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.init.constant_(nn.Linear(2, 1).weight, 0.5).data.tolist()
    [[0.5, 0.5]]
    """
    return _fill(parameter, "constant", value=val)


def normal_(parameter: Parameter, mean: float = 0.0, std: float = 1.0, *, seed: int = 0) -> Parameter:
    """Draw from N(mean, std^2)."""
    return _fill(parameter, "normal", seed, mean=mean, std=std)


def uniform_(parameter: Parameter, a: float = 0.0, b: float = 1.0, *, seed: int = 0) -> Parameter:
    """Draw from U(a, b)."""
    return _fill(parameter, "uniform", seed, low=a, high=b)


def xavier_uniform_(parameter: Parameter, gain: float = 1.0, *, seed: int = 0) -> Parameter:
    """Draw from U(-a, a), a = gain sqrt(6 / (in + out)): Glorot and Bengio, AISTATS 2010."""
    return _fill(parameter, "xavier_uniform", seed, gain=gain)


def xavier_normal_(parameter: Parameter, gain: float = 1.0, *, seed: int = 0) -> Parameter:
    """Draw from N(0, s^2), s = gain sqrt(2 / (in + out)): Glorot and Bengio, AISTATS 2010."""
    return _fill(parameter, "xavier_normal", seed, gain=gain)


_ONE = ("linear", "sigmoid", "identity", "conv1d", "conv2d", "conv3d")


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor by which weights before this activation are scaled; ``param`` is leaky ReLU's slope.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.init.calculate_gain("tanh")
    1.6666666666666667
    """
    slope = 0.01 if param is None else float(param)
    leaky = math.sqrt(2 / (1 + slope**2))
    gains = {"tanh": 5 / 3, "relu": math.sqrt(2), "leaky_relu": leaky, "selu": 0.75}
    gains.update(dict.fromkeys(_ONE, 1.0))
    if nonlinearity not in gains:
        choices = ", ".join(gains)
        raise ValueError(f"calculate_gain: nonlinearity is '{nonlinearity}'; choose from {choices}")
    return gains[nonlinearity]


def _kaiming(parameter: Parameter, name: str, a: float, mode: str, nonlinearity: str, seed: int) -> Parameter:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{name}_: mode is '{mode}'; choose from fan_in, fan_out")
    gain = calculate_gain(nonlinearity, a)
    return _fill(parameter, name, seed, gain=gain, fan_out=float(mode == "fan_out"))


def kaiming_uniform_(
    parameter: Parameter,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    seed: int = 0,
) -> Parameter:
    """Draw from U(-b, b), b = gain sqrt(3 / fan): He et al., ICCV 2015; ``a`` is leaky ReLU's slope."""
    return _kaiming(parameter, "kaiming_uniform", a, mode, nonlinearity, seed)


def kaiming_normal_(
    parameter: Parameter,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    seed: int = 0,
) -> Parameter:
    """Draw from N(0, s^2), s = gain / sqrt(fan): He et al., ICCV 2015; ``a`` is leaky ReLU's slope."""
    return _kaiming(parameter, "kaiming_normal", a, mode, nonlinearity, seed)


def ones_(parameter: Parameter) -> Parameter:
    """Fill with 1."""
    return _fill(parameter, "ones")


def eye_(parameter: Parameter) -> Parameter:
    """Fill with the identity: 1 where row and column are the same."""
    return _fill(parameter, "eye")


def trunc_normal_(
    parameter: Parameter,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    *,
    seed: int = 0,
) -> Parameter:
    """Draw from N(mean, std^2) given that the number lies in [a, b]."""
    return _fill(parameter, "trunc_normal", seed, mean=mean, std=std, a=a, b=b)


def sparse_(parameter: Parameter, sparsity: float, std: float = 0.01, *, seed: int = 0) -> Parameter:
    """Draw from N(0, std^2); in each column a share ``sparsity`` of the elements is 0: Martens, ICML 2010."""
    return _fill(parameter, "sparse", seed, sparsity=sparsity, std=std)


def lecun_uniform_(parameter: Parameter, *, seed: int = 0) -> Parameter:
    """Draw from U(-a, a), a = sqrt(3 / in): LeCun et al., Efficient BackProp, 1998."""
    return _fill(parameter, "lecun_uniform", seed)


def lecun_normal_(parameter: Parameter, *, seed: int = 0) -> Parameter:
    """Draw from N(0, s^2), s = 1 / sqrt(in): LeCun et al., Efficient BackProp, 1998."""
    return _fill(parameter, "lecun_normal", seed)


def orthogonal_(parameter: Parameter, gain: float = 1.0, *, seed: int = 0) -> Parameter:
    """Fill with gain times a matrix of orthonormal rows or columns: Saxe et al., ICLR 2014."""
    return _fill(parameter, "orthogonal", seed, gain=gain)


def data_driven_(module: Module, x: npt.ArrayLike, *, seed: int = 0) -> Module:
    """Initialise the linear layers of a network from rows of its training data, one after the other.

    Weights: each row is ``g / std(x g)`` with g ~ N(0, 1), so that every output has standard deviation 1 over
    the rows (before the bias; ``g`` itself where all rows give the same). Biases: ``-sum_k lambda_k
    z_k``, z_k the outputs of five rows drawn at random and lambda ~ Dirichlet(1, ..., 1), so that every
    unit's kink lies amid the data. The layers between are used as they are and in the network's mode: in
    training mode dropout draws and batch norms go by the rows, while their running statistics stay.
    RealMLP's initialisation (Holzmueller, Grinsztajn and Steinwart, arXiv:2407.04491; the bias after
    Steinwart, arXiv:1903.11482).

    Parameters
    ----------
    module : Module
        A network or a layer of one; returned.
    x : array (rows, in)
        What comes into it: finite training data, prepared as for ``fit``.
    seed : int, default 0
        The numbers follow from it and the layers' places.

    Returns
    -------
    Module

    Raises
    ------
    ValueError
        When ``x`` has no rows, the wrong number of columns or a number that is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from cmlp import nn
    >>> x = np.random.default_rng(0).normal(5, 3, (100, 4))
    >>> net = nn.init.data_driven_(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2), seed=0), x)
    >>> net[0](x).std(axis=0).round(5).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    module._core.initialize_from(x, seed, module._first, module._last)
    return module
