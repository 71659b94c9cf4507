"""Activations: one class for each row of the core's list, made from it; GELU's two share one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cmlp import _core
from cmlp._foreign_names import unknown
from cmlp.nn.field_checks import any_number, numbers_by_name, refuse_inplace, word
from cmlp.nn.fields import Field
from cmlp.nn.module import Module

_ROWS: dict[str, dict[str, Any]] = {row["name"]: row for row in _core.activations()}
_TEMPLATE = """``y = {definition}``, for each element of the input.

{source}{parameters}
Examples
--------
>>> from cmlp import nn
>>> nn.{type}()([[-1.0, 0.0, 2.0]]).shape
(1, 3)
"""


# The classes that take ``inplace`` in PyTorch: False is taken here too, True is refused.
_RECTIFIERS = ("ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "Threshold")
INPLACE = frozenset((*_RECTIFIERS, "SiLU", "Mish", "Hardtanh", "Hardsigmoid", "Hardswish"))
_INPLACE_DOC = """inplace : bool, default False
    PyTorch's argument; True is refused: a network reuses its buffers by itself, and ``x`` is never changed.
"""


def _known_name(label: str, value: Any) -> str:
    if value not in _ROWS:
        raise ValueError(unknown("activation", value, _ROWS))
    return str(value)


class Activation(Module):
    """An elementwise function by the name of its row; base of all activation classes.

    Parameters
    ----------
    name : str
        One of :func:`cmlp.activations`.
    **settings : float
        The function's parameters.

    Raises
    ------
    ValueError
        For an unknown name or parameter; the message lists the valid ones.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.Activation("leaky_relu", negative_slope=0.5)([[-1.0, 2.0]]).tolist()
    [[-0.5, 2.0]]
    """

    _kind = "Activation"
    _may_be_shared = True
    name: Field[str] = Field(_known_name)
    settings: Field[dict[str, float]] = Field(numbers_by_name)

    def __init__(self, name: str, **settings: float) -> None:
        super().__init__(name=name, settings=settings)

    def _core_fields(self) -> dict[str, Any]:
        return {"activation": self.name, "settings": self.settings}

    def _arguments(self) -> list[str]:
        return [repr(self.name), *(f"{key}={value!r}" for key, value in self.settings.items())]

    if not TYPE_CHECKING:  # the function's parameters as attributes

        def __getattr__(self, key: str) -> Any:
            if key.startswith("_") or key not in (row := _ROWS[self.name]["parameters"]):
                return super().__getattr__(key)
            return self.settings.get(key, row[key])

        def __setattr__(self, key: str, value: Any) -> None:
            if type(self) is Activation and not key.startswith("_") and key in _ROWS[self.name]["parameters"]:
                self.settings = {**self.settings, key: value}
            else:
                super().__setattr__(key, value)


class _OfARow(Activation):
    """An activation with a class of its own, whose fields are the parameters of its row."""

    _row: ClassVar[str]

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name in :func:`cmlp.activations`."""
        return self._row

    @property
    def settings(self) -> dict[str, float]:  # type: ignore[override]
        """The function's parameters."""
        return dict(self._values)

    def _arguments(self) -> list[str]:
        return [f"{key}={value!r}" for key, value in self._values.items()]


def _signature(row: Mapping[str, Any]) -> inspect.Signature:
    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [
        inspect.Parameter(key, keyword, default=value, annotation="float")
        for key, value in row["parameters"].items()
    ]
    if row["type"] in INPLACE:
        parameters.append(inspect.Parameter("inplace", keyword, default=False, annotation="bool"))
    return inspect.Signature(parameters)


def _documentation(row: Mapping[str, Any]) -> str:
    lines = "".join(f"{key} : float, default {value:g}\n" for key, value in row["parameters"].items())
    lines += _INPLACE_DOC if row["type"] in INPLACE else ""
    return _TEMPLATE.format(
        definition=row["definition"],
        type=row["type"],
        source=row["source"] + ".\n\n" if row["source"] else "",
        parameters=f"Parameters\n----------\n{lines}\n" if lines else "",
    )


def _make_class(row: dict[str, Any]) -> type[Activation]:
    signature = _signature(row)

    def __init__(self: Activation, *args: float, **kwargs: float) -> None:  # noqa: N807  the new class's
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        refuse_inplace(row["type"], bound.arguments.pop("inplace", False))
        Module.__init__(self, **bound.arguments)

    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    __init__.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("self", keyword), *signature.parameters.values()], return_annotation="None"
    )
    members: dict[str, Any] = {key: Field(any_number) for key in row["parameters"]}
    members |= {"__init__": __init__, "__doc__": _documentation(row), "_row": row["name"]}
    members["__module__"] = __name__
    return type(row["type"], (_OfARow,), members)


globals().update({row["type"]: _make_class(row) for row in _ROWS.values()})


class GELU(Activation):
    """``y = z * Phi(z)``, Phi the standard normal distribution function, or its tanh approximation.

    Hendrycks and Gimpel, arXiv:1606.08415.

    Parameters
    ----------
    approximate : {"none", "tanh"}
        ``"tanh"``: ``z/2 * (1 + tanh(sqrt(2/pi) * (z + 0.044715 * z^3)))``.

    Examples
    --------
    >>> from cmlp import nn
    >>> round(float(nn.GELU()([[1.0]])[0, 0]), 6)
    0.841345
    """

    approximate: Field[Literal["none", "tanh"]] = Field(word("none", "tanh"))

    def __init__(self, approximate: Literal["none", "tanh"] = "none") -> None:
        Module.__init__(self, approximate=approximate)

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name in :func:`cmlp.activations`."""
        return "gelu" if self.approximate == "none" else "gelu_tanh"

    @property
    def settings(self) -> dict[str, float]:  # type: ignore[override]
        """The function's parameters: none."""
        return {}

    def _arguments(self) -> list[str]:
        return [f"approximate={self.approximate!r}"]


def from_fields(fields: dict[str, Any]) -> Activation:
    """Return the activation that a layer's fields describe, as an instance of its class."""
    name = fields["activation"]
    if name in ("gelu", "gelu_tanh"):
        return GELU("tanh" if name == "gelu_tanh" else "none")
    module: Activation = globals()[_ROWS[name]["type"]](**fields["settings"])
    return module


__all__ = ["Activation", "GELU", *(row["type"] for row in _ROWS.values() if row["name"] != "gelu")]
