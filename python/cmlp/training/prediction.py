"""Evaluation, prediction and the summary of a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Never

import numpy.typing as npt

from cmlp import _core
from cmlp._foreign_names import refuse_arguments
from cmlp.runtime import Execution
from cmlp.training.metrics import MetricLike, Metrics
from cmlp.training.run import as_loss

if TYPE_CHECKING:
    from cmlp._sparse import InputLike
    from cmlp.nn.losses import Loss
    from cmlp.nn.module import Core


class Predictor:
    """The methods of :class:`cmlp.nn.Sequential` that change nothing."""

    if TYPE_CHECKING:
        _core: Core
        _parent: Any
        _where: Callable[[], tuple[Core, int, int]]
        _standalone: Callable[[], Any]

    def evaluate(
        self,
        x: InputLike,
        y: npt.ArrayLike,
        *,
        loss: Loss | str,
        metrics: Sequence[MetricLike] | MetricLike | None = (),
        sample_weight: npt.ArrayLike | None = None,
        n_threads: int | None = None,
        **unknown: Never,
    ) -> dict[str, float]:
        """Return the loss and the metrics over all rows, in evaluation mode.

        Parameters
        ----------
        x, y, loss, metrics, sample_weight, n_threads
            As in :meth:`fit`.

        Returns
        -------
        dict of str to float
            ``loss``, then each metric.

        Examples
        --------
        >>> from cmlp import nn
        >>> net = nn.Sequential(nn.Linear(1, 1, init="constant", init_settings={"value": 2.0}))
        >>> net.evaluate([[1.0], [2.0]], [2.0, 5.0], loss="mse", metrics=["mae"])
        {'loss': 0.5, 'mae': 0.5}
        """
        if unknown:
            refuse_arguments("evaluate", unknown)
        measures, criterion = Metrics(metrics), as_loss(loss)._core
        measures.check_weights(sample_weight)
        core = self._standalone()._core
        with Execution(n_threads):
            values = _core.evaluate(core, x, y, sample_weight, criterion, measures.native)
            own = measures.of_prediction(y, lambda: self.predict(x), sample_weight)
        return {"loss": values[0], **measures.join(values[1:], own)}

    def predict(self, x: InputLike, *, n_threads: int | None = None, **unknown: Never) -> npt.NDArray[Any]:
        """Return the output for finite ``x`` in evaluation mode, from any number of threads at once.

        A row's result does not depend on the rows beside it, not by a bit, unless there is a BatchNorm1d with
        ``track_running_stats=False``, which takes the statistics of the rows of the call.

        Parameters
        ----------
        x : array or sparse matrix (rows, in)
            Sparse where the first layer is a Linear: the result has the bits of the dense matrix's.
        n_threads : int, optional
            As in :meth:`fit`.

        Returns
        -------
        ndarray (rows, out)

        Raises
        ------
        ValueError
            For no rows, a wrong number of columns, the first NaN or infinity in ``x``, or one row for a
            BatchNorm1d without running statistics.
        RuntimeError
            While another thread trains the network.
        """
        if unknown:
            refuse_arguments("predict", unknown)
        core, first, last = self._where()
        if n_threads is None:
            return core.predict(x, first, last)
        with Execution(n_threads):
            return core.predict(x, first, last)

    def summary(self) -> str:
        """Return a table of the layers with their output widths and parameters.

        Examples
        --------
        >>> from cmlp import nn
        >>> print(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).summary())
        layer      output  parameters
        -----------------------------
        0: Linear       3           9
        1: ReLU         3           0
        2: Linear       1           4
        -----------------------------
        13 parameters, float32
        """
        from cmlp.training.summary import summary_text

        return summary_text(self._standalone())

    def _root_core(self, function: str) -> Any:
        """Return the core; raise ValueError for an inner network, which is only a part of it."""
        if self._parent is not None:
            raise ValueError(f"{function}: this network belongs to a larger one; call it on that network")
        return self._core
