"""Multilayer perceptrons on CPUs: a C++ core with PyTorch's names and a Keras-like fit.

``cmlp.nn`` has layers and losses, ``cmlp.optim`` optimizers; ``net.fit`` trains epochs natively.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

try:
    from cmlp._core import NonFiniteError, __version__
except ImportError as _error:  # pragma: no cover - an installation without its compiled part
    raise ImportError(
        "cmlp's compiled core is missing: install the package, do not import its source"
    ) from _error

from cmlp import nn, optim, runtime
from cmlp._arguments import check_arguments
from cmlp._foreign_names import advice as _advice
from cmlp.checks import GradcheckReport, gradcheck
from cmlp.files import load, load_optimizer, save
from cmlp.perceptron import Perceptron
from cmlp.registry import activations, initializers, losses, metrics, optimizers, schedules
from cmlp.runtime import get_num_threads, set_num_threads
from cmlp.training.checkpoint import Checkpoint
from cmlp.training.early_stopping import EarlyStopping
from cmlp.training.history import History

if TYPE_CHECKING:
    from cmlp import estimators as estimators
    from cmlp import plot as plot
    from cmlp import tabular as tabular
    from cmlp.estimators import MLPClassifier as MLPClassifier
    from cmlp.estimators import MLPRegressor as MLPRegressor
    from cmlp.estimators import fit_many as fit_many
    from cmlp.tabular import TabularClassifier as TabularClassifier
    from cmlp.tabular import TabularRegressor as TabularRegressor

# Names of packages that are loaded when they are first used.
_LAZY = {
    "MLPClassifier": "estimators",
    "MLPRegressor": "estimators",
    "fit_many": "estimators",
    "TabularClassifier": "tabular",
    "TabularRegressor": "tabular",
}
_EXTRAS = {  # such packages, with what they need
    "estimators": "scikit-learn (pip install 'cmlp[sklearn]')",
    "plot": "matplotlib (pip install 'cmlp[plot]')",
    "tabular": "pyarrow and scikit-learn (pip install 'cmlp[tabular]')",
}


def __getattr__(name: str) -> Any:
    if name in nn.__all__ and name[0].isupper():  # from cmlp import Sequential
        return getattr(nn, name)
    package = _LAZY.get(name, name)
    if package not in _EXTRAS:
        hint = _advice("cmlp", name)
        raise AttributeError(f"module 'cmlp' has no attribute '{name}'" + (f"; {hint}" if hint else ""))
    try:
        loaded = importlib.import_module(f"cmlp.{package}")
        return getattr(loaded, name) if name in _LAZY else loaded
    except ImportError as error:
        raise ImportError(f"cmlp.{name} needs {_EXTRAS[package]}: {error}") from error


def __dir__() -> list[str]:
    return sorted({*__all__, *_LAZY, *_EXTRAS})


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
    "load_optimizer",
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

for _module in (nn, nn.init, nn.utils, optim, optim.lr_scheduler, optim.swa_utils, sys.modules[__name__]):
    check_arguments(_module)
