"""The base of all losses: call one on predictions and targets, ``backward`` is the gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, NoReturn, cast, overload

import numpy as np
import numpy.typing as npt

from cmlp import _core
from cmlp._foreign_names import advice, unknown
from cmlp.nn.field_checks import column, numbers_by_name, optional, word
from cmlp.nn.fields import Field, HasFields, is_default, plain

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Out = TypeVar("Out", default=Any)  # what a loss returns: a float, or an array without reduction
else:
    from typing import TypeVar

    Out = TypeVar("Out")

Reduced = Literal["mean", "sum", "batchmean"]
Reduction = Literal["mean", "sum", "none", "batchmean"]

_ROWS: dict[str, dict[str, Any]] = {row["name"]: row for row in _core.losses()}


class LossValue(float):
    """A loss: a number. PyTorch's ``loss.backward()`` is ``net.backward(criterion.backward())`` here."""

    __slots__ = ()

    def item(self) -> float:
        """Return the number as a float, as tensors do."""
        return float(self)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            hint = advice("loss value", name)
            raise AttributeError(f"a loss has no attribute '{name}'" + (f"; {hint}" if hint else ""))


class Loss(HasFields, Generic[Out]):
    """A loss by the name of its row; base of all loss classes.

    Setting an attribute takes effect with the next call; a ``fit`` that runs keeps what it began with.

    Parameters
    ----------
    name : str
        One of :func:`cmlp.losses`.
    reduction : {"mean", "sum", "none", "batchmean"}
        ``"mean"`` divides by the sum of the weights times the values averaged over, ``"batchmean"`` by the
        sum of the weights alone: weight 2 is the row twice, 0 the row absent.
    weight : float or array (columns,), optional
        A number a column, for losses that take one: class weights, factors of the positive part, quantiles.
    **settings : float
        The loss's own parameters.

    Raises
    ------
    ValueError
        For an unknown name, reduction or parameter; the message lists the valid ones.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.Loss("huber", delta=2.0)
    Loss('huber', reduction='mean', delta=2.0)
    """

    _row: ClassVar[str] = ""  # the name of a class of its own
    reduction: Field[Reduction] = Field(word("mean", "sum", "none", "batchmean"), core="")

    @overload
    def __init__(self: Loss[float], name: str, *, reduction: Reduced = ..., **values: Any) -> None: ...
    @overload
    def __init__(
        self: Loss[npt.NDArray[Any]], name: str, *, reduction: Literal["none"], **values: Any
    ) -> None: ...
    def __init__(self, name: str, *, reduction: Reduction = "mean", **values: Any) -> None:
        if name not in _ROWS:
            raise ValueError(unknown("loss", name, _ROWS))
        self._name = name
        self._core: _core.Loss
        super().__init__({"reduction": reduction, **self._given(values)})
        self._take_effect()

    def _given(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values by fields; those of a loss by its name are in two."""
        if self._row:
            return values
        own = dict(values)
        self._column = optional(column)(f"{self._name}: weight", own.pop("weight", None))
        self._settings = numbers_by_name(f"{self._name}: settings", own)
        return {}

    # ---- in the core

    def _check(self) -> None:
        self._made = self._make_core()

    def _take_effect(self) -> None:
        self._core = self._made

    def _make_core(self) -> _core.Loss:
        fields: dict[str, Any] = (
            self._core_fields() if self._row else {**self._settings, "weight": self._column}
        )
        columns = fields.pop("weight", None)
        numbers = [] if columns is None else np.asarray(columns, float).ravel().tolist()
        settings = {key: float(value) for key, value in fields.items()}
        return _core.Loss(self._name, settings, self.reduction, numbers)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("_core", "_made")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._core = self._make_core()

    # ---- what it is

    @property
    def name(self) -> str:
        """The name in :func:`cmlp.losses`."""
        return self._name

    @property
    def settings(self) -> dict[str, float]:
        """The loss's own parameters by the names in its row, as a new dict."""
        return dict(self._core.settings)

    @property
    def kind(self) -> str:
        """What predictions are: "value", "probability", "logit", "class_logits" ..."""
        return _core.output_kind(self._name)

    def __call__(
        self, y: npt.ArrayLike, target: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Out:
        """Return the value, and keep the gradient for :meth:`backward`.

        Parameters
        ----------
        y : array (batch, out)
            Predictions; float32 is computed in float32, anything else in float64.
        target : array (batch, targets), (batch,)
            What they should be; class indices are integers of shape (batch,).
        sample_weight : array (batch,), optional

        Returns
        -------
        float, or ndarray for reduction ``"none"``

        Raises
        ------
        ValueError
            When shapes differ or a label is out of range, naming its position.
        """
        value: Any = self._core(y, target, sample_weight)
        result: Any = LossValue(value) if isinstance(value, float) else value
        return cast(Out, result)

    def backward(self) -> npt.NDArray[Any]:
        """Return the gradient by the predictions of the last value (``"none"``: of the sum), (batch, out)."""
        gradient: npt.NDArray[Any] = self._core.backward()
        return gradient

    def _arguments(self) -> list[str]:
        if self._row:
            return super()._arguments()
        shown = [repr(self._name), f"reduction={self.reduction!r}"]
        shown += [] if is_default(self._column, None) else [f"weight={plain(self._column)!r}"]
        return [*shown, *(f"{key}={value!r}" for key, value in self._settings.items())]
