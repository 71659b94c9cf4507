"""Ensemble: several networks with one input as one network, whose output is the weighted sum of theirs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy.typing as npt

from cmlp.nn.container import Container, in_order
from cmlp.nn.field_checks import number_list
from cmlp.nn.fields import Field
from cmlp.nn.module import LayerSpec, Module


class Ensemble(Container):
    """``y = sum_m w_m f_m(x)``, f_m the members: modules that get the same input; by default their mean.

    The weights are fixed numbers, all members train in the same steps. Members may hold any modules, also
    ensembles; a sparse input goes to the first Linear of each.

    Parameters
    ----------
    *members : Module
        One by one or in one list, each a :class:`Sequential` or another module. They become views of this
        network.
    weights : list of float, optional
        One for each member, finite; by default 1 / members each.
    seed, dtype
        Used when the ensemble stands alone; in a :class:`Sequential` the network's count.

    Attributes
    ----------
    weights : list of float
        As given; they cannot be changed.

    Raises
    ------
    ValueError
        When there is no member, members take or return different numbers of columns, or the weights are not
        finite or not as many as the members.

    Notes
    -----
    The products ``w_m f_m(x)``, each rounded, are added in the order of the members: the output has the bits
    of the same sum of the members' own outputs.

    Examples
    --------
    Two trained networks as one, with the mean of their outputs:

    >>> import numpy as np
    >>> from cmlp import nn
    >>> first, second = (nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1), seed=s) for s in (1, 2))
    >>> x = np.ones((4, 2), "float32")
    >>> mean = (first.predict(x) + second.predict(x)) / 2
    >>> net = nn.Sequential(nn.Ensemble(first.copy(), second.copy()))
    >>> net.predict(x).shape
    (4, 1)
    >>> list(net.state_dict())[:2]
    ['0.0.0.weight', '0.0.0.bias']
    >>> nn.Ensemble(nn.Linear(2, 1), nn.Linear(2, 1), weights=[0.25, 0.75]).weights
    [0.25, 0.75]
    """

    _inset = 1
    _gap = 1

    weights: Field[list[float]] = Field(number_list, fixed=True)

    def __init__(
        self,
        *members: Module | list[Module] | tuple[Module, ...],
        weights: Iterable[float] | None = None,
        seed: int = 0,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        modules = in_order(type(self).__name__, members)
        if not modules:
            raise ValueError(f"{type(self).__name__}: there are no members, it needs at least one")
        given = _mean(len(modules)) if weights is None else weights
        Module.__init__(self, seed=seed, dtype=dtype, weights=given)
        if len(self.weights) != len(modules):
            raise ValueError(
                f"{type(self).__name__}: there are {len(self.weights)} weights for {len(modules)} members"
            )
        self._hold(modules)
        self._join_children()

    def _specs(self) -> list[LayerSpec]:
        specs: list[LayerSpec] = [("begin", "EnsembleBegin", {})]
        for at, weight in enumerate(self.weights):
            kind = "EnsembleEnd" if at + 1 == len(self) else "EnsembleNext"
            specs += [*self._specs_of_child(at), (self._bracket(at), kind, {"weight": weight})]
        return specs

    def _layer_titles(self) -> list[str]:
        titles = ["begin"]
        for at in range(len(self)):
            titles += [*self._titles_of_child(at), self._bracket(at)]
        return titles

    def _bracket(self, at: int) -> str:
        """Return the name of the bracket behind a member."""
        return "end" if at + 1 == len(self) else f"next{at + 1}"

    def _settings(self) -> list[str]:
        return [] if self.weights == _mean(len(self)) else [f"weights={self.weights!r}"]


def _mean(members: int) -> list[float]:
    return [1 / members] * members
