"""Optimizers by the names that ``fit(optimizer=...)`` takes."""

from __future__ import annotations

from cmlp._foreign_names import unknown
from cmlp.nn.parameter import Parameter
from cmlp.optim.full_batch import FullBatch
from cmlp.optim.lbfgs import LBFGS
from cmlp.optim.levenberg import LevenbergMarquardt
from cmlp.optim.optimizers import Optimizer
from cmlp.optim.settings import SETTINGS


def by_name(name: str, parameters: list[Parameter]) -> Optimizer | FullBatch:
    """Return the optimizer of that name with its defaults; "lbfgs" has a line search.

    Raises
    ------
    ValueError
        For an unknown name.

    Examples
    --------
    >>> from cmlp import nn
    >>> from cmlp.optim.names import by_name
    >>> type(by_name("adam", nn.Linear(2, 1).parameters())).__name__
    'Optimizer'
    """
    if name == "lbfgs":
        return LBFGS(parameters, line_search_fn="strong_wolfe")
    if name == "levenberg_marquardt":
        return LevenbergMarquardt(parameters)
    if name not in SETTINGS:
        raise ValueError(unknown("optimizer", name, [*SETTINGS, "lbfgs", "levenberg_marquardt"]))
    return Optimizer(parameters, name)
