"""What the parameters of the two estimators may be, in scikit-learn's way of saying it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from numbers import Integral, Real
from typing import Any

import cmlp
from cmlp.estimators._sklearn_compat import Interval, StrOptions
from cmlp.estimators.constraints import COUNT, OURS, SCIKIT_LEARN, SHARE
from cmlp.estimators.plain_values import NotPlainError, decode, encode
from cmlp.tabular.errors import TableError, listing
from cmlp.tabular.recipe import PRESETS

COMMON: dict[str, list[Any]] = {
    "preset": [str],
    "time_limit": OURS["time_limit"],
    "cv": ["cv_object"],
    "types": [Mapping, None],
    "metric": [str, None],
    "validation": [SHARE],
    "class_weight": [None],
    "hidden": ["array-like", None],
    "activation": [str, None],
    "dropout": [SHARE, None],
    "optimizer": [str, None],
    "lr": [Interval(Real, 0, None, closed="neither"), None],
    "epochs": [COUNT, None],
    "batch_size": [COUNT, None],
    "patience": [Interval(Integral, 0, None, closed="left"), None],
    "random_state": SCIKIT_LEARN["random_state"],
    "n_threads": OURS["n_threads"],
}
NAMES: dict[str, Any] = {
    "preset": tuple(PRESETS),
    "activation": cmlp.activations(),
    "optimizer": cmlp.optimizers(),
}
CLASSIFIER: dict[str, list[Any]] = {**COMMON, "class_weight": [StrOptions({"balanced"}), Mapping, None]}


def check_parameters(model: Any) -> None:
    """Refuse the parameters of an estimator that cannot be used.

    Parameters
    ----------
    model : TabularClassifier or TabularRegressor
        The estimator.

    Raises
    ------
    TableError
        Names the parameter, its value and the rule.
    """
    try:
        model._validate_params()
    except ValueError as error:
        raise TableError(str(error)) from error
    widths: Any = () if model.hidden is None else model.hidden
    if not all(isinstance(width, Integral) and int(width) >= 1 for width in widths):
        raise TableError(f"hidden is {model.hidden!r}, the widths must be integers of at least 1")
    for name, valid in NAMES.items():
        value = getattr(model, name)
        if value is not None and value not in valid:
            raise TableError(f"unknown {name} {value!r}; choose from {', '.join(valid)}")


def class_factors(given: Any, classes: Sequence[Any]) -> Any:
    """Weights of classes by their codes, from weights by their labels; "balanced" and None as they are.

    Examples
    --------
    >>> from cmlp.tabular.parameters import class_factors
    >>> class_factors({"yes": 3.0}, ("no", "yes"))
    {0: 1.0, 1: 3.0}
    """
    if not isinstance(given, Mapping):
        return given
    unknown = [label for label in given if label not in classes]
    if unknown:
        known = listing([repr(label) for label in classes])
        raise TableError(f"class_weight has {unknown[0]!r}; the classes are {known}")
    factors = {code: given.get(label, 1.0) for code, label in enumerate(classes)}
    for value in factors.values():
        if not isinstance(value, Real) or not 0 <= float(value) < float("inf"):
            raise TableError(f"class_weight has {value!r}, it must be finite and at least 0")
    if not any(factors.values()):
        raise TableError("class_weight is 0 for every class")
    return {code: float(value) for code, value in factors.items()}


def as_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that are plain data, for the model file; others have their default after loading."""
    kept = {}
    for name, value in parameters.items():
        with suppress(NotPlainError):
            kept[name] = encode(value)
    return kept


def from_json(data: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a model file."""
    return {name: decode(value) for name, value in data.items()}
