"""Checkpoints of an estimator's fit: the estimator so far with all that the next epoch depends on."""

from __future__ import annotations

import os
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from cmlp import nn
from cmlp._model_kinds import model_of, network_of
from cmlp.training import state
from cmlp.training.options import Start
from cmlp.training.resume import check_arguments
from cmlp.training.same_run import differences, refuse

if TYPE_CHECKING:
    from cmlp.estimators.training_run import EstimatorRun, Rows

# Parameters on which no bit of a resumed fit depends.
_FREE = ("callbacks", "max_iter", "n_threads", "time_limit", "verbose", "warm_start")
# What a fit changes beside the network and its optimizer.
_CHANGED = (
    *("n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "best_validation_score_", "validation_scores_"),
    *("validation_loss_curve_", "_no_improvement_count", "_row_order", "_random_state"),
)


class EstimatorCheckpoint:
    """The file of an estimator's fit: the estimator as it would be if the fit ended there.

    Parameters
    ----------
    path : path
    every : int
        Epochs from one file to the next; the last epoch is always written.
    resume : bool
        Whether to continue from the file, if it is there.
    """

    def __init__(self, path: str | os.PathLike[str], every: int, resume: bool) -> None:
        self.path: str = os.fspath(path)
        self.every: int = every
        self.resume: bool = resume
        self.start: Start = Start()
        self.finished: bool = False
        self._settings: dict[str, str] = {}
        self._best: dict[str, Any] | None = None  # weights, of an epoch before

    def begin(self, estimator: Any, rows: Rows, held_out: Rows | None) -> None:
        """Bring the estimator, whose training is about to begin, to where the file left it.

        Raises
        ------
        ValueError
            When the file is damaged, or is of another estimator, other parameters or other data; and for
            parameters that no file holds.
        """
        shapes = {"X": rows.x.shape, "y": rows.y.shape, "rows held out": held_out and held_out.x.shape}
        values = {**estimator.get_params(deep=False), **shapes, "the dtype": rows.x.dtype.name}
        self._settings = {name: repr(value) for name, value in values.items() if name not in _FREE}
        self._settings["sample_weight"] = repr(None if rows.weight is None else "given")
        self._described(estimator)  # refused now rather than after an epoch
        if self.resume and os.path.lexists(self.path):
            self._restore(estimator)

    def _described(self, estimator: Any) -> nn.Sequential:
        """Return what is written of the estimator: all but its callbacks."""
        callbacks, estimator.callbacks = estimator.callbacks, None
        try:
            return network_of(estimator)
        finally:
            estimator.callbacks = callbacks

    def _restore(self, estimator: Any) -> None:
        core, sections = state.read(self.path)
        try:
            progress = sections["estimator"]
            refuse(self.path, differences(self._settings, progress["settings"]))
            loaded = model_of(nn.Sequential._of_core(core))
            self.finished = bool(progress["ended"]) or loaded.n_iter_ >= estimator.max_iter
            self._take(estimator, loaded, sections["last"])
        except state.BAD_DATA as error:
            raise ValueError(f"fit: {self.path} is not a checkpoint of fit: {error!r}") from error
        best = np.asarray(core.flat_state()) if self._best is not None and not self.finished else np.empty(0)
        self.start = Start(steps=int(progress["steps"]), best_weights=best)

    def _take(self, estimator: Any, loaded: Any, last: list[Any]) -> None:
        """Give the estimator the weights, attributes and states of the loaded one."""
        net, kept = estimator._net, loaded._net.state_dict()
        current = dict(zip(kept, last, strict=True)) if last and not self.finished else kept
        net.load_state_dict(dict(zip(net.state_dict(), current.values(), strict=True)))
        estimator._optimizer.optimizer.load_state_dict(loaded._optimizer.kept)
        net._core.step = loaded._net._core.step
        for name in _CHANGED:
            if name in vars(loaded):
                setattr(estimator, name, getattr(loaded, name))
        if estimator.early_stopping:
            self._best = dict(zip(net.state_dict(), kept.values(), strict=True))

    def epoch_end(self, run: EstimatorRun, improved: bool, ended: bool, due: bool) -> None:
        """Write the file where it is due.

        Parameters
        ----------
        run : EstimatorRun
        improved : bool
            Whether the weights are the best so far.
        ended : bool
            Whether the training ends by its own rules or a callback.
        due : bool
            Whether the file is written whatever the number of the epoch.
        """
        estimator = run.estimator
        net, last, best = estimator._net, [], estimator.early_stopping
        if best and improved:
            self._best = net.state_dict()
        if not (ended or due) and estimator.n_iter_ % self.every:
            return
        described = self._described(estimator)
        if best and not improved and self._best is not None:
            last = list(net.state_dict().values())
            described.load_state_dict(dict(zip(described.state_dict(), self._best.values(), strict=True)))
        steps = self.start.steps + run.steps_of(run.epochs_taken)
        progress = {"settings": self._settings, "ended": ended, "steps": steps}
        state.write(described, self.path, {"estimator": progress, "last": last}, "fit: checkpoint")


def checkpoint_of(estimator: Any, path: Any, every: int, resume: bool) -> EstimatorCheckpoint | None:
    """Return the checkpoint of a fit that is about to begin, None without a path.

    Raises
    ------
    ValueError
        For arguments that do not fit, and for an estimator whose fit cannot be resumed bit for bit.
    """
    check_arguments(path, every, resume)
    if path is None:
        return None
    reasons = {
        "solver='lbfgs' is SciPy's, whose state no file holds": estimator.solver == "lbfgs",
        "random_state must be an integer": not isinstance(estimator.random_state, Integral),
        "warm_start=True continues a fit of its own": estimator.warm_start and hasattr(estimator, "coefs_"),
    }
    for reason, applies in reasons.items():
        if applies:
            raise ValueError(f"fit: checkpoint: {reason}")
    return EstimatorCheckpoint(path, every, resume)
