"""Averages of a model's weights over its training: the plain mean (SWA) and the exponential one (EMA)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cmlp import _core
from cmlp.nn.module import Module, Parameter, make_core
from cmlp.nn.numbers import Numbers
from cmlp.nn.parameter import members_of
from cmlp.optim._swalr import SWALR

if TYPE_CHECKING:
    from cmlp.training.loop import TrainingEvent

__all__ = ["SWALR", "AveragedModel", "get_ema_multi_avg_fn", "get_swa_multi_avg_fn", "update_bn"]

Array = npt.NDArray[Any]


class _MovingMean:
    """``mean += share(n) (x - mean)``, n the number of models in the mean so far.

    The share of a new model is constant, or 1 / (n + 1): the plain mean.
    """

    def __init__(self, constant: float | None = None) -> None:
        self.constant = constant

    def share(self, num_averaged: int) -> float:
        return 1 / (num_averaged + 1) if self.constant is None else self.constant

    def __call__(self, averaged: list[Array], current: list[Array], num_averaged: int) -> None:
        for mean, x in zip(averaged, current, strict=True):
            mean += self.share(num_averaged) * (x - mean)


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[list[Array], list[Array], int], None]:
    """Return the exponential mean: ``mean = decay mean + (1 - decay) x``.

    Raises
    ------
    ValueError
        When the decay is not in [0, 1].
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"get_ema_multi_avg_fn: decay is {decay}, it must be in [0,1]")
    return _MovingMean(1 - decay)


def get_swa_multi_avg_fn() -> Callable[[list[Array], list[Array], int], None]:
    """Return the plain mean of all: Izmailov et al., UAI 2018."""
    return _MovingMean()


class AveragedModel:
    """A copy of a model whose weights are an average of those it was updated with.

    The first update copies; without a function of one's own the rest make the plain mean, in one native loop.
    Numbers that layers keep beside their parameters (running statistics) are copied from the last model,
    unless ``use_buffers`` is true. Among the ``callbacks`` (``step_callbacks``) of ``net.fit`` it is updated
    after every epoch (every few steps), and a checkpoint of the fit has it.

    Parameters
    ----------
    model : Module
    avg_fn : callable, optional
        ``avg_fn(averaged, current, num_averaged)`` returns the new average of one parameter.
    multi_avg_fn : callable, optional
        ``multi_avg_fn(averaged, current, num_averaged)`` changes the list of averages in place:
        :func:`get_ema_multi_avg_fn`, :func:`get_swa_multi_avg_fn`, or one's own.
    use_buffers : bool, default False
        Average the running statistics, too.

    Attributes
    ----------
    module : Module
        The averaged copy.
    n_averaged : int
        Updates so far.

    Raises
    ------
    ValueError
        For both functions at once.

    Examples
    --------
    >>> from cmlp import nn
    >>> from cmlp.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> average = AveragedModel(layer, multi_avg_fn=get_ema_multi_avg_fn(0.75))
    >>> for weight in (1.0, 5.0):
    ...     layer.weight.data = [[weight]]
    ...     average.update_parameters(layer)
    >>> average([[1.0]]).tolist()
    [[2.0]]
    """

    def __init__(
        self,
        model: Module,
        *,
        avg_fn: Callable[[Array, Array, int], npt.ArrayLike] | None = None,
        multi_avg_fn: Callable[[list[Array], list[Array], int], None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: avg_fn and multi_avg_fn were both given, choose one")
        self.module: Module = copy.deepcopy(model)
        self.n_averaged: int = 0
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def __call__(self, x: npt.ArrayLike) -> Array:
        """Return the averaged model's output for ``x``."""
        return self.module(x)

    def _as_callback(self, event: TrainingEvent) -> None:
        """Take the weights of a network that is trained: what the average does among the callbacks of fit."""
        self.update_parameters(event.model)

    def parameters(self) -> list[Parameter]:
        """Return the averaged parameters."""
        return list(self.module.parameters())

    def update_parameters(self, model: Module) -> None:
        """Take the model's weights into the average.

        Raises
        ------
        ValueError
            When the model is not of the same layers and dtype.
        """
        own, other = dict(self.module.named_parameters()), dict(model.named_parameters())
        if [(k, p.shape, p.dtype) for k, p in own.items()] != [
            (k, p.shape, p.dtype) for k, p in other.items()
        ]:
            raise ValueError("AveragedModel: the model is not of the same layers and dtype")
        if own:
            self._average(list(own.values()), list(other.values()))
        means, current = ([data for _, data in each.named_buffers()] for each in (self.module, model))
        if self.use_buffers and self.n_averaged:
            self._mix(means, current)
        else:
            for mean, x in zip(means, current, strict=True):
                mean[...] = x
        self.n_averaged += 1

    def _average(self, own: list[Parameter], other: list[Parameter]) -> None:
        rule = self.multi_avg_fn or get_swa_multi_avg_fn()
        if self.n_averaged == 0 or (self.avg_fn is None and isinstance(rule, _MovingMean)):
            share = rule.share(self.n_averaged) if self.n_averaged and isinstance(rule, _MovingMean) else 1.0
            _core.average(members_of(own), members_of(other), share)
        else:
            self._mix([p.data for p in own], [p.data for p in other])

    def _mix(self, means: list[Array], current: list[Array]) -> None:
        if self.avg_fn is None:
            (self.multi_avg_fn or get_swa_multi_avg_fn())(means, current, self.n_averaged)
            return
        for mean, x in zip(means, current, strict=True):
            value = np.asarray(self.avg_fn(mean, x, self.n_averaged))
            if value.shape != mean.shape:
                raise ValueError(f"AveragedModel: avg_fn returned shape {value.shape} for {mean.shape}")
            mean[...] = value

    def state_dict(self) -> dict[str, Array]:
        """Return copies of the averaged weights and the number of updates, under PyTorch's names."""
        state = {f"module.{key}": value for key, value in self.module.state_dict().items()}
        return {"n_averaged": np.array(self.n_averaged), **state}

    def _settings(self) -> dict[str, Any]:
        """Return all but the weights as plain data; raise ValueError for a function of one's own."""
        rule = self.multi_avg_fn
        if self.avg_fn is not None or not (rule is None or isinstance(rule, _MovingMean)):
            raise ValueError("save: the AveragedModel has a function, a model file holds plain data only")
        share = rule.constant if isinstance(rule, _MovingMean) else None
        return {"n_averaged": self.n_averaged, "use_buffers": self.use_buffers, "share": share}

    @classmethod
    def _restored(cls, module: Module, settings: Mapping[str, Any]) -> AveragedModel:
        """Return the average of these weights and settings."""
        share, buffers = settings["share"], bool(settings["use_buffers"])
        rule = None if share is None else _MovingMean(float(share))
        made = cls(module, multi_avg_fn=rule, use_buffers=buffers)
        made.n_averaged = int(settings["n_averaged"])
        return made

    def load_state_dict(self, state: Mapping[str, npt.ArrayLike]) -> None:
        """Take over what :meth:`state_dict` returned.

        Raises
        ------
        ValueError
            When names or shapes are not this model's.
        """
        weights = {key.removeprefix("module."): value for key, value in state.items() if key != "n_averaged"}
        self.module.load_state_dict(weights)
        self.n_averaged = int(np.asarray(state["n_averaged"]))

    def __repr__(self) -> str:
        return f"AveragedModel({self.module!r}, n_averaged={self.n_averaged})"


def update_bn(loader: Iterable[Any], model: Module | AveragedModel) -> None:
    """Set the running statistics of every batch norm to the mean over the batches: those of averaged weights.

    Parameters
    ----------
    loader : iterable of arrays (batch, in), or of tuples or lists that begin with one
    model : Module or AveragedModel

    Examples
    --------
    >>> import numpy as np
    >>> from cmlp import nn, optim
    >>> norm = nn.BatchNorm1d(1)
    >>> optim.swa_utils.update_bn([np.array([[0.0], [2.0]]), np.array([[4.0], [6.0]])], norm)
    >>> dict(norm.named_buffers())["running_mean"].tolist()
    [3.0]
    """
    module = model.module if isinstance(model, AveragedModel) else model
    specs = module._specs()
    if not any(kind == "BatchNorm1d" for _, kind, _ in specs):
        return
    cumulative = [
        (name, kind, {**fields, "momentum": -1.0} if kind == "BatchNorm1d" else fields)
        for name, kind, fields in specs
    ]
    numbers = Numbers(make_core(cumulative, module._core.seed, module._numbers.dtype))
    rows = [row for layer in range(len(cumulative)) for row in numbers.rows(layer)]
    pairs = list(zip(rows, module._rows(), strict=True))
    for averaged, own in pairs:
        if own.grad is not None:
            averaged.data[...] = own.data
    numbers.core.training = True
    for batch in loader:
        numbers.core.forward(batch[0] if isinstance(batch, list | tuple) else batch)
    for averaged, own in pairs:
        if own.grad is None:
            own.data[...] = averaged.data
