"""Models written while they are trained."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Never

from cmlp._foreign_names import refuse_arguments
from cmlp.training.monitor import BestValue, Mode

if TYPE_CHECKING:
    from cmlp.training.loop import TrainingEvent


class Checkpoint:
    """A callback that writes the model after an epoch: after every one, or where a value is the best so far.

    Parameters
    ----------
    path : path
        The file. Values of the epoch may be in its name: ``"net-{epoch}-{val_loss:.3f}.safetensors"``. A
        network is written by :func:`cmlp.save`, with its history; an estimator by ``joblib.dump``.
    monitor : str, optional
        Write only where this value is the best so far: ``"loss"``, ``"val_loss"``, a metric, ``"val_"`` and a
        metric. By default every epoch is written. "loss" and the metrics of the training rows are means over
        the steps of the epoch, each measured before its step, while the file has the weights after the last
        step; a value of those weights is ``"val_loss"``, with the training rows as ``validation_data`` too.
    mode : {"auto", "min", "max"}, default "auto"
        Whether smaller or larger values are better, as in :class:`EarlyStopping`.
    every : int, default 1
        Epochs from one to the next that is looked at.

    Attributes
    ----------
    path : str
        Of the last file written; as it was given until then.
    best : float
        The monitored value of that file; nan without ``monitor``.

    Raises
    ------
    ValueError
        For ``every`` below 1, another ``mode``, or a monitored value that there is not.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import cmlp
    >>> from cmlp import nn
    >>> net = nn.Sequential(nn.Linear(1, 1), seed=0)
    >>> checkpoint = cmlp.Checkpoint(pathlib.Path(tempfile.mkdtemp()) / "net.safetensors", monitor="loss")
    >>> history = net.fit([[0.0], [1.0]], [1.0, 3.0], loss="mse", epochs=3, callbacks=checkpoint)
    >>> cmlp.load(checkpoint.path).history["loss"] == history["loss"]
    True
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        monitor: str | None = None,
        mode: Mode = "auto",
        every: int = 1,
        **unknown: Never,
    ) -> None:
        if unknown:
            refuse_arguments("Checkpoint", unknown)
        if not every >= 1:
            raise ValueError(f"Checkpoint: every is {every}, it must be at least 1")
        self._template = os.fspath(path)
        self.path: str = self._template
        self.monitor: str | None = monitor
        self.every: int = every
        self._best = BestValue(monitor or "", mode, "Checkpoint")
        self._epochs = 0

    @property
    def best(self) -> float:
        """The monitored value of the last file."""
        return self._best.value

    def state_dict(self) -> dict[str, Any]:
        """Return where it stands, for a fit that is resumed."""
        return {"path": self.path, "best": self._best.value, "epochs": self._epochs}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`state_dict` returned."""
        self.path, self._epochs = str(state["path"]), int(state["epochs"])
        self._best.value = float(state["best"])

    def __call__(self, event: TrainingEvent) -> None:
        """Write the model where it is due."""
        self._epochs += 1
        if self._epochs % self.every or (self.monitor is not None and not self._best.improves(event)):
            return
        self.path = self._path_of(event)
        self._write(event.model)

    def _path_of(self, event: TrainingEvent) -> str:
        try:
            return self._template.format(**event)
        except (KeyError, IndexError) as error:
            raise ValueError(f"Checkpoint: path is '{self._template}', there is no value {error}") from None

    def _write(self, model: object) -> None:
        from cmlp.files import save
        from cmlp.nn.sequential import Sequential

        if isinstance(model, Sequential):
            save(model, self.path)
            return
        import joblib  # type: ignore[import-untyped]  # scikit-learn brings it

        joblib.dump(model, self.path)

    def __repr__(self) -> str:
        settings = f"monitor={self.monitor!r}, mode={self._best.mode!r}, every={self.every}"
        return f"Checkpoint({self._template!r}, {settings})"
