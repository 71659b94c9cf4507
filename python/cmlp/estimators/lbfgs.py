"""A training by L-BFGS on all rows at once: SciPy's minimiser, as in scikit-learn, on the training loop."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning

from cmlp import _core, nn
from cmlp.estimators.losses import Objective
from cmlp.estimators.training_run import callbacks_of, progress_of
from cmlp.training.loop import TrainingLoop

# Parameters of a training by batches; early_stopping has no effect, as in scikit-learn.
_BY_BATCHES = ("dropout", "input_dropout", "schedule", "clip_grad_norm", "max_steps")


class FullBatchObjective:
    """Loss and gradient over all rows as a function of all weights, as SciPy's minimisers take it.

    Weights are one vector: the (in, out) matrices of the layers, then their biases.
    """

    def __init__(self, net: nn.Sequential, objective: Objective, alpha: float) -> None:
        self.net: nn.Sequential = net
        self.objective: Objective = objective
        self.alpha: float = alpha
        parameters = sorted(net.parameters(), key=lambda p: -p.data.ndim)  # stable: weights, then the rest
        self.members: list[int] = [p._index for p in parameters]
        self.values: list[npt.NDArray[Any]] = [p.data.T for p in parameters]

    def place(self, packed: npt.NDArray[Any]) -> None:
        """Set the network's weights."""
        at = 0
        for array in self.values:
            array[...] = packed[at : at + array.size].reshape(array.shape)
            at += array.size

    def packed(self) -> npt.NDArray[Any]:
        """Return all weights as one vector."""
        return np.concatenate([array.ravel() for array in self.values]).astype(float)

    def __call__(
        self, packed: npt.NDArray[Any], x: Any, y: npt.NDArray[Any], weight: npt.NDArray[Any] | None
    ) -> tuple[float, npt.NDArray[Any]]:
        """Return the mean loss with the penalty ``alpha / 2 * sum w^2 / rows``, and its gradient."""
        l2 = self.alpha / float(x.shape[0] if weight is None else weight.sum())
        loss: Any = self.objective.loss._core  # the precisions have a function each, chosen by the arguments
        value, gradient = _core.full_batch_pass(self.net._core, self.members, packed, x, y, weight, loss, l2)
        return float(value), gradient


class FullBatchRun:
    """One fit of an estimator by L-BFGS."""

    iteration: int
    weights: Any
    seconds: float
    ended: bool

    def __init__(self, estimator: Any, rows: Any, eval_set: Any) -> None:
        given = [name for name in _BY_BATCHES if getattr(estimator, name)]
        given += [] if eval_set is None else ["eval_set"]
        if given:
            raise ValueError(f"fit: solver='lbfgs' sees all rows at once and takes no {', '.join(given)}")
        self.estimator: Any = estimator
        self.rows: tuple[Any, Any, Any] = (rows.x, rows.y, rows.weight)
        loss: Any = estimator._objective.loss._core  # the precisions have a function each, as below
        _core.check_rows(estimator._net._core, rows.x, rows.y, rows.weight, loss)
        estimator._begin_curves(validated=False)
        self.constant: float = estimator._objective.constant(rows.y, rows.weight)
        self.objective: FullBatchObjective = estimator._full_batch_objective()
        progress, callbacks = progress_of(estimator, estimator.max_iter), callbacks_of(estimator)
        self.loop: TrainingLoop = TrainingLoop(
            estimator, progress, callbacks=callbacks, time_limit=estimator.time_limit
        )
        self.iteration, self.ended, self.seconds = 0, False, 0.0
        self.weights = self.objective.packed()  # of the last iteration

    def run(self) -> None:
        """Train; the network has the weights of the last iteration afterwards, however it ends."""
        estimator = self.estimator
        estimator._net.train()
        try:
            result = self._minimize()
        finally:
            self.objective.place(self.weights)
            self.loop.close(self.iteration, self.iteration)
        self._record(int(min(result.nit, estimator.max_iter)), float(result.fun) + self.constant)
        self._check_finite()
        if result.status != 0 and not self.ended:
            self._warn(result)

    def _minimize(self) -> Any:
        from scipy.optimize import minimize

        estimator = self.estimator
        result = minimize(
            self.objective,
            self.weights,
            args=self.rows,
            method="L-BFGS-B",
            jac=True,
            options={"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol},
            callback=self._iteration_end,
        )
        self.weights = result.x
        return result

    def _iteration_end(self, intermediate_result: Any) -> None:
        """Print and pass on an iteration; StopIteration ends the training."""
        estimator, loss = self.estimator, float(intermediate_result.fun) + self.constant
        self.iteration += 1
        self.weights = intermediate_result.x.copy()
        estimator.loss_curve_.append(loss)
        self._record(self.iteration, loss)
        if estimator.verbose and estimator.verbose != "bar":
            print(f"loss = {loss:.8f}")
        values = {"epoch": self.iteration - 1, "loss": loss, "lr": 1.0}
        if self.loop.callbacks:
            self.objective.place(self.weights)
            before, self.seconds = self.seconds, self.loop.seconds
            values |= {"seconds": self.seconds - before, "estimator": estimator}
        self.ended = not self.loop.epoch_end(values)
        if self.ended:
            raise StopIteration

    def _record(self, iterations: int, loss: float) -> None:
        """Update what the estimator counts, so that it is right however the training ends."""
        estimator = self.estimator
        estimator.n_iter_, estimator.loss_ = iterations, loss
        if estimator.best_loss_ is not None:
            estimator.best_loss_ = min(estimator.best_loss_, loss)

    def _check_finite(self) -> None:
        estimator = self.estimator
        arrays = [np.asarray(estimator.loss_), *estimator.coefs_, *estimator.intercepts_]
        if not all(np.isfinite(array).all() for array in arrays):
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and"
                " need to be preprocessed."
            )

    def _warn(self, result: Any) -> None:
        warnings.warn(
            f"lbfgs failed to converge after {self.estimator.n_iter_} iteration(s)"
            f" (status={result.status}): {result.message}",
            ConvergenceWarning,
            stacklevel=6,
        )
