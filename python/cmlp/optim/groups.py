"""Parameter groups by the kind of layer or by name, for rates and decays that differ from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from cmlp.nn.module import Module, Parameter

Factors = Mapping[str, Mapping[str, float]]


def param_groups(module: Module, factors: Factors, **settings: float) -> list[dict[str, Any]]:
    """Return the module's parameters in groups, each with the settings times its factors.

    A key of ``factors`` fits a parameter by its name, ``"0.bias"``, or by its layer's kind and its name
    there, ``"Linear.bias"``; ``*`` stands for anything. Where several fit, their factors are multiplied.
    Note that decoupled weight decay takes ``lr * weight_decay`` off: a factor of the rate is one of the
    decay too.

    Parameters
    ----------
    module : Module
    factors : dict of dict
        ``{pattern: {setting: factor}}``.
    **settings : float
        What the factors are of: ``lr``, ``weight_decay`` and others of the optimizer.

    Returns
    -------
    list of dict
        For any optimizer of :mod:`cmlp.optim`; parameters whose factors are the same share a group.

    Raises
    ------
    ValueError
        For a pattern that fits no parameter, or a factor of a setting that is not given.

    Examples
    --------
    RealMLP's factors of the learning rate (Holzmueller, Grinsztajn and Steinwart, arXiv:2407.04491), without
    decay of the biases:

    >>> from cmlp import nn, optim
    >>> net = nn.Sequential(nn.Scale(4), nn.Linear(4, 8), nn.SELU(), nn.Linear(8, 1))
    >>> factors = {"Scale.*": {"lr": 6.0}, "Linear.bias": {"lr": 0.5, "weight_decay": 0.0}}
    >>> groups = optim.param_groups(net, factors, lr=0.04, weight_decay=0.02)
    >>> for group in optim.AdamW(groups).param_groups:
    ...     print([p.name for p in group["params"]], group["lr"], group["weight_decay"])
    ['0.weight'] 0.24 0.02
    ['1.weight', '3.weight'] 0.04 0.02
    ['1.bias', '3.bias'] 0.02 0.0
    """
    if unknown := sorted({key for each in factors.values() for key in each} - settings.keys()):
        raise ValueError(f"param_groups: there are factors of {', '.join(unknown)}, which is not given")
    unused = set(factors)
    groups: dict[tuple[float, ...], list[Parameter]] = {}
    for name, parameter in module.named_parameters():
        names = name, f"{parameter._module._kind}.{name.rpartition('.')[2]}"
        fitting = [key for key in factors if any(fnmatchcase(name, key) for name in names)]
        unused.difference_update(fitting)
        values = dict(settings)
        for key in fitting:
            for setting, factor in factors[key].items():
                values[setting] *= factor
        groups.setdefault(tuple(values.values()), []).append(parameter)
    if unused:
        raise ValueError(f"param_groups: no parameter fits {', '.join(map(repr, sorted(unused)))}")
    return [{"params": members, **dict(zip(settings, key, strict=True))} for key, members in groups.items()]
