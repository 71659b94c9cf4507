"""A training by epochs with scikit-learn's rules: a policy on the training loop."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning

from cmlp import NonFiniteError, _core
from cmlp.estimators.checkpoints import EstimatorCheckpoint
from cmlp.estimators.data import row_names
from cmlp.training.data import FitRows
from cmlp.training.early_stopping import EarlyStopping
from cmlp.training.loop import Callback, TrainingLoop, as_callbacks
from cmlp.training.options import Batching, FitOptions, Length, Start, StepOptions
from cmlp.training.progress import Progress, bar_or_lines
from cmlp.training.schedules import Schedules


@dataclass(frozen=True)
class Rows:
    """Rows to train on or to score."""

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
        """The numbers that dropout draws by, the same for equal rows."""
        return row_names(self.x)


def callbacks_of(estimator: Any) -> list[Callback]:
    """Return the estimator's callbacks.

    Raises
    ------
    ValueError
        For one that is no function; for an EarlyStopping, the message names the parameters that replace it.
    """
    given = estimator.callbacks
    if any(isinstance(each, EarlyStopping) for each in (given if isinstance(given, Iterable) else [given])):
        raise ValueError(
            "fit: callbacks has an EarlyStopping, which is net.fit's; an estimator takes early_stopping=True,"
            " n_iter_no_change= and tol="
        )
    return as_callbacks(given)


def progress_of(estimator: Any, epochs: int) -> Progress:
    """Return the progress that the estimator's ``verbose`` selects."""
    return bar_or_lines(epochs) if estimator.verbose == "bar" else Progress()


class EstimatorRun:
    """One call of fit or partial_fit of an estimator.

    It updates the estimator's fitted attributes: ``loss_curve_``, ``best_loss_`` and so on.
    """

    def __init__(
        self,
        estimator: Any,
        train: Rows,
        held_out: Rows | None,
        once: bool,
        checkpoint: EstimatorCheckpoint | None = None,
    ) -> None:
        self.checkpoint: EstimatorCheckpoint | None = checkpoint
        self.estimator: Any = estimator
        self.held_out: Rows | None = held_out
        self.once: bool = once
        self.stopping: bool = bool(estimator.early_stopping)
        self.epochs_taken: int = 0  # epochs of this run that the estimator's attributes have
        self.epochs = 1 if once else max(estimator.max_iter - estimator.n_iter_, 0)
        schedules = Schedules(estimator._optimizer.scheduler, "epoch", estimator._optimizer.optimizer)
        progress = progress_of(estimator, self.epochs)
        self.loop: TrainingLoop = TrainingLoop(estimator, progress, schedules, callbacks_of(estimator))
        self.native: Any = self._native(train, schedules)
        best = np.inf if estimator.best_loss_ is None else estimator.best_loss_
        best_score = estimator.best_validation_score_ if self.stopping else -np.inf
        self.native.state = best, best_score, estimator._no_improvement_count, estimator.t_

    # ---- what the core is given

    def _native(self, train: Rows, schedules: Schedules) -> Any:
        estimator, held_out, loop = self.estimator, self.held_out, self.loop
        metric, score = (None, None) if held_out is None else estimator._scorer(held_out)
        random = estimator.dropout or estimator.input_dropout
        rows = self._fit_rows(train, train.names if random else None, "fit")
        validation = None if held_out is None else self._fit_rows(held_out, None, "fit: validation data")
        options = schedules.added_to(self._options(train), rows)
        self._steps_an_epoch: int = rows.steps_an_epoch(options)
        make: Any = _core.EstimatorFit
        return make(
            network=estimator._net._core,
            rows=rows.native,
            loss=estimator._objective.loss._core,
            optimizer=estimator._optimizer.optimizer._core,
            options=options.to_core(),
            rules={**self._rules(train), "metric": metric},
            held_out=None if validation is None else validation.native,
            orders=self._orders(),
            epoch_end=self._epoch_end if self._is_observed() else None,
            score=score,
            poll=loop.progress.poll if loop.progress.shown else None,
        )

    def _is_observed(self) -> bool:
        """Whether Python has something to do after each epoch."""
        return bool(self.estimator.verbose) or self.loop.observed or self.checkpoint is not None

    def steps_of(self, epochs: int) -> int:
        """Return the steps of so many epochs."""
        return epochs * self._steps_an_epoch

    def _fit_rows(self, rows: Rows, names: Any, what: str) -> FitRows:
        estimator = self.estimator
        return FitRows(
            estimator._net._core, estimator._objective.loss, (rows.x, rows.y, rows.weight), names, what
        )

    def _options(self, train: Rows) -> FitOptions:
        estimator, rows = self.estimator, train.x.shape[0]
        size = min(200 if estimator.batch_size == "auto" else int(estimator.batch_size), rows)
        return FitOptions(
            Length(self.epochs, time_limit=estimator.time_limit),
            Batching(size, shuffle=False),  # the orders are shuffled
            StepOptions(estimator.clip_grad_norm, l2=float(estimator.alpha), penalty_per_row=True),
            start=Start() if self.checkpoint is None else self.checkpoint.start,
        )

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
            "max_steps": estimator.max_steps,
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

    # ---- the training

    def run(self) -> None:
        """Train in the calling thread."""
        self._end(self.native.run)

    def check(self) -> None:
        """Take the result of a training that ran beside others."""
        self._end(self.native.check)

    def _end(self, train: Callable[[], None]) -> None:
        """Update the estimator however the training ends, and warn as scikit-learn does."""
        try:
            try:
                train()
            finally:
                self._update()
            self._warn()
        except NonFiniteError as error:
            self._diverged(error)
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=6)
        finally:
            self.loop.close(self.epochs_taken, self.native.steps)

    def _update(self) -> None:
        """Bring the estimator's attributes up to date."""
        estimator = self.estimator
        losses, val_losses, val_scores = self.native.epochs(self.epochs_taken)
        self.epochs_taken += len(losses)
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

    def _epoch_end(self, record: dict[str, Any]) -> bool:
        """Print and pass on an epoch; return False when the training is to stop."""
        estimator, best = self.estimator, self.estimator.best_validation_score_
        self._update()
        values = {"epoch": estimator.n_iter_ - 1, "loss": estimator.loss_, "lr": record["lr"]}
        self._print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        if self.held_out is not None:
            values |= {name: record[name] for name in ("val_loss", "val_score")}
            self._print(f"Validation score: {record['val_score']:f}")
        if record["plateau"]:
            self._print_plateau()
        continues = self.loop.epoch_end({**values, "seconds": record["seconds"], "estimator": estimator})
        if self.checkpoint is not None:
            ended = self.native.ended or not (continues or self.loop.out_of_time())
            last = estimator.n_iter_ >= estimator.max_iter
            improved = self.stopping and estimator.best_validation_score_ != best
            self.checkpoint.epoch_end(self, improved, ended=ended, due=last)
        return continues

    # ---- what is printed and warned of

    def _print_plateau(self) -> None:
        estimator = self.estimator
        what = "Validation score" if self.stopping else "Training loss"
        count, lr = estimator.n_iter_no_change, estimator._optimizer.learning_rate
        then = "Stopping." if self.native.ended else f"Setting learning rate to {lr:f}"
        self._print(
            f"{what} did not improve more than tol={estimator.tol:f} for {count} consecutive epochs. {then}"
        )

    def _print(self, text: str) -> None:
        if self.estimator.verbose and self.estimator.verbose != "bar":
            print(text)

    def _warn(self) -> None:
        estimator, native = self.estimator, self.native
        completed = native.stop == "completed" and not self.once and not native.ended
        if completed and estimator.n_iter_ == estimator.max_iter:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the"
                " optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=7,
            )

    def _diverged(self, error: NonFiniteError) -> None:
        """End a diverged training as scikit-learn does: a score of nan, an error without best weights."""
        if not self.native.best_kept:
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and"
                f" need to be preprocessed. ({error})"
            ) from error
        self.estimator.validation_scores_.append(float(np.nan))
        warnings.warn(
            f"Training diverged, the best weights are restored: {error}", ConvergenceWarning, stacklevel=7
        )
