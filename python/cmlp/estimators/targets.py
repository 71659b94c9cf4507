"""Targets of regressors: numbers, as they are or standardized."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import StandardScaler

from cmlp import nn
from cmlp.estimators.base import BaseMLP
from cmlp.estimators.network import linear_layers
from cmlp.estimators.training_run import Rows

_REMEDIES = {
    "M": "dates; convert them to numbers, y.astype('datetime64[s]').astype(float), say",
    "m": "time spans; convert them to numbers, y / np.timedelta64(1, 's'), say",
}


def check_numbers(y: Any, function: str) -> None:
    """Raise ValueError for targets that are dates, text or other objects than numbers."""
    values = np.asarray(y) if not hasattr(y, "to_numpy") else np.asarray(y.to_numpy())
    kind = values.dtype.kind
    if kind in _REMEDIES:
        raise ValueError(f"{function}: y holds {_REMEDIES[kind]}")
    if kind in "US":
        _refuse(values.flat[0], function)
    if kind == "O":
        for value in values.flat:
            try:
                float(value)
            except (TypeError, ValueError):
                _refuse(value, function)


def _refuse(value: Any, function: str) -> None:
    text = repr(value.item() if isinstance(value, np.generic) else value)
    raise ValueError(f"{function}: y has {text}, it must hold numbers; MLPClassifier takes classes")


class NumericTargets(BaseMLP):
    """The part of a regressor that scales its targets, by ``target_scaler_``, with ``target_transform``."""

    _numeric_targets = True
    target_transform: Literal["standardize"] | None
    target_scaler_: StandardScaler

    def _rows(
        self, x: Any, y: Any, sample_weight: Any, first: bool, incremental: bool, trained_on: bool = True
    ) -> Rows:
        if y is not None:
            check_numbers(y, f"{type(self).__name__}.fit")
        rows = super()._rows(x, y, sample_weight, first, incremental, trained_on)
        return rows if trained_on else self._scaled(rows)

    def _split_off(self, rows: Rows, first: bool) -> tuple[Rows, Rows | None]:
        if first:
            self.__dict__.pop("target_scaler_", None)
            if self.target_transform is not None:
                self._learn_scale(rows)
        elif ("target_scaler_" in self.__dict__) != (self.target_transform is not None):
            raise ValueError(
                f"fit: target_transform is {self.target_transform!r}, the network that warm_start or"
                " partial_fit continues was fitted with another; a fit with warm_start=False makes a new one"
            )
        return self._scaled(rows), None

    def _scaled(self, rows: Rows) -> Rows:
        """Return the rows with the targets that the network is trained on."""
        scaler = self.__dict__.get("target_scaler_")
        return rows if scaler is None else replace(rows, y=(rows.y - scaler.mean_) / scaler.scale_)

    def _learn_scale(self, rows: Rows) -> None:
        """Set the mean and the standard deviation of each target."""
        if self._objective.out == "exp":
            raise ValueError(
                f"fit: target_transform='standardize' gives negative targets, the loss"
                f" '{self._objective.loss.name}' takes numbers of at least 0"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            scaler = StandardScaler().fit(rows.y.astype(float), sample_weight=rows.weight)
        if not np.isfinite(scaler.scale_).all() or not np.isfinite(scaler.mean_).all():
            raise ValueError("fit: y has values too large to be standardized")
        self.target_scaler_ = scaler

    def _scaled_targets(self) -> bool:
        return self.target_transform is not None or self._objective.out == "exp"

    def _in_units(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return values of the network in the units of y."""
        scaler = self.__dict__.get("target_scaler_")
        if scaler is None:
            return values
        return (values * scaler.scale_ + scaler.mean_).astype(values.dtype)  # type: ignore[no-any-return]

    @property
    def net_(self) -> nn.Sequential:
        """The fitted network in evaluation mode, without an exponential at its end, in the units of y.

        With ``target_transform`` it is a copy whose last layer contains the mean and the scale.
        """
        net = super().net_
        scaler = self.__dict__.get("target_scaler_")
        return net if scaler is None else self._unscaled(net.copy(), scaler)

    def _unscaled(self, net: nn.Sequential, scaler: Any) -> nn.Sequential:
        """Multiply the last layer by the scale and add the mean, in place."""
        last: Any = linear_layers(net)[-1]
        weight, bias = last.weight.data, last.bias.data
        values = len(bias) // self._objective.columns
        weight[:values] = weight[:values] * np.broadcast_to(scaler.scale_, values)[:, None]
        bias[:values] = bias[:values] * scaler.scale_ + scaler.mean_
        if values < len(bias):  # logarithms of variances
            bias[values:] += 2 * np.log(np.broadcast_to(scaler.scale_, len(bias) - values))
        net.eval()
        return net

    def _without_scaler(self) -> Self:
        """Return this estimator, or a copy that predicts the same without a scaler."""
        if "target_scaler_" not in self.__dict__:
            return self
        made = copy.copy(self)
        made._net = self.net_
        made._show()
        del made.target_scaler_
        return made

    def gradients(self, X: Any, y: Any, sample_weight: Any = None) -> dict[str, npt.NDArray[Any]]:
        """Return the gradient of the mean loss by each parameter of ``net_``, under its name there."""
        found = super().gradients(X, y, sample_weight)
        scaler = self.__dict__.get("target_scaler_")
        if scaler is not None:
            for name in list(found)[-2:]:  # the last layer's
                values = len(found[name]) // self._objective.columns
                scale = np.broadcast_to(scaler.scale_, values).reshape(-1, *[1] * (found[name].ndim - 1))
                found[name][:values] = found[name][:values] / scale
        return found

    gradients.__doc__ = BaseMLP.gradients.__doc__
