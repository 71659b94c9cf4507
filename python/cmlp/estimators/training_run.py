"""A training by epochs as scikit-learn has it: what the core is given for it, and what becomes of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning

from cmlp import NonFiniteError, _core
from cmlp.estimators.data import row_names
from cmlp.training.progress import ProgressBar
from cmlp.training.schedules import Schedules


@dataclass(frozen=True)
class Rows:
    """Rows to train on or to look at."""

    x: Any
    y: npt.NDArray[Any]  # targets as the loss takes them
    weight: npt.NDArray[Any] | None
    labels: Any  # targets as they were given

    def take(self, rows: npt.NDArray[Any]) -> Rows:
        """Return some of the rows."""
        weight = None if self.weight is None else self.weight[rows]
        return Rows(self.x[rows], self.y[rows], weight, self.labels[rows])

    @cached_property
    def names(self) -> npt.NDArray[np.uint64]:
        """What dropout draws by."""
        return row_names(self.x)


class Course:
    """One call of fit or partial_fit of an estimator; the core goes through it, by its rules alone or heard.

    Its state is the estimator's: ``loss_curve_``, ``best_loss_`` and so on, as scikit-learn has them.
    """

    def __init__(self, estimator: Any, train: Rows, held_out: Rows | None, once: bool) -> None:
        self.estimator, self.held_out, self.once = estimator, held_out, once
        self.stopping = bool(estimator.early_stopping)
        self.seen = 0  # epochs that the estimator has
        self.epochs = 1 if once else estimator.max_iter
        solver = estimator._optimizer
        self.schedules = Schedules(solver.scheduler, "epoch", solver.optimizer)
        self.bar = ProgressBar(self.epochs, estimator.verbose == "bar")
        heard = estimator.verbose or estimator.callbacks or self.schedules.plateaus
        metric, score = (None, None) if held_out is None else estimator._scorer(held_out)
        self.native = _core.EstimatorFit(
            network=estimator._net._core,
            rows=(train.x, train.y, train.weight),
            loss=estimator._objective.loss._core,
            optimizer=solver.optimizer._core,
            options=self._options(train),
            rules={**self._rules(train), "metric": metric},
            held_out=None if held_out is None else (held_out.x, held_out.y, held_out.weight),
            orders=self._orders(),
            epoch_end=self._hear if heard else None,
            score=score,
            poll=self.bar.poll if self.bar.shown else None,
        )
        best = np.inf if estimator.best_loss_ is None else estimator.best_loss_
        best_score = estimator.best_validation_score_ if self.stopping else -np.inf
        self.native.state = best, best_score, estimator._no_improvement_count, estimator.t_

    # ---- what the core is given

    def _options(self, train: Rows) -> dict[str, Any]:
        estimator, rows = self.estimator, train.x.shape[0]
        size = min(200 if estimator.batch_size == "auto" else int(estimator.batch_size), rows)
        if estimator.batch_norm and rows % size == 1:
            size += 1  # a batch of one row has no variance
        return {
            "epochs": self.epochs,
            "batch_size": size,
            "shuffle": False,  # the orders are
            "l2": float(estimator.alpha),
            "penalty_per_row": True,
            "clip_grad_norm": float(estimator.clip_grad_norm),
            "row_names": train.names if estimator.dropout or estimator.input_dropout else None,
            "time_limit": float(estimator.time_limit or 0),
            "courses": self.schedules.courses(self.epochs, -(-rows // size)),
        }

    def _rules(self, train: Rows) -> dict[str, Any]:
        estimator, solver, held_out = self.estimator, self.estimator._optimizer, self.held_out
        constant = estimator._objective.constant
        return {
            "tol": estimator.tol,
            "n_iter_no_change": estimator.n_iter_no_change,
            "early_stopping": self.stopping,
            "learning_rate": solver.mode,
            "learning_rate_init": solver.initial,
            "power_t": solver.power,
            "max_steps": int(estimator.max_steps or 0),
            "constant": constant(train.y, train.weight),
            "val_constant": 0.0 if held_out is None else constant(held_out.y, held_out.weight),
        }

    def _orders(self) -> tuple[Any, Any, Any] | None:
        """Return the order of the rows, NumPy's generator for it, and a lock where that is shared."""
        estimator = self.estimator
        if not estimator.shuffle:
            return None
        generator = estimator._random_state._bit_generator
        own = isinstance(estimator.random_state, Integral)
        return estimator._row_order.begin(), generator.capsule, None if own else generator.lock

    # ---- what becomes of it

    def end(self, run: Callable[[], None]) -> None:
        """Run it, or take in how it ran beside others."""
        try:
            run()
            self._sync()
            self._warn()
        except NonFiniteError as error:
            self._sync()
            self._diverged(error)
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=5)
        finally:
            self._sync()
            self.bar.close()
            self.schedules.finish(self.seen, self.native.steps)

    def _sync(self) -> None:
        """Bring the estimator up to date."""
        estimator = self.estimator
        losses, val_losses, val_scores = self.native.epochs(self.seen)
        self.seen += len(losses)
        estimator.n_iter_ += len(losses)
        if estimator.shuffle:
            estimator._row_order.record(len(losses), estimator._random_state)
        estimator.loss_curve_ += losses
        if losses:
            estimator.loss_ = losses[-1]
        if self.held_out is not None:
            estimator.validation_loss_curve_ += val_losses
            estimator.validation_scores_ += val_scores
        best, best_score, estimator._no_improvement_count, estimator.t_ = self.native.state
        if self.stopping:
            estimator.best_validation_score_ = best_score
        else:
            estimator.best_loss_ = best

    def _hear(self, values: dict[str, Any]) -> bool:
        """Tell whoever wants to know of an epoch; False ends the training."""
        self._sync()
        estimator = self.estimator
        self._say(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        told = {"epoch": estimator.n_iter_ - 1, "loss": estimator.loss_, "lr": values["lr"]}
        if self.held_out is not None:
            told |= {name: values[name] for name in ("val_loss", "val_score")}
            self._say(f"Validation score: {values['val_score']:f}")
        if values["at_rest"]:
            self._say_rest()
        self.bar.epoch_end(told)
        self.schedules.epoch_end(told)
        told |= {"seconds": values["seconds"], "estimator": estimator}
        answers = [callback(told) for callback in estimator.callbacks or ()]
        return not any(answer is False for answer in answers)

    def _say_rest(self) -> None:
        estimator = self.estimator
        what = "Validation score" if self.stopping else "Training loss"
        count, lr = estimator.n_iter_no_change, estimator._optimizer.learning_rate
        then = "Stopping." if self.native.ended else f"Setting learning rate to {lr:f}"
        self._say(
            f"{what} did not improve more than tol={estimator.tol:f} for {count} consecutive epochs. {then}"
        )

    def _say(self, text: str) -> None:
        if self.estimator.verbose and self.estimator.verbose != "bar":
            print(text)

    def _warn(self) -> None:
        estimator, native = self.estimator, self.native
        whole = native.stop == "completed" and not self.once and not native.ended
        if whole and estimator.n_iter_ == estimator.max_iter:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the"
                " optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=6,
            )

    def _diverged(self, error: NonFiniteError) -> None:
        """Take a diverged training as scikit-learn does: a score of nan, and an error where there is none."""
        if not self.native.best_kept:
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and"
                f" need to be preprocessed. ({error})"
            ) from error
        self.estimator.validation_scores_.append(float(np.nan))
        warnings.warn(
            f"Training diverged, the best weights are restored: {error}", ConvergenceWarning, stacklevel=6
        )
