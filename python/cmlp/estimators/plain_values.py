"""The classes whose objects a file of an estimator may hold beside plain data."""

from __future__ import annotations

from typing import Any

from sklearn.preprocessing import LabelBinarizer, StandardScaler

from cmlp import nn
from cmlp._plain_values import NotPlainError, PlainReader, PlainWriter
from cmlp.estimators.data import Imputer
from cmlp.estimators.losses import Objective
from cmlp.estimators.row_order import RowOrder
from cmlp.estimators.solvers import Solver
from cmlp.estimators.weights import ClassWeights
from cmlp.nn import losses
from cmlp.nn.activations import Activation

__all__ = ["NotPlainError", "decode", "encode"]

_PARTS = (Imputer, Objective, RowOrder, Solver, ClassWeights, LabelBinarizer, StandardScaler)
_ACTIVATIONS = tuple(
    kind for kind in vars(nn).values() if isinstance(kind, type) and issubclass(kind, Activation)
)
_LOSSES = tuple(getattr(losses, name) for name in losses.__all__)
CLASSES: dict[str, type] = {kind.__name__: kind for kind in (*_PARTS, *_ACTIVATIONS, *_LOSSES)}


def encode(value: Any) -> Any:
    """Return a value as JSON types; raise NotPlainError for one that is neither plain nor of the list."""
    return PlainWriter(CLASSES).encode(value)


def decode(data: Any) -> Any:
    """Return the value of what `encode` returned; anything else raises ValueError or one of `BAD_DATA`."""
    return PlainReader(CLASSES).decode(data)
