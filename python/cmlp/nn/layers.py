"""Linear, dropout, softmax and what else has no family of its own."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from cmlp.nn.module import LayerSpec, Module, Parameter


def refuse_inplace(kind: str, inplace: bool) -> None:
    """Raise ValueError for True: an argument of PyTorch's that a network has no use for."""
    if inplace:
        raise ValueError(f"{kind}: inplace is True, it must be False: x is never changed")


def require_rows(kind: str, dim: int) -> None:
    """Raise ValueError unless dim is the last axis of (batch, features)."""
    if dim not in (-1, 1):
        raise ValueError(f"{kind}: dim is {dim}, it must be 1 or -1, the features of (batch, features)")


class Linear(Module):
    """``y = x W^T + b``, or ``y = x W^T / sqrt(in) + b`` in NTK form.

    Parameters
    ----------
    in_features, out_features : int
        Columns of the input and of the output, at least 1.
    bias : bool, default True
        Whether there is a ``b``.
    init : str, default "auto"
        How the weights are drawn: a name of :func:`cmlp.initializers`, or ``"auto"``: He for the ReLU
        family, Xavier for the rest, by the activation that follows. Biases start at 0; ``"torch"`` draws
        both as PyTorch does.
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

    _has_parameters = True

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        init: str = "auto",
        init_settings: dict[str, float] | None = None,
        parametrization: str = "standard",
        seed: int = 0,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self._has_bias = bias
        self._init = init
        self._init_settings = dict(init_settings or {})
        self.parametrization = parametrization
        self._seed, self._dtype = seed, dtype

    def _specs(self) -> list[LayerSpec]:
        fields: dict[str, Any] = {
            "in_features": self.in_features,
            "out_features": self.out_features,
            "bias": self._has_bias,
            "init": self._init,
            "init_settings": self._init_settings,
            "parametrization": self.parametrization,
        }
        return [("", "Linear", fields)]

    @property
    def weight(self) -> Parameter:
        """The weights, (out_features, in_features)."""
        return self.parameters()[0]

    @property
    def bias(self) -> Parameter | None:
        """The bias, (out_features,), or None."""
        return self.parameters()[1] if self._has_bias else None

    def _extra_repr(self) -> str:
        text = f"in_features={self.in_features}, out_features={self.out_features}, bias={self._has_bias}"
        standard = self.parametrization == "standard"
        return text if standard else f"{text}, parametrization={self.parametrization!r}"


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

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        refuse_inplace("Dropout", inplace)
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is {p}, it must be in [0, 1]")
        self.p = p

    def _specs(self) -> list[LayerSpec]:
        return [("", "Dropout", {"p": float(self.p)})]

    def _extra_repr(self) -> str:
        return f"p={self.p}"


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

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        refuse_inplace("AlphaDropout", inplace)
        if not 0 <= p <= 1:
            raise ValueError(f"AlphaDropout: p is {p}, it must be in [0, 1]")
        self.p = p

    def _specs(self) -> list[LayerSpec]:
        return [("", "AlphaDropout", {"p": float(self.p)})]

    def _extra_repr(self) -> str:
        return f"p={self.p}"


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

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        require_rows(type(self).__name__, dim)
        self.dim = dim

    def _specs(self) -> list[LayerSpec]:
        return [("", type(self).__name__, {})]

    def _extra_repr(self) -> str:
        return f"dim={self.dim}"


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

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        if start_dim not in (1, -1) or end_dim not in (1, -1):
            raise ValueError(f"Flatten: start_dim is {start_dim}, end_dim is {end_dim}, both must be 1 or -1")

    def _specs(self) -> list[LayerSpec]:
        return [("", "Flatten", {})]
