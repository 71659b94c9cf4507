"""Linear, dropout, softmax and what else has no family of its own."""

from __future__ import annotations

from typing import Any, Literal

import numpy.typing as npt

from cmlp.nn.field_checks import (
    core_initializer,
    flag,
    initializer,
    last_axis,
    number,
    numbers_by_name,
    refuse_inplace,
    size,
    word,
)
from cmlp.nn.fields import Field
from cmlp.nn.module import Module, Parameter

Form = Literal["standard", "ntk"]


class Linear(Module):
    """``y = x W^T + b``, or ``y = x W^T / sqrt(in) + b`` in NTK form.

    Parameters
    ----------
    in_features, out_features : int
        Columns of the input and of the output, at least 1.
    bias : bool, default True
        Whether there is a ``b``.
    init : str, default "auto"
        How the weights are drawn: a name of :func:`cmlp.initializers` (``"he"``, ``"xavier"`` and ``"zero"``
        mean ``"kaiming_uniform"``, ``"xavier_uniform"`` and ``"zeros"``), or ``"auto"``: He for the ReLU
        family, Xavier for the rest, by the activation that follows. Biases start at 0; ``"torch"`` draws
        both as PyTorch does. A change takes effect when parameters are drawn again.
    init_settings : dict, optional
        Parameters of the initialiser, such as ``{"gain": 0.5}``.
    parametrization : {"standard", "ntk"}
        ``"ntk"``: the factor ``1 / sqrt(in)`` is in the formula rather than in the weights, which ``"auto"``
        then draws from N(0, 1) (Jacot, Gabriel and Hongler, NeurIPS 2018).
    seed : int, default 0
        Used when the layer stands alone; in a :class:`Sequential` the network's seed counts.
    dtype : {"float32", "float64"}
        Likewise.

    Attributes
    ----------
    weight : Parameter (out_features, in_features)
    bias : Parameter (out_features,) or None

    Raises
    ------
    ValueError
        For sizes below 1 or an unknown initialiser.

    Examples
    --------
    >>> from cmlp import nn
    >>> layer = nn.Linear(3, 2, init="constant", init_settings={"value": 0.5})
    >>> layer([[1.0, 2.0, 3.0]]).tolist()
    [[3.0, 3.0]]
    """

    _kind = "Linear"
    _has_parameters = True
    in_features: Field[int] = Field(size, fixed=True)
    out_features: Field[int] = Field(size, fixed=True)
    _has_bias: Field[bool] = Field(flag, name="bias", fixed=True)
    init: Field[str] = Field(initializer, to_core=core_initializer, quiet=True)
    init_settings: Field[dict[str, float]] = Field(numbers_by_name, quiet=True)
    parametrization: Field[Literal["standard", "ntk"]] = Field(
        word("standard", "ntk"), fixed=True, quiet=True
    )

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        init: str = "auto",
        init_settings: dict[str, float] | None = None,
        parametrization: Form = "standard",
        seed: int = 0,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        values: dict[str, Any] = {"in_features": in_features, "out_features": out_features, "bias": bias}
        values |= {"init": init, "init_settings": init_settings, "parametrization": parametrization}
        super().__init__(seed=seed, dtype=dtype, **values)

    @property
    def weight(self) -> Parameter:
        """The weights, (out_features, in_features)."""
        return self._parameter("weight")

    @property
    def bias(self) -> Parameter | None:
        """The bias, (out_features,), or None."""
        return self._parameter("bias") if self._has_bias else None


class Dropout(Module):
    """In training each element is 0 with probability ``p`` and the others are scaled by ``1 / (1 - p)``.

    The masks follow from the network's seed and the number of training passes so far, never from threads.
    Srivastava et al., JMLR 15, 2014.

    Parameters
    ----------
    p : float, default 0.5
        In [0, 1].
    inplace : bool, default False
        PyTorch's argument; True is refused: ``x`` is never changed.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.Dropout(0.5).eval()([[1.0, 2.0]]).tolist()
    [[1.0, 2.0]]
    """

    _kind = "Dropout"
    p: Field[float] = Field(number(0, 1))

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        refuse_inplace("Dropout", inplace)
        super().__init__(p=p)


class AlphaDropout(Module):
    """Dropout for SELU: what is dropped becomes SELU's lower limit; mean 0 and variance 1 are kept.

    Klambauer et al., arXiv:1706.02515.

    Parameters
    ----------
    p : float, default 0.5
        In [0, 1].
    inplace : bool, default False
        PyTorch's argument; True is refused: ``x`` is never changed.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.AlphaDropout(0.5).eval()([[1.0, 2.0]]).tolist()
    [[1.0, 2.0]]
    """

    _kind = "AlphaDropout"
    p: Field[float] = Field(number(0, 1))

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        refuse_inplace("AlphaDropout", inplace)
        super().__init__(p=p)


class Softmax(Module):
    """``y_j = exp(x_j) / sum_k exp(x_k)`` over each row.

    Parameters
    ----------
    dim : int, default -1
        Only the last axis of (batch, features) is meant; PyTorch's argument, 1 and -1 are taken.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.Softmax()([[0.0, 0.0]]).tolist()
    [[0.5, 0.5]]
    """

    _kind = "Softmax"
    _may_be_shared = True
    dim: Field[int] = Field(last_axis, core="")

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim=dim)


class LogSoftmax(Softmax):
    """``y_j = x_j - log(sum_k exp(x_k))`` over each row; never the logarithm of a rounded 0.

    Parameters
    ----------
    dim : int, default -1
        Only the last axis of (batch, features) is meant; PyTorch's argument, 1 and -1 are taken.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.LogSoftmax()([[1000.0, 0.0]]).tolist()
    [[0.0, -1000.0]]
    """

    _kind = "LogSoftmax"


class Flatten(Module):
    """``y = x``: a row of (batch, features) is flat already; for networks written for PyTorch.

    Parameters
    ----------
    start_dim, end_dim : int, default 1 and -1
        PyTorch's arguments; 1 and -1 (or 1) are taken.

    Examples
    --------
    >>> from cmlp import nn
    >>> nn.Flatten()([[1.0, 2.0]]).tolist()
    [[1.0, 2.0]]
    """

    _kind = "Flatten"
    _may_be_shared = True
    start_dim: Field[int] = Field(last_axis, core="")
    end_dim: Field[int] = Field(last_axis, core="")

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__(start_dim=start_dim, end_dim=end_dim)
