"""Clipping of gradients, before a step of one's own; ``fit`` and ``train_step`` take ``clip_grad_norm``."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from cmlp import _core
from cmlp.nn.parameter import Member, Parameter, members_of


def clip_grad_norm_(
    parameters: Parameter | Iterable[Parameter],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Scale the gradients in place so that the norm of all is at most ``max_norm``.

    The factor is ``max_norm / (norm + 1e-6)`` where that is below 1. The norm is summed in float64.

    Parameters
    ----------
    parameters : Parameter, or iterable of them
    max_norm : float
    norm_type : {1, 2, inf}, default 2
    error_if_nonfinite : bool, default False
        Refuse a norm that is NaN or infinite, and leave the gradients as they are.

    Returns
    -------
    float
        The norm before.

    Raises
    ------
    ValueError
        For another ``norm_type``, a negative ``max_norm``, parameters of two dtypes.
    RuntimeError
        For a norm that is not finite, with ``error_if_nonfinite``.

    Examples
    --------
    >>> from cmlp import nn
    >>> layer = nn.Linear(2, 1, bias=False)
    >>> layer.weight.grad = [[3.0, 4.0]]
    >>> nn.utils.clip_grad_norm_(layer.parameters(), max_norm=1.0)
    5.0
    >>> layer.weight.grad.round(3).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    members = _members(parameters, "clip_grad_norm_")
    if not members:
        return 0.0
    if error_if_nonfinite:
        norm = _core.grad_norm(members, norm_type)
        if not np.isfinite(norm):
            raise RuntimeError(f"clip_grad_norm_: the norm of the gradients is {norm}, nothing was clipped")
    return _core.clip_grad_norm(members, max_norm, norm_type)


def clip_grad_value_(parameters: Parameter | Iterable[Parameter], clip_value: float) -> None:
    """Bring every gradient into ``[-clip_value, clip_value]`` in place; NaN stays NaN.

    Raises
    ------
    ValueError
        For a negative ``clip_value``, parameters of two dtypes.

    Examples
    --------
    >>> from cmlp import nn
    >>> layer = nn.Linear(2, 1, bias=False)
    >>> layer.weight.grad = [[3.0, -0.25]]
    >>> nn.utils.clip_grad_value_(layer.parameters(), 1.0)
    >>> layer.weight.grad.tolist()
    [[1.0, -0.25]]
    """
    if members := _members(parameters, "clip_grad_value_"):
        _core.clip_grad_value(members, clip_value)


def _members(parameters: Parameter | Iterable[Parameter], function: str) -> list[Member]:
    return members_of([parameters] if isinstance(parameters, Parameter) else parameters, function)
