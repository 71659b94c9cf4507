"""Activations: one class for each row of the core's list, made from it; GELU's two share one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from cmlp import _core
from cmlp.nn.module import LayerSpec, Module

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

    def __init__(self, name: str, **settings: float) -> None:
        super().__init__()
        self.name = name
        self.settings = settings

    def _specs(self) -> list[LayerSpec]:
        settings = {key: float(value) for key, value in self.settings.items()}
        return [("", "Activation", {"activation": self.name, "settings": settings})]

    def _extra_repr(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in self.settings.items())


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
        if bound.arguments.pop("inplace", False):
            raise ValueError(f"{row['type']}: inplace is True, it must be False: x is never changed")
        Activation.__init__(self, row["name"], **bound.arguments)

    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    __init__.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("self", keyword), *signature.parameters.values()], return_annotation="None"
    )
    members = {"__init__": __init__, "__doc__": _documentation(row), "__module__": __name__}
    return type(row["type"], (Activation,), members)


globals().update({row["type"]: _make_class(row) for row in _core.activations()})
_TYPES: dict[str, str] = {row["name"]: row["type"] for row in _core.activations()}


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

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: approximate is '{approximate}'; choose from none, tanh")
        super().__init__("gelu" if approximate == "none" else "gelu_tanh")
        self.approximate = approximate

    def _extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


def from_fields(fields: dict[str, Any]) -> Activation:
    """Return the activation that a layer's fields describe, as an instance of its class."""
    name = fields["activation"]
    if name in ("gelu", "gelu_tanh"):
        return GELU("tanh" if name == "gelu_tanh" else "none")
    module: Activation = globals()[_TYPES[name]](**fields["settings"])
    return module


__all__ = ["Activation", "GELU", *(row["type"] for row in _core.activations() if row["name"] != "gelu")]
