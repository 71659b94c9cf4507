"""Layers for tables: a factor for each input, a learned share of an activation, ensembles sharing weights."""

from __future__ import annotations

import copy
from typing import Any, Literal

import numpy.typing as npt

from cmlp.nn.activations import Activation
from cmlp.nn.activations import from_fields as activation_of
from cmlp.nn.field_checks import flag, size, word
from cmlp.nn.fields import Field
from cmlp.nn.module import Module


class Scale(Module):
    """``y_j = weight_j * x_j``: a learned factor for each input, 1 at first.

    The scaling layer of RealMLP (Holzmueller, Grinsztajn and Steinwart, arXiv:2407.04491): with a large
    learning rate of its own it selects features.

    Parameters
    ----------
    features : int
        Columns of the input.
    dtype : {"float32", "float64"}
        Used when the layer stands alone.

    Examples
    --------
    >>> from cmlp import nn
    >>> layer = nn.Scale(2)
    >>> layer.parameters()[0].data = [2.0, 0.0]
    >>> layer([[3.0, 4.0]]).tolist()
    [[6.0, 0.0]]
    """

    _kind = "Scale"
    _has_parameters = True
    features: Field[int] = Field(size, fixed=True)

    def __init__(self, features: int, *, dtype: npt.DTypeLike = "float32") -> None:
        super().__init__(features=features, dtype=dtype)


def _part(label: str, value: Any) -> Activation:
    """Return a copy of the activation that cannot be changed by itself."""
    if not isinstance(value, Activation):
        raise ValueError(f"{label} is {value!r}, it must be an elementwise activation")
    part = copy.copy(value)
    part._frozen = True
    return part


class ParametricActivation(Module):
    """``y_j = x_j + weight_j * (f(x_j) - x_j)``: a learned share of an activation f, 1 at first.

    Of RealMLP (Holzmueller, Grinsztajn and Steinwart, arXiv:2407.04491), with SELU or Mish for f.

    Parameters
    ----------
    activation : Activation
        f, such as ``nn.Tanh()``; the layer keeps a copy, to be changed by setting another one.
    features : int
        Columns of the input.
    dtype : {"float32", "float64"}
        Used when the layer stands alone.

    Examples
    --------
    >>> from cmlp import nn
    >>> layer = nn.ParametricActivation(nn.ReLU(), 1)
    >>> layer.parameters()[0].data = [0.75]
    >>> layer([[-1.0], [2.0]]).tolist()
    [[-0.25], [2.0]]
    """

    _kind = "ParametricActivation"
    _has_parameters = True
    activation: Field[Activation] = Field(_part, core="")
    features: Field[int] = Field(size, fixed=True)

    def __init__(self, activation: Activation, features: int, *, dtype: npt.DTypeLike = "float32") -> None:
        super().__init__(activation=activation, features=features, dtype=dtype)

    def _core_fields(self) -> dict[str, Any]:
        return {**super()._core_fields(), **self.activation._core_fields()}

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> ParametricActivation:
        return cls(activation_of(fields), fields["features"])


class BatchEnsemble(Module):
    """Linear layers of several members that share W: ``y_i = ((x_i * r_i) W^T) * s_i + b_i``, side by side.

    Wen, Tran and Ba, ICLR 2020; the layer of TabM (Gorishniy, Kotelnikov and Babenko, arXiv:2410.24210). At
    first W and one bias for all members ~ U(-1/sqrt(in), 1/sqrt(in)), and s = 1.

    Parameters
    ----------
    in_features, out_features : int
        Columns of each member's input and output.
    members : int
        The input has ``members * in_features`` columns, the output ``members * out_features``.
    shared_input : bool, default False
        All members get the same ``in_features`` columns: for the first layer.
    init : {"ones", "signs", "normal"}
        Of r: 1, random signs, or N(0, 1); the first layer's should differ between the members.
    seed : int, default 0
        Used when the layer stands alone; in a :class:`Sequential` the network's seed counts.
    dtype : {"float32", "float64"}
        Likewise.

    Examples
    --------
    >>> from cmlp import nn
    >>> net = nn.Sequential(nn.BatchEnsemble(3, 8, 4, shared_input=True, init="signs"), nn.ReLU())
    >>> net([[1.0, 2.0, 3.0]]).shape
    (1, 32)
    >>> {name: value.shape for name, value in net.state_dict().items()}
    {'0.weight': (8, 3), '0.r': (4, 3), '0.s': (4, 8), '0.bias': (4, 8)}
    """

    _kind = "BatchEnsemble"
    _has_parameters = True
    in_features: Field[int] = Field(size, fixed=True)
    out_features: Field[int] = Field(size, fixed=True)
    members: Field[int] = Field(size, fixed=True)
    shared_input: Field[bool] = Field(flag, fixed=True)
    init: Field[Literal["ones", "signs", "normal"]] = Field(word("ones", "signs", "normal"))

    def __init__(
        self,
        in_features: int,
        out_features: int,
        members: int,
        shared_input: bool = False,
        init: Literal["ones", "signs", "normal"] = "ones",
        *,
        seed: int = 0,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        values: dict[str, Any] = {
            "in_features": in_features,
            "out_features": out_features,
            "members": members,
        }
        super().__init__(seed=seed, dtype=dtype, shared_input=shared_input, init=init, **values)
