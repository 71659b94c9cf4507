"""A training by epochs, watched as scikit-learn does: curves, best values, when to stop."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning

from cmlp import NonFiniteError, nn
from cmlp.estimators.data import row_names


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


Score = Callable[[npt.NDArray[Any], Rows], float]  # of the network's outputs for the rows


class Course:
    """One call of fit or partial_fit of an estimator: called with the values of every epoch.

    Its state is the estimator's: ``loss_curve_``, ``best_loss_`` and so on, as scikit-learn has them.
    """

    def __init__(self, estimator: Any, train: Rows, held_out: Rows | None, score: Score) -> None:
        self.estimator = estimator
        self.held_out, self.score = held_out, score
        self.rows = train.x.shape[0]
        self.constant = estimator._objective.constant(train.y, train.weight)
        self.stopping = bool(estimator.early_stopping)
        begun = (
            self.stopping and estimator.best_validation_score_ > -np.inf
        )  # by weights that are there still
        self.best: dict[str, npt.NDArray[Any]] | None = estimator._net.state_dict() if begun else None
        self.ended = False  # by a rule of its own

    def __call__(self, values: dict[str, Any]) -> bool:
        """Take in an epoch; False ends the training."""
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.t_ += self.rows
        estimator.loss_ = values["loss"] + self.constant
        estimator.loss_curve_.append(estimator.loss_)
        self._say(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        if self.held_out is not None:
            self._validate(self.held_out)
        self._compare()
        estimator._optimizer.epoch_end(estimator.t_)
        goes_on = estimator._no_improvement_count <= estimator.n_iter_no_change or self._at_rest()
        answers = [callback(self._seen(values)) for callback in estimator.callbacks or ()]
        stopped = any(answer is False for answer in answers)
        self.ended = self.ended or not goes_on or stopped
        return not self.ended

    def steps_done(self, progress: dict[str, Any]) -> bool:
        """End the training in the middle of an epoch, which counts as one."""
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.loss_ = progress["loss"] + self.constant
        estimator.loss_curve_.append(estimator.loss_)
        self.ended = True
        return False

    def _validate(self, rows: Rows) -> None:
        estimator = self.estimator
        z = estimator._net.predict(rows.x)
        loss = float(estimator._objective.loss(z, rows.y, rows.weight))
        estimator.validation_loss_curve_.append(loss + estimator._objective.constant(rows.y, rows.weight))
        value = self.score(z, rows)
        estimator.validation_scores_.append(value)
        self._say(f"Validation score: {value:f}")

    def _compare(self) -> None:
        """Count the epochs that improved nothing by ``tol``; keep the best value and its weights."""
        estimator = self.estimator
        if self.stopping:
            value, best = estimator.validation_scores_[-1], estimator.best_validation_score_
            improved, best_now = not value < best + estimator.tol, value > best
            estimator.best_validation_score_ = value if best_now else best
            if best_now:
                self.best = estimator._net.state_dict()
        else:
            value, best = estimator.loss_curve_[-1], estimator.best_loss_
            improved = not value > best - estimator.tol
            estimator.best_loss_ = min(value, best)
        estimator._no_improvement_count = 0 if improved else estimator._no_improvement_count + 1

    def _at_rest(self) -> bool:
        """Whether it goes on with a smaller rate when nothing improves any more."""
        estimator = self.estimator
        what = "Validation score" if self.stopping else "Training loss"
        count = estimator.n_iter_no_change
        text = f"{what} did not improve more than tol={estimator.tol:f} for {count} consecutive epochs."
        change = estimator._optimizer.goes_on()
        self._say(f"{text} {change or 'Stopping.'}")
        if change is not None:
            estimator._no_improvement_count = 0
        return change is not None

    def _seen(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what callbacks are told."""
        estimator = self.estimator
        told = {"epoch": estimator.n_iter_ - 1, "loss": estimator.loss_, "lr": values["lr"]}
        if self.held_out is not None:
            told["val_loss"] = estimator.validation_loss_curve_[-1]
            told["val_score"] = estimator.validation_scores_[-1]
        return {**told, "seconds": values["seconds"], "estimator": estimator}

    def _say(self, text: str) -> None:
        if self.estimator.verbose and self.estimator.verbose != "bar":
            print(text)

    def run(self, train: Callable[[], Any], once: bool) -> None:
        """Train; `once`: a single epoch was asked for."""
        estimator = self.estimator
        try:
            history = train()
            told = history.stop == "completed" and not once and not self.ended
            if told and estimator.n_iter_ == estimator.max_iter:
                warnings.warn(
                    f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the"
                    " optimization hasn't converged yet.",
                    ConvergenceWarning,
                    stacklevel=5,
                )
        except NonFiniteError as error:
            self._diverged(error)
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=5)
        if self.stopping and self.best is not None:
            estimator._net.load_state_dict(self.best)

    def _diverged(self, error: NonFiniteError) -> None:
        """Take a diverged training as scikit-learn does: a score of nan, and an error where there is none."""
        estimator = self.estimator
        if not self.stopping or self.best is None:
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and"
                f" need to be preprocessed. ({error})"
            ) from error
        estimator.validation_scores_.append(float(np.nan))
        warnings.warn(
            f"Training diverged, the best weights are restored: {error}", ConvergenceWarning, stacklevel=6
        )


def fit_by_epochs(estimator: Any, net: nn.Sequential, train: Rows, course: Course, epochs: int) -> Any:
    """Return the history of ``net.fit`` with the estimator's options."""
    size = min(200 if estimator.batch_size == "auto" else int(estimator.batch_size), course.rows)
    if estimator.batch_norm and course.rows % size == 1:
        size += 1  # a batch of one row has no variance
    steps = estimator.max_steps
    solver = estimator._optimizer
    return net.fit(
        train.x,
        train.y,
        sample_weight=train.weight,
        loss=estimator._objective.loss,
        optimizer=solver.optimizer,
        scheduler=solver.scheduler,
        epochs=epochs,
        batch_size=size,
        shuffle=(lambda _: estimator._order.draw(estimator._random_state)) if estimator.shuffle else False,
        l2=float(estimator.alpha),
        penalty_per_row=True,
        clip_grad_norm=float(estimator.clip_grad_norm),
        row_names=row_names(train.x) if estimator.dropout or estimator.input_dropout else None,
        time_limit=float(estimator.time_limit or 0),
        callbacks=[course],
        step_callbacks=[] if steps is None else [course.steps_done],
        every_steps=int(steps or 0),
        verbose=estimator.verbose == "bar",
    )
