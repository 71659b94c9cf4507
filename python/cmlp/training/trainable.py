"""The practical face of a network: train_step and fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from cmlp import _core
from cmlp.training.data import FitData
from cmlp.training.history import EarlyStopping, History
from cmlp.training.metrics import MetricLike, Metrics
from cmlp.training.prediction import Predictor
from cmlp.training.progress import ProgressBar
from cmlp.training.run import Callback, Run, as_loss, as_optimizer, batch_rows, rule_for
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
        clip_grad_norm: float = 0.0,
        clip_grad_value: float = 0.0,
        l1: float = 0.0,
        l2: float = 0.0,
        max_norm: float = 0.0,
        n_threads: int | None = None,
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
        clip_grad_norm : float, default 0
            Scale the gradients to this norm when theirs is larger; 0: off.
        clip_grad_value : float, default 0
            Bring each element of the gradients into [-clip_grad_value, clip_grad_value]; 0: off.
        l1, l2, max_norm : float, default 0
        n_threads : int, optional
            As in :meth:`fit`.

        Returns
        -------
        float
            The loss before the step, penalties included.

        Raises
        ------
        NonFiniteError
            When the loss or a gradient is not finite; the weights are as before.
        """
        net = self._whole_core("train_step")  # the precisions have a function each, chosen by the arguments
        rule = rule_for(optimizer, net, whole=False)
        more = (clip_grad_norm, clip_grad_value, l1, l2, max_norm)
        with _core.Execution(n_threads):
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
        shuffle: bool | Callable[[int], npt.ArrayLike] = True,
        sample_weight: npt.ArrayLike | None = None,
        validation_data: tuple[InputLike, ...] | None = None,
        validation_split: float = 0.0,
        early_stopping: EarlyStopping | None = None,
        metrics: Sequence[MetricLike] = (),
        callbacks: Sequence[Callback] = (),
        step_callbacks: Sequence[Callback] = (),
        every_steps: int = 0,
        clip_grad_norm: float = 0.0,
        clip_grad_value: float = 0.0,
        accumulate_steps: int = 1,
        l1: float = 0.0,
        l2: float = 0.0,
        max_norm: float = 0.0,
        penalty_per_row: bool = False,
        mixup: float = 0.0,
        input_noise: float = 0.0,
        class_weight: str | Mapping[Any, float] | npt.ArrayLike | None = None,
        scheduler: Scheduler | Sequence[Scheduler] | None = None,
        scheduler_interval: str = "epoch",
        row_names: npt.ArrayLike | None = None,
        time_limit: float = 0.0,
        initial_epoch: int = 0,
        verbose: bool | str = "auto",
        seed: int = 0,
        n_threads: int | None = None,
    ) -> History:
        """Train for whole epochs, natively and with the GIL released.

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
            32 by default, all rows for the optimizers that see them at once; the last batch of an epoch may
            be smaller.
        shuffle : bool or callable, default True
            A new order of the rows in each epoch, from ``seed`` and the epoch's number. A function is called
            with that number and returns the rows in the order to meet them: as many as there are.
        sample_weight : array (rows,), optional
            Weight 2 is the row twice, 0 the row absent, in loss and metrics. Only the statistics that a
            BatchNorm1d takes of a batch count every row once.
        validation_data : (x, y) or (x, y, sample_weight), optional
        validation_split : float, default 0
            Share of the rows held out at random (from ``seed``) when there are no ``validation_data``.
        early_stopping : EarlyStopping, optional
        metrics : sequence of str or callable
            Names of :func:`cmlp.metrics`; training values are over the epoch's batches as they were met. Or
            functions of (y, prediction) and, with sample weights, of these as a third argument; they go by
            their ``__name__`` and see all rows after the epoch, in evaluation mode.
        callbacks : sequence of callables
            Each is called after every epoch with a dict of its values; returning False stops.
        step_callbacks : sequence of callables
            Called after every ``every_steps`` steps with epoch, step, steps (an epoch) and loss; False stops.
        every_steps : int, default 0
            0: never.
        clip_grad_norm : float, default 0
            Scale the gradients of a step to this norm when theirs is larger; 0: off.
        clip_grad_value : float, default 0
            Then bring each element of the gradients into [-clip_grad_value, clip_grad_value]; 0: off.
        accumulate_steps : int, default 1
            Batches that make a step: it follows the loss over all their rows, as that of one larger batch.
            The last step of an epoch may have fewer.
        l1, l2 : float, default 0
            Add ``l1 * sum |w| + l2 / 2 * sum w^2`` to the loss of each step, over the weights of linear
            layers (no biases, norms, embeddings) that the optimizer moves. Part of the gradient before it is
            clipped, and of ``loss`` in the history; ``val_loss`` and :meth:`evaluate` are of the data alone.
        max_norm : float, default 0
            After each step, scale the weights that come into a unit of a linear layer down to this 2-norm
            (Srivastava et al., JMLR 15, 2014); 0: off.
        penalty_per_row : bool, default False
            Divide ``l1`` and ``l2`` by the weight of the rows of the step, as scikit-learn does its alpha.
        mixup : float, default 0
            Alpha: train on ``s x_i + (1 - s) x_j`` with the loss ``s L(y_i) + (1 - s) L(y_j)``, where j is a
            permutation of the batch and s ~ Beta(alpha, alpha) one number for it (Zhang et al., ICLR 2018);
            0: off. Each half of the loss has the weight of its own row; training metrics are against y_i.
        input_noise : float, default 0
            Standard deviation of normal noise added to ``x`` in training, after mixup; 0: off. Both come from
            ``seed`` and the number of the batch: any threads draw the same, ``initial_epoch`` goes on.
        class_weight : "balanced", dict or array, optional
            Weight of each class, times that of the row; "balanced": rows / (classes * rows of the class). Of
            the training rows alone.
        scheduler : scheduler of :mod:`cmlp.optim.lr_scheduler`, or several, optional
            Over the same optimizer; they go on from where they are. Each moves the setting it names, lr by
            default: ``FlatCosLR(adam, 100, setting="weight_decay")``; "dropout" is a factor of p of all
            dropout layers.
        scheduler_interval : "epoch" or "step", default "epoch"
            What a step of the schedulers is ("step": an update of the weights); ``ReduceLROnPlateau`` always
            waits for the end of an epoch.
        row_names : array of uint64 (rows,), optional
            What dropout goes by: rows of one name draw the same mask in a step, so that weight 2 is the row
            twice with dropout, too. By default the row's place in its batch.
        time_limit : float, default 0
            Seconds after which it stops between two steps; 0: none.
        initial_epoch : int, default 0
            Number of the first epoch; a continued fit shuffles as an uninterrupted one would.
        verbose : bool or "auto"
            A progress bar; "auto": in a terminal or a notebook.
        seed : int, default 0
            Of the shuffles, mixup, noise and the validation split.
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
            When the loss or a gradient turns non-finite; the weights are the last finite ones.
        KeyboardInterrupt
            Ctrl-C ends it between two steps; the network and ``net.history`` are as after the last whole
            step.

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
        net = self._whole_core("fit")
        criterion, rule = as_loss(loss), as_optimizer(optimizer, self)
        data = FitData(x, y, sample_weight, validation_data)
        data.hold_out(validation_split, seed)
        data.weigh(class_weight)
        if step_callbacks and every_steps == 0:
            raise ValueError("fit: step_callbacks are called every_steps steps, and every_steps is 0")
        options = {
            "epochs": epochs,
            "first_epoch": initial_epoch,
            "batch_size": batch_rows(batch_size, rule, data.x),
            "shuffle": bool(shuffle),
            "seed": seed,
            "clip_grad_norm": clip_grad_norm,
            "clip_grad_value": clip_grad_value,
            "accumulate_steps": accumulate_steps,
            "l1": l1,
            "l2": l2,
            "max_norm": max_norm,
            "penalty_per_row": penalty_per_row,
            "mixup": mixup,
            "input_noise": input_noise,
            "row_names": row_names,
            "time_limit": time_limit,
            "every_steps": every_steps,
        }
        schedules = Schedules(scheduler, scheduler_interval, rule)
        run = Run(self.predict, data, options, schedules, Metrics(metrics), early_stopping)
        update = rule_for(rule, net)
        self.history = run.history
        order = shuffle if callable(shuffle) else None
        bar = ProgressBar(epochs - initial_epoch, verbose)
        with _core.Execution(n_threads):
            run(net, criterion, update, bar, callbacks, step_callbacks, order)
        return run.history
