"""MLPTransformer: an autoencoder."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from cmlp.estimators import constraints
from cmlp.estimators._sklearn_compat import fit_context
from cmlp.estimators.base import BaseMLP
from cmlp.estimators.losses import regression
from cmlp.estimators.network import hidden_ends, output_of
from cmlp.estimators.parameters import arguments_of
from cmlp.estimators.regressor import MLPRegressor
from cmlp.estimators.training_run import Rows
from cmlp.runtime import Execution


class MLPTransformer(BaseMLP):
    """An autoencoder: a multilayer perceptron that learns to reproduce its input through a narrow layer.

    ``transform`` gives the activations of that layer, the code; ``inverse_transform`` rows from codes
    (Hinton and Salakhutdinov, Science 313, 2006).

    Parameters
    ----------
    hidden_layer_sizes : array-like of int, default=(32,)
        Units of the encoder's layers; the last is the code. The decoder has the same in reverse.
    activation : as in :class:`MLPRegressor`, default="relu"
        Of all hidden layers, the code among them; a sequence has one for each layer of the encoder.
    loss : str or Loss, default="squared_error"
        Of the reproduced rows; as in :class:`MLPRegressor`.
    **more
        Every other parameter of :class:`MLPRegressor` but ``transform_layer``.

    Attributes
    ----------
    coefs_, intercepts_, loss_, loss_curve_, n_iter_, n_features_in_, feature_names_in_
        As in :class:`MLPRegressor`.

    Examples
    --------
    >>> from cmlp.estimators import MLPTransformer
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data / 16
    >>> coder = MLPTransformer((16,), activation="tanh", max_iter=20, tol=0.1, random_state=0).fit(X)
    >>> coder.transform(X).shape, coder.inverse_transform(coder.transform(X)).shape
    ((1797, 16), (1797, 64))
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        name: rule
        for name, rule in constraints.REGRESSOR.items()
        if name not in ("transform_layer", "scoring", "target_transform")
    }
    _numeric_targets = True

    @arguments_of(MLPRegressor, without=("transform_layer", "scoring", "target_transform"))
    def __init__(
        self,
        hidden_layer_sizes: Any = (32,),
        activation: Any = "relu",
        *,
        loss: Any = "squared_error",
        **more: Any,
    ) -> None:
        pass

    scoring = None

    @property
    def _sizes(self) -> list[int]:
        sizes: list[int] = np.atleast_1d(np.asarray(self.hidden_layer_sizes, dtype=object)).tolist()
        return sizes

    @property
    def transform_layer(self) -> int:  # type: ignore[override]
        """The hidden layer that is the code."""
        return len(self._sizes) - 1

    def _hidden(self) -> tuple[list[int], Any]:
        sizes, activation = self._sizes, self.activation
        if isinstance(activation, list | tuple):
            activation = [*activation, *activation[-2::-1]]
        return [*sizes, *sizes[-2::-1]], activation

    def _rows(
        self, x: Any, y: Any, sample_weight: Any, first: bool, incremental: bool, trained_on: bool = True
    ) -> Rows:
        x = self._filled(validate_data(self, x, **self._checks(first)), first, trained_on)
        y = x.toarray() if hasattr(x, "toarray") else x
        self._targets(y, first, incremental, trained_on or "_objective" not in self.__dict__)
        return Rows(x, y, self._weights(sample_weight, x, y, trained_on), y)

    def _targets(
        self, y: npt.NDArray[Any], first: bool, incremental: bool, trained_on: bool
    ) -> npt.NDArray[Any]:
        objective = regression(self.loss) if trained_on else self._objective
        if objective.columns > 1:
            raise ValueError(f"MLPTransformer: the loss '{objective.loss.name}' is not one of values alone")
        objective.check(y)
        if trained_on:
            self._take_objective(objective, y.shape[1], first)
        return y

    def _outputs(self, y: npt.NDArray[Any]) -> int:
        return int(y.shape[1])

    def _score_of(self, z: npt.NDArray[Any], rows: Rows) -> float:
        errors = ((self._prediction_from(z) - rows.y) ** 2).mean(axis=1)
        return -float(np.average(errors, weights=rows.weight))

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        sample_weight_val: Any = None,
        checkpoint: Any = None,
        every: int = 1,
        resume: bool = False,
    ) -> Self:
        """Learn to reconstruct the rows of X.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        y : ignored
        sample_weight, X_val, sample_weight_val, checkpoint, every, resume
            As in :meth:`MLPRegressor.fit`.
        """
        if X_val is None and sample_weight_val is not None:
            raise ValueError("fit: sample_weight_val is given without X_val")
        validation = None if X_val is None else (X_val, None, sample_weight_val)
        return self._fit(X, None, sample_weight, validation, checkpoint=(checkpoint, every, resume))

    def inverse_transform(self, X: Any) -> npt.NDArray[Any]:
        """Return rows, (n_samples, n_features), from codes, (n_samples, units of the code)."""
        check_is_fitted(self)
        codes, net = check_array(X, dtype=self.coefs_[0].dtype), self._connect()
        first = hidden_ends(net)[self.transform_layer]
        with Execution(self.n_threads):
            return output_of(self.out_activation_, net._core.predict(codes, first, net._last))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the mean squared error of the reproduced rows: larger is better."""
        check_is_fitted(self)
        rows = self._rows(X, None, sample_weight, first=False, incremental=True, trained_on=False)
        return self._score_of(self._outputs_of(rows.x), rows)
