"""Sequential: layers in order, with the training methods of a network."""

from __future__ import annotations

import json
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from cmlp import _core
from cmlp.nn.container import Container
from cmlp.nn.from_core import modules_of
from cmlp.nn.module import Core, Module, dtype_name, make_core
from cmlp.nn.numbers import Numbers
from cmlp.nn.subclasses import copy_subclasses, own_attributes, restore_subclasses, subclasses_in
from cmlp.training.history import History
from cmlp.training.trainable import Trainable

_HISTORY = "cmlp.history"  # the key under which a network's history is kept
_OWN_KEYS = ("cmlp", "cmlp.checksum", "cmlp.state", _HISTORY)


class Sequential(Trainable, Container):
    """Layers in order; a network.

    ``net[0]`` is the first module, ``net[:2]`` a Sequential of the first two: a view, not a copy.

    Parameters
    ----------
    *modules : Module
        Layers or other Sequentials, one by one or in one list. They become views of this network: their
        parameters are its.
    seed : int, default 0
        The parameters and dropout masks follow from it.
    dtype : {"float32", "float64"}, default "float32"
        Precision of parameters and arithmetic.
    precision : {"bf16"}, optional
        "bf16": the products of Linear layers take both factors rounded to bfloat16 and add up in float32;
        weights, biases, activations, gradients and the optimizer stay float32. About twice as fast from width
        512 on where the processor has AVX512-BF16; elsewhere its steps are followed to the bit, slowly. For
        float32 networks and dense input. Saved with the model.

    Attributes
    ----------
    history : History or None
        Of the last ``fit``; saved with the model.
    metadata : dict of str to str
        Text that is saved with the model.

    Raises
    ------
    ValueError
        When neighbouring layers do not fit, or a layer with parameters or random numbers belongs to another
        network.

    Examples
    --------
    >>> from cmlp import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1), seed=0)
    >>> net([[0.0, 0.0], [1.0, 1.0]]).shape
    (2, 1)
    >>> list(net.state_dict())
    ['0.weight', '0.bias', '2.weight', '2.bias']
    >>> net[:2]([[0.0, 0.0]]).shape
    (1, 3)
    """

    _has_own_dtype = True
    _is_sequence = True

    history: History | None = None

    def __init__(
        self,
        *modules: Module | list[Module] | tuple[Module, ...],
        seed: int = 0,
        dtype: npt.DTypeLike = "float32",
        precision: str | None = None,
    ) -> None:
        super().__init__(*modules, seed=seed, dtype=dtype)
        if precision is not None:
            self.precision = precision

    @classmethod
    def _of_core(cls, core: Core) -> Self:
        """Return the network around a core one, such as a loaded file holds."""
        net = cls.__new__(cls)
        Module.__init__(net)
        net._hold(modules_of(Sequential, core.layers()))
        net._own = Numbers(core)
        net._seed, net._dtype = core.seed, net._own.dtype
        net._place_children()
        net._restore_history()
        return net

    def _slice(self, index: slice) -> Self:
        start, stop, step = index.indices(len(self))
        if step != 1 or stop <= start:
            raise ValueError(
                f"{type(self).__name__}: the slice {index.start}:{index.stop}:{index.step} must be of "
                "neighbouring layers, at least one"
            )
        part = type(self).__new__(type(self))
        Module.__init__(part)
        part._hold(self._modules[start:stop])
        part._names = self._names[start:stop]
        part._parent, part._is_slice = (self, start), True
        part.__dict__.update(own_attributes(self))
        return part

    # ---- text, precision, copies

    @property
    def metadata(self) -> dict[str, str]:
        """Text kept with the model when it is saved; keys that begin with ``"cmlp."`` are the library's."""
        if not hasattr(self, "_metadata"):
            self._metadata: dict[str, str] = dict(self._core.metadata) if self._parent is None else {}
            self._metadata.pop(_HISTORY, None)
        return self._metadata

    def _sync_metadata(self) -> None:
        """Hand the metadata to the core, which writes it; raise ValueError for what cannot be written."""
        metadata: dict[Any, Any] = dict(self.metadata)
        for key, value in metadata.items():
            text = isinstance(key, str) and isinstance(value, str)
            if not text or key in _OWN_KEYS or _lone_surrogate(key + value):
                raise ValueError(
                    f"metadata: {key!r}: {value!r} cannot be kept; both must be text, the key free"
                )
        if self.history is not None:
            metadata[_HISTORY] = json.dumps(self.history.to_dict())
        self._core.metadata = metadata

    def _restore_history(self) -> None:
        if text := self._core.metadata.get(_HISTORY):
            self.history = History.from_dict(json.loads(text))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Precision of the parameters."""
        return self._numbers.dtype

    @property
    def precision(self) -> str:
        """How Linear layers multiply: "bf16", or in the network's own numbers ("float32", "float64")."""
        return self._core.precision

    @precision.setter
    def precision(self, value: str) -> None:
        self._root_core("precision").precision = value

    def _standalone(self) -> Sequential:
        """Return the network, or a copy of an inner one that stands alone, its metadata in its core."""
        net: Sequential = self
        if self._parent is not None:
            net = Sequential._of_core(make_core(self._specs(), self._core.seed, self.dtype))
            net._core.precision = self._core.precision
            for own, other in zip(net._rows(), self._rows(), strict=True):
                own.data[...] = other.data
            net._core.training, net._metadata, net.history = self.training, dict(self.metadata), self.history
        net._sync_metadata()
        return net

    def to(self, dtype: npt.DTypeLike) -> Self:
        """Return a copy in the other precision (or this one)."""
        return self._copy_in(dtype, {})

    def copy(self) -> Self:
        """Return a deep copy; of an inner network or a slice, one that stands alone."""
        return self._copy_in(self.dtype, {})

    def _copy_in(self, dtype: npt.DTypeLike, memo: dict[int, Any]) -> Self:
        name, core = dtype_name(dtype), self._standalone()._core
        net = type(self)._of_core(core.copy() if self.dtype.name == name else core.convert())
        copy_subclasses(self, net, memo)
        return net

    def reset_parameters(self, seed: int | None = None) -> None:
        """Draw all parameters again, from the seed they were drawn from or another.

        Raises
        ------
        ValueError
            For an inner network, whose parameters are drawn with those of the network it belongs to.
        """
        core = self._root_core("reset_parameters")
        core.reset_parameters(core.seed if seed is None else seed)

    def __getstate__(self) -> Any:
        return self._standalone()._core.to_bytes(), self.training, subclasses_in(self)

    def __setstate__(self, state: Any) -> None:
        content, training, subclasses = state
        self.__dict__.update(Sequential._of_core(_core.from_bytes(content)).__dict__)
        self._core.training = training
        self._place_children()
        restore_subclasses(self, subclasses)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._copy_in(self.dtype, memo)

    def _arguments(self) -> list[str]:
        bf16 = not self._is_placed and self.precision == "bf16"
        return [*super()._arguments(), *(["precision='bf16'"] if bf16 else [])]


def _lone_surrogate(text: str) -> bool:
    """Whether the text cannot be written as UTF-8."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)
