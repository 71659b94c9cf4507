"""Initialisers under PyTorch's names: each fills a parameter in place and returns it.

Random ones take ``seed``; the numbers follow from it and the parameter's place in its network alone.
"""

from __future__ import annotations

from cmlp.nn.module import Parameter


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


def kaiming_uniform_(parameter: Parameter, gain: float = 2**0.5, *, seed: int = 0) -> Parameter:
    """Draw from U(-a, a), a = gain sqrt(3 / in): He et al., ICCV 2015."""
    return _fill(parameter, "kaiming_uniform", seed, gain=gain)


def kaiming_normal_(parameter: Parameter, gain: float = 2**0.5, *, seed: int = 0) -> Parameter:
    """Draw from N(0, s^2), s = gain / sqrt(in): He et al., ICCV 2015."""
    return _fill(parameter, "kaiming_normal", seed, gain=gain)


def lecun_uniform_(parameter: Parameter, *, seed: int = 0) -> Parameter:
    """Draw from U(-a, a), a = sqrt(3 / in): LeCun et al., Efficient BackProp, 1998."""
    return _fill(parameter, "lecun_uniform", seed)


def lecun_normal_(parameter: Parameter, *, seed: int = 0) -> Parameter:
    """Draw from N(0, s^2), s = 1 / sqrt(in): LeCun et al., Efficient BackProp, 1998."""
    return _fill(parameter, "lecun_normal", seed)


def orthogonal_(parameter: Parameter, gain: float = 1.0, *, seed: int = 0) -> Parameter:
    """Fill with gain times a matrix of orthonormal rows or columns: Saxe et al., ICLR 2014."""
    return _fill(parameter, "orthogonal", seed, gain=gain)
