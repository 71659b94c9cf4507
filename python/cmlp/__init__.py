"""Multilayer perceptrons on CPUs: a C++ core with PyTorch's names and a Keras-like fit.

``cmlp.nn`` has layers and losses, ``cmlp.optim`` optimizers; ``net.fit`` trains whole epochs natively.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    from cmlp._core import NonFiniteError, __version__
except ImportError as error:  # pragma: no cover - an installation without its compiled part
    raise ImportError(
        "cmlp's compiled core is missing: install the package, do not import its source"
    ) from error

from cmlp import nn, optim, runtime
from cmlp.checks import GradcheckReport, gradcheck
from cmlp.files import load, save
from cmlp.perceptron import Perceptron
from cmlp.registry import activations, initializers, losses, metrics, optimizers, schedules
from cmlp.runtime import get_num_threads, set_num_threads
from cmlp.training.checkpoint import Checkpoint
from cmlp.training.early_stopping import EarlyStopping
from cmlp.training.history import History

if TYPE_CHECKING:
    from cmlp.estimators import MLPClassifier as MLPClassifier
    from cmlp.estimators import MLPRegressor as MLPRegressor
    from cmlp.estimators import fit_many as fit_many

_ESTIMATORS = ("MLPClassifier", "MLPRegressor", "fit_many")  # of the package that needs scikit-learn


def __getattr__(name: str) -> Any:
    if name not in _ESTIMATORS:
        raise AttributeError(f"module 'cmlp' has no attribute '{name}'")
    try:
        from cmlp import estimators
    except ImportError as error:
        raise ImportError(f"cmlp.{name} needs scikit-learn (pip install 'cmlp[sklearn]'): {error}") from error
    return getattr(estimators, name)


def __dir__() -> list[str]:
    return [*globals(), *_ESTIMATORS]


__all__ = [
    "Checkpoint",
    "EarlyStopping",
    "GradcheckReport",
    "History",
    "NonFiniteError",
    "Perceptron",
    "__version__",
    "activations",
    "get_num_threads",
    "gradcheck",
    "initializers",
    "load",
    "losses",
    "metrics",
    "nn",
    "optim",
    "optimizers",
    "runtime",
    "save",
    "schedules",
    "set_num_threads",
]
