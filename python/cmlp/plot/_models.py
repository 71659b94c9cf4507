"""Models as plots take them: estimators, networks, Pipelines, and searches over these."""

from __future__ import annotations

from typing import Any, cast

from cmlp import nn


def fitted_part(model: Any) -> Any:
    """Return the best estimator of a search; any other model as it is."""
    return getattr(model, "best_estimator_", model)


def last_step(model: Any) -> Any:
    """Return the estimator or network at the end of a Pipeline or in a search; another model as it is."""
    while hasattr(model, "best_estimator_") or hasattr(model, "named_steps"):
        model = fitted_part(model)
        model = model.steps[-1][1] if hasattr(model, "named_steps") else model
    return model


def last_input(model: Any, x: Any) -> Any:
    """Return the rows as the last step of a Pipeline takes them."""
    model = fitted_part(model)
    if not hasattr(model, "named_steps"):
        return x
    before = model[:-1].transform(x) if len(model.steps) > 1 else x
    return last_input(model.steps[-1][1], before)


def network_of(model: Any, function: str) -> nn.Sequential:
    """Return the network of a fitted estimator or Pipeline, or the network that is given."""
    last = last_step(model)
    if isinstance(last, nn.Sequential):
        return last
    if not hasattr(type(last), "net_"):
        raise ValueError(
            f"{function}: model is of type {type(last).__name__}, it must be a network or a fitted estimator"
        )
    return cast(nn.Sequential, last.net_)


def estimator_of(model: Any, x: Any, y: Any, function: str) -> Any:
    """Return the model as scikit-learn's displays take one; a network is wrapped, by the kind of y."""
    if not hasattr(model, "predict"):
        raise ValueError(f"{function}: {type(model).__name__} has no predict; give a fitted model")
    try:
        from cmlp.estimators.wrapped import wrapped
    except ImportError as error:
        raise ImportError(
            f"plot.{function} needs scikit-learn (pip install 'cmlp[plot]'): {error}"
        ) from error
    return wrapped(fitted_part(model), x, y, function)
