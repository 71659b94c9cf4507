"""The loss of an estimator: what the network's outputs are to it, and the targets it takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cmlp import _core, nn
from cmlp.nn.losses import Loss
from cmlp.registry import losses
from cmlp.training.run import as_loss

# Where the linear part of Huber's loss begins, so that it is half the squared error.
_OUT_OF_REACH = float(np.finfo(np.float32).max)
_OUT = {"value": "identity", "log_mean": "exp", "quantiles": "identity", "moments": "identity"}


class Objective:
    """A loss with the function that computes predictions from the network's outputs."""

    def __init__(self, loss: Loss, out: str) -> None:
        self.loss = loss
        self.kind: str = _core.output_kind(loss.name)  # of the network's outputs
        self.out = out  # "identity", "exp", "softmax" or "logistic"
        self.columns = 2 if self.kind == "moments" else 1  # of the network's output, for each of targets
        self.targets: str = _core.target_range(loss.name)
        self.name: str = repr((loss.name, loss.reduction, loss.settings))

    def check(self, y: npt.NDArray[Any]) -> None:
        """Raise ValueError for targets that the loss is not defined for."""
        name, least = self.loss.name, y.min()
        if least < 0 and self.targets == "nonnegative":
            raise ValueError(f"fit: y has {least:g}, the loss '{name}' takes numbers of at least 0")
        if least <= 0 and self.targets == "positive":
            raise ValueError(f"fit: y has {least:g}, the loss '{name}' takes numbers above 0")

    def target(self, y: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return y as the loss takes it."""
        return 2 * y - 1 if self.targets == "sign" else y

    def constant(self, y: npt.NDArray[Any], weight: npt.NDArray[Any] | None) -> float:
        """Return what scikit-learn's value has beside the loss's: Poisson's terms of the targets alone."""
        if self.out != "exp" or self.loss.name != "poisson_nll" or self.loss.settings.get("full"):
            return 0.0
        positive = np.where(y > 0, y, 1.0)
        terms = (y * np.log(positive) - y).reshape(len(y), -1).mean(axis=1)
        return float(np.average(terms, weights=weight))


def regression(loss: Any) -> Objective:
    """Return the objective of "squared_error", "poisson", a name of :func:`cmlp.losses` or a loss.

    A network is free to give any number, so a loss of moments takes logarithms of variances from it.
    """
    if loss == "squared_error":
        return Objective(nn.HuberLoss(delta=_OUT_OF_REACH), "identity")
    chosen = nn.PoissonNLLLoss() if loss == "poisson" else as_loss(loss)
    kind = _core.output_kind(chosen.name)
    if kind == "moments":
        settings = {**chosen.settings, "log_var": True}
        chosen = Loss(chosen.name, reduction=chosen.reduction, **settings)
    if kind not in _OUT:
        raise ValueError(f"MLPRegressor: the loss '{chosen.name}' is not one of values or log means")
    return Objective(chosen, _OUT[kind])


def classification(loss: Any, targets: str) -> Objective:
    """Return the objective of "log_loss", a name or a loss; `targets`: LabelBinarizer's word for y.

    Log loss is softmax's for several classes, else the sum over the outputs of each one's.
    """
    if loss == "log_loss":
        loss = "cross_entropy" if targets == "multiclass" else Loss("bce_with_logits", reduction="batchmean")
    chosen = as_loss(loss)
    kind = _core.output_kind(chosen.name)
    if kind not in ("class_logits", "logit") or chosen.name == "nll":
        raise ValueError(f"MLPClassifier: the loss '{chosen.name}' is not one of logits")
    if kind == "class_logits" and targets.startswith("multilabel"):
        raise ValueError(f"MLPClassifier: the loss '{chosen.name}' takes one class a row, y has several")
    return Objective(chosen, "softmax" if kind == "class_logits" else "logistic")


def takes_labels(loss: Any) -> bool:
    """Return whether a classifier with this loss takes several labels a row."""
    name = loss.name if isinstance(loss, Loss) else loss
    return name == "log_loss" or (name in losses() and _core.output_kind(name) == "logit")
