"""The network of an estimator: the arrays that show its weights, its copies, and its outputs for rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted, validate_data

from cmlp import nn
from cmlp.estimators._sklearn_compat import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from cmlp.estimators.exclusive import check_not_fitting
from cmlp.estimators.network import Architecture, hidden_ends, output_of, views_of
from cmlp.runtime import Execution


class Predictions(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """The part of an estimator that holds the network, ``_net``, and puts rows through it."""

    _net: nn.Sequential
    missing: str | None
    n_threads: int | None
    out_activation_: str
    transform_layer: int
    coefs_: list[npt.NDArray[Any]]
    intercepts_: list[npt.NDArray[Any]]

    # ---- the network and its arrays

    def _show(self, values: Any = None) -> None:
        """Set ``coefs_`` and ``intercepts_`` to views of the network's weights, first given `values`."""
        views = views_of(self._net)
        for part, given in zip(views, values or (), strict=False):
            for view, value in zip(part, given, strict=True):
                view[...] = value
        self.coefs_, self.intercepts_ = (list(part) for part in views)
        self._views = (*views[0], *views[1])

    def _build(self, shape: Architecture, dtype: Any, seed: int) -> None:
        """Make the network; what it is made from is kept beside it."""
        self._net, self._layout = shape.network(dtype, seed), shape.settings()

    def _connect(self, dtype: Any = None) -> nn.Sequential:
        """Return the network, with whatever was put into ``coefs_`` and ``intercepts_`` in its place."""
        given = [*self.coefs_, *self.intercepts_]
        if not hasattr(self, "_net"):  # weights were set before any fit
            units = [len(self.coefs_[0]), *(coef.shape[1] for coef in self.coefs_)]
            self._build(Architecture(self, units, self.activation), dtype, 0)
            self._show((self.coefs_, self.intercepts_))
        elif any(a is not b for a, b in zip(given, self._views, strict=True)):
            for view, value in zip(self._views, given, strict=True):
                view[...] = value
        return self._net

    def __getstate__(self) -> dict[str, Any]:
        if hasattr(self, "_net"):
            self._connect()
        state: dict[str, Any] = super().__getstate__()
        return {key: value for key, value in state.items() if key not in ("coefs_", "intercepts_", "_views")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "_net"):
            self._net.eval()  # a callback may have written it in training mode
            self._show()

    @property
    def net_(self) -> nn.Sequential:
        """The fitted network in evaluation mode, without the softmax, sigmoid or exponential at its end."""
        check_is_fitted(self)
        return self._connect()

    # ---- rows through it

    def _raw(self, x: Any, last: int | None = None) -> npt.NDArray[Any]:
        """Return the outputs for unchecked rows, of the layers before `last` or of all.

        The core checks a plain float array in a fiftieth of the time that scikit-learn's checks take; these
        follow only where it refuses the array, so that the error is scikit-learn's.
        """
        if self._is_plain(x):
            try:
                return self._outputs_of(x, last)
            except ValueError:
                pass
        check_is_fitted(self)
        return self._outputs_of(self._checked(x), last)

    def _is_plain(self, x: Any) -> bool:
        """Return whether x is a float array with the columns of the fit, where these have no names."""
        fitted = self.__dict__
        return (
            type(x) is np.ndarray
            and x.dtype.char in "fd"
            and x.ndim == 2
            and len(x) > 0
            and x.shape[1] == fitted.get("n_features_in_")
            and "coefs_" in fitted
            and "feature_names_in_" not in fitted
        )

    def _outputs_of(self, x: Any, last: int | None = None) -> npt.NDArray[Any]:
        """Return the outputs for checked rows, of the layers before `last` or of all."""
        check_not_fitting(self, "predict")
        net = self._connect(x.dtype)
        last = net._last if last is None else last
        if self.n_threads is None:
            return net._core.predict(x, 0, last)
        with Execution(self.n_threads):
            return net._core.predict(x, 0, last)

    def _checked(self, x: Any, **more: Any) -> Any:
        """Return the rows as an array or CSR, without missing values."""
        finite = True if getattr(self, "_imputer", None) is None else "allow-nan"
        more = {"reset": False, **more}
        return self._imputed(validate_data(self, x, accept_sparse=["csr"], ensure_all_finite=finite, **more))

    def _imputed(self, x: Any) -> Any:
        imputer = getattr(self, "_imputer", None)
        return x if imputer is None else imputer(x)

    def _prediction_from(self, z: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return what the outputs stand for: probabilities, means."""
        return output_of(self.out_activation_, z)

    def transform(self, X: Any) -> npt.NDArray[Any]:
        """Return the activations of hidden layer ``transform_layer`` for the rows of X.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, units of that layer)

        Raises
        ------
        ValueError
            When there is no such hidden layer.
        """
        check_is_fitted(self)
        return self._raw(X, self._of_hidden_layer(hidden_ends(self._connect())))

    @property
    def _n_features_out(self) -> int:
        """Columns of `transform`'s result, as scikit-learn's get_feature_names_out needs."""
        return self._of_hidden_layer([len(bias) for bias in self.intercepts_[:-1]])

    def _of_hidden_layer(self, values: list[int]) -> int:
        """Return the value of hidden layer `transform_layer`."""
        if not -len(values) <= self.transform_layer < len(values):
            raise ValueError(
                f"transform: transform_layer is {self.transform_layer}, there are {len(values)} hidden layers"
            )
        return values[self.transform_layer]

    def input_gradients(self, X: Any) -> npt.NDArray[Any]:
        """Return the slope of each of the network's outputs by each feature.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_outputs, n_features)
            Of the outputs before softmax, sigmoid or exponential: the logits of a classifier.
        """
        check_is_fitted(self)
        net = self.net_.copy().eval()
        y = net(self._checked(X))
        slopes = []
        for output in range(y.shape[1]):
            direction = np.zeros_like(y)
            direction[:, output] = 1
            slopes.append(net.backward(direction))
        return np.stack(slopes, axis=1)

    def get_torch(self) -> Any:
        """Return the fitted network as a ``torch.nn.Sequential`` with copies of the weights; needs PyTorch.

        Its outputs are those before softmax, sigmoid or exponential.
        """
        from cmlp.estimators.torch import to_torch

        check_is_fitted(self)
        return to_torch(self.net_)
