"""The practical face of a network: train_step and fit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Never

import numpy.typing as npt

from cmlp import _core
from cmlp._foreign_names import refuse_arguments
from cmlp.nn.mistakes import warn_of_last_layer
from cmlp.runtime import Execution
from cmlp.training.data import FitData
from cmlp.training.early_stopping import EarlyStopping, take_early_stopping
from cmlp.training.history import History
from cmlp.training.loop import Callback, as_callbacks, as_step_callbacks
from cmlp.training.metrics import MetricLike, Metrics
from cmlp.training.options import Batching, FitOptions, Length, StepOptions
from cmlp.training.prediction import Predictor
from cmlp.training.progress import progress_for
from cmlp.training.resume import FitCheckpoint, Observed, TrainingParts, check_arguments
from cmlp.training.run import TrainingRun, as_loss, as_optimizer, batch_rows, rule_for
from cmlp.training.same_run import settings_of
from cmlp.training.schedules import Schedules

if TYPE_CHECKING:
    from cmlp._sparse import InputLike
    from cmlp.nn.losses import Loss
    from cmlp.optim import Optimizer
    from cmlp.training.run import Rule
    from cmlp.training.schedules import Scheduler


class Trainable(Predictor):
    """The training methods of :class:`cmlp.nn.Sequential`."""

    history: History | None = None

    if TYPE_CHECKING:
        parameters: Callable[[], list[Any]]

    def train_step(
        self,
        x: InputLike,
        y: npt.ArrayLike,
        criterion: Loss,
        optimizer: Optimizer,
        *,
        sample_weight: npt.ArrayLike | None = None,
        clip_grad_norm: float | None = None,
        clip_grad_value: float | None = None,
        l1: float | None = None,
        l2: float | None = None,
        max_norm: float | None = None,
        n_threads: int | None = None,
        **unknown: Never,
    ) -> float:
        """Do forward, loss, backward and update in one native call.

        The gradients are set, not added to; the result is the same as the explicit steps after
        ``zero_grad()``.

        Parameters
        ----------
        x : array or sparse matrix (batch, in)
        y : array (batch, out) or (batch,)
        criterion : Loss
        optimizer : Optimizer
        sample_weight : array (batch,), optional
        clip_grad_norm : float, optional
            Scale the gradients to this norm when theirs is larger; None or 0: off.
        clip_grad_value : float, optional
            Bring each element of the gradients into [-clip_grad_value, clip_grad_value]; None or 0: off.
        l1, l2, max_norm : float, optional
        n_threads : int, optional
            As in :meth:`fit`.

        Returns
        -------
        float
            The loss before the step, penalties included.

        Raises
        ------
        NonFiniteError
            When the loss, a gradient or an updated weight is not finite; the weights are as before.
        """
        if unknown:
            refuse_arguments("train_step", unknown)
        net = self._root_core("train_step")  # the precisions have a function each, chosen by the arguments
        rule = rule_for(optimizer, net, full_batch=False)
        warn_of_last_layer(self, criterion, "train_step")
        more = (clip_grad_norm, clip_grad_value, l1, l2, max_norm)
        if n_threads is None:
            return _core.train_step(net, x, y, sample_weight, criterion._core, rule, *more)
        with Execution(n_threads):
            return _core.train_step(net, x, y, sample_weight, criterion._core, rule, *more)

    def fit(
        self,
        x: InputLike,
        y: npt.ArrayLike,
        *,
        loss: Loss | str,
        optimizer: Rule | str = "adam",
        epochs: int = 1,
        batch_size: int | None = None,
        drop_last: bool = False,
        shuffle: bool | Callable[[int], npt.ArrayLike] = True,
        sample_weight: npt.ArrayLike | None = None,
        validation_data: tuple[InputLike, ...] | None = None,
        validation_split: float | None = None,
        early_stopping: EarlyStopping | bool | int | None = None,
        metrics: Sequence[MetricLike] | MetricLike | None = None,
        callbacks: Callback | EarlyStopping | Iterable[Callback | EarlyStopping] | None = None,
        step_callbacks: Callback | Iterable[Callback] | None = None,
        every_steps: int | None = None,
        clip_grad_norm: float | None = None,
        clip_grad_value: float | None = None,
        accumulate_steps: int | None = None,
        l1: float | None = None,
        l2: float | None = None,
        max_norm: float | None = None,
        penalty_per_row: bool = False,
        mixup: float | None = None,
        input_noise: float | None = None,
        class_weight: str | Mapping[Any, float] | npt.ArrayLike | None = None,
        scheduler: Scheduler | Sequence[Scheduler] | None = None,
        scheduler_interval: Literal["epoch", "step"] = "epoch",
        row_names: npt.ArrayLike | None = None,
        time_limit: float | None = None,
        initial_epoch: int = 0,
        checkpoint: str | os.PathLike[str] | None = None,
        every: int = 1,
        resume: bool = False,
        verbose: bool | int | Literal["auto"] = "auto",
        seed: int = 0,
        n_threads: int | None = None,
        **unknown: Never,
    ) -> History:
        """Train for a number of epochs, natively and with the GIL released.

        None turns an option off; where 0 does, too, both mean the same.

        Parameters
        ----------
        x : array or sparse matrix (rows, in)
            Finite numbers; borrowed when of the network's dtype (and CSR), converted once otherwise. A SciPy
            sparse matrix needs a Linear as the first layer and takes no mixup or noise.
        y : array (rows, out), or (rows,)
            Class indices for losses that take them.
        loss : Loss or str
            A loss, or the name of one with its defaults.
        optimizer : Optimizer or str, default "adam"
            An optimizer over ``net.parameters()``, or the name of one with its defaults. ``LBFGS`` ("lbfgs")
            and ``LevenbergMarquardt`` ("levenberg_marquardt") see all rows at once, a step an epoch; they
            take no scheduler, smaller batches, clipping, mixup, noise, ``l1`` or ``max_norm``, and ``l2``
            with ``LBFGS`` alone.
        epochs : int, default 1
        batch_size : int, optional
            32 by default, all rows for the optimizers that see them at once. The last batch of an epoch may
            be smaller; a single row that is left over joins the batch before it where the network has a
            BatchNorm1d, which needs the variance of several rows.
        drop_last : bool, default False
            Leave the last batch of an epoch out where it has fewer rows than ``batch_size``.
        shuffle : bool or callable, default True
            A new order of the rows in each epoch, from ``seed`` and the epoch's number. A function is called
            with that number and returns the rows in the order to train on them: as many as there are.
        sample_weight : array (rows,), optional
            Weight 2 is the row twice, 0 the row absent, in loss and metrics. Only the statistics that a
            BatchNorm1d takes of a batch count every row once.
        validation_data : (x, y) or (x, y, sample_weight), optional
        validation_split : float, optional
            Share of the rows held out at random (from ``seed``) when there are no ``validation_data``.
        early_stopping : EarlyStopping, bool or int, optional
            True: an EarlyStopping with its defaults; a number: its patience.
        metrics : str, callable, or sequence of them, optional
            Names of :func:`cmlp.metrics`; training values are over the epoch's batches as they were trained
            on. Or functions of (y, prediction) and, with sample weights, of these as a third argument; they
            are named by their ``__name__`` and take all rows after the epoch, in evaluation mode.
        callbacks : callable or sequence of callables, optional
            Each is called after every epoch with a dict of its values, which also has the attributes
            ``model`` (this network) and ``history`` (of the epochs so far) and a method ``stop()``. The fit
            stops when one returns False, or anything false but None. An :class:`EarlyStopping` or
            :class:`Checkpoint` may be among them. They are called after the progress is shown and the
            schedulers have stepped.
        step_callbacks : callable or sequence of callables, optional
            Called after every ``every_steps`` steps with epoch, step, steps (an epoch) and loss; False stops.
        every_steps : int, optional
            None or 0: never.
        clip_grad_norm : float, optional
            Scale the gradients of a step to this norm when theirs is larger; None or 0: off.
        clip_grad_value : float, optional
            Then bring each element of the gradients into [-clip_grad_value, clip_grad_value]; None or 0: off.
        accumulate_steps : int, optional
            Batches that make a step: it follows the loss over all their rows, as that of one larger batch.
            The last step of an epoch may have fewer. None: 1.
        l1, l2 : float, optional
            Add ``l1 * sum |w| + l2 / 2 * sum w^2`` to the loss of each step, over the weights of linear
            layers (no biases, norms, embeddings) that the optimizer moves. Part of the gradient before it is
            clipped, and of ``loss`` in the history; ``val_loss`` and :meth:`evaluate` are of the data alone.
        max_norm : float, optional
            After each step, scale the weights that come into a unit of a linear layer down to this 2-norm
            (Srivastava et al., JMLR 15, 2014); None or 0: off.
        penalty_per_row : bool, default False
            Divide ``l1`` and ``l2`` by the weight of the rows of the step, as scikit-learn does its alpha.
        mixup : float, optional
            Alpha: train on ``s x_i + (1 - s) x_j`` with the loss ``s L(y_i) + (1 - s) L(y_j)``, where j is a
            permutation of the batch and s ~ Beta(alpha, alpha) one number for it (Zhang et al., ICLR 2018);
            None or 0: off. Each half of the loss has the weight of its own row; training metrics are against
            y_i.
        input_noise : float, optional
            Standard deviation of normal noise added to ``x`` in training, after mixup; None or 0: off. Both
            are drawn from ``seed`` and the number of the batch: the same for any number of threads, and
            continued by ``initial_epoch``.
        class_weight : "balanced", dict or array, optional
            Weight of each class, times that of the row; "balanced": rows / (classes * rows of the class),
            where a row counts its ``sample_weight`` (the estimators count each row once, as scikit-learn
            does); a class that a dict lacks has weight 1. Of the training rows alone, without those whose
            label the loss ignores (``ignore_index``).
        scheduler : scheduler of :mod:`cmlp.optim.lr_scheduler`, or several, optional
            Over the same optimizer; they continue from where they are. Each moves the setting it names, lr by
            default: ``FlatCosLR(adam, 100, setting="weight_decay")``; "dropout" is a factor of p of all
            dropout layers.
        scheduler_interval : "epoch" or "step", default "epoch"
            What a step of the schedulers is ("step": an update of the weights); ``ReduceLROnPlateau`` always
            waits for the end of an epoch.
        row_names : array of uint64 (rows,), optional
            What dropout draws by: rows of one name draw the same mask in a step, so that weight 2 is the row
            twice with dropout, too. Rows that ``validation_split`` holds out leave with theirs. By default
            the row's place in its batch.
        time_limit : float, optional
            Seconds after which it stops between two steps; None or 0: none.
        initial_epoch : int, default 0
            Number of the first epoch; a continued fit shuffles as an uninterrupted one would.
        checkpoint : path, optional
            A file ``*.safetensors`` that is written during the fit, atomically: the network as the fit would
            return it if it ended there (:func:`cmlp.load` reads it), with its history and all that the next
            epoch depends on, the states of optimizer, schedulers and callbacks that have ``state_dict`` and
            ``load_state_dict`` among it.
        every : int, default 1
            Epochs from one writing of the checkpoint to the next; the last epoch is always written.
        resume : bool, default False
            Continue from the checkpoint, if the file is there: same arguments, an equal network and optimizer
            give the bits (weights, history, optimizer) of the uninterrupted fit, also in another process. A
            fit that had ended returns at once; more ``epochs`` than before continue it. Callbacks are not
            called for the epochs that are in the file. A file of other settings is refused.
        verbose : bool, 2 or "auto"
            True: a progress bar, or about twenty lines where the output is a file; 2: a line an epoch;
            "auto": a bar in a terminal or a notebook, else nothing.
        seed : int, default 0
            Of the shuffles, dropout, mixup, noise and the validation split.
        n_threads : int, optional
            Threads at most; by default as many as :func:`cmlp.get_num_threads` says. No bit depends on it.

        Returns
        -------
        History

        Raises
        ------
        ValueError
            For data or options that do not fit, naming the value and the rule.
        NonFiniteError
            When the loss, a gradient or a weight turns non-finite; the weights are the last finite ones.
        KeyboardInterrupt
            Ctrl-C ends it between two steps; the network and ``net.history`` are as after the last step that
            was completed. However a fit ends, with ``restore_best`` of ``early_stopping`` the network has the
            best weights.

        Examples
        --------
        >>> import numpy as np
        >>> from cmlp import nn, optim
        >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> y = np.array([0, 1, 1, 0])
        >>> net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2), seed=1)
        >>> adam = optim.Adam(net.parameters(), lr=0.05)
        >>> history = net.fit(x, y, loss="cross_entropy", optimizer=adam, epochs=100)
        >>> net.predict(x).argmax(axis=1).tolist()
        [0, 1, 1, 0]
        """
        if unknown:
            refuse_arguments("fit", unknown)
        net = self._root_core("fit")
        criterion, rule = as_loss(loss), as_optimizer(optimizer, self)
        update = rule_for(rule, net)
        warn_of_last_layer(self, criterion, "fit")
        data = FitData(x, y, sample_weight, validation_data, row_names)
        data.hold_out(validation_split, seed)
        data.weigh(class_weight, criterion)
        size, order = batch_rows(batch_size, rule, data.x), shuffle if callable(shuffle) else None
        shuffled: Any = shuffle if order is None else True
        options = FitOptions(
            Length(epochs, initial_epoch, time_limit, every_steps),
            Batching(size, shuffled, drop_last, accumulate_steps, mixup, input_noise, seed),
            StepOptions(clip_grad_norm, clip_grad_value, l1, l2, max_norm, penalty_per_row),
        )
        others, stopping = take_early_stopping(callbacks, early_stopping)
        schedules = Schedules(scheduler, scheduler_interval, rule)
        rows, measured = data.in_core(net, criterion), Metrics(metrics)
        called = as_callbacks(others), as_step_callbacks(step_callbacks, every_steps)
        check_arguments(checkpoint, every, resume)
        keeper = None
        if checkpoint is not None:
            parts = TrainingParts(self, rule, schedules, Observed([*called[0], *called[1]]))
            settings = settings_of(
                options, criterion, stopping, metrics=measured.names, every_steps=every_steps, **data.shapes()
            )
            keeps_best = stopping is not None and stopping.restore_best
            keeper = FitCheckpoint(checkpoint, every, parts, settings, keeps_best)
            options = keeper.resumed(options) if resume else options
            if keeper.finished:
                self.history = keeper.history
                return keeper.history
        run = TrainingRun(self, rows, measured, options, stopping, schedules, keeper)
        with Execution(n_threads):
            run.observe(progress_for(epochs - options.length.initial_epoch, verbose), *called)
            run(criterion, update, order)
        return run.history
