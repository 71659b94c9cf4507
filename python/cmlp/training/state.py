"""The state of a training in a model file: sections of plain data beside the network, arrays as tensors.

``cmlp.save(..., optimizer=)``, checkpoints of ``net.fit`` and of the estimators write and read it here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cmlp import _core
from cmlp._plain_values import NotPlainError, PlainReader, PlainWriter

if TYPE_CHECKING:
    from cmlp.nn.module import Core
    from cmlp.nn.sequential import Sequential
    from cmlp.optim import Optimizer
    from cmlp.optim.full_batch import FullBatch

VERSION = 1
# What reading a description raises that is not what was written.
BAD_DATA = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError)


def encoded(sections: Mapping[str, Any], what: str) -> tuple[str, dict[str, Any]]:
    """Return the sections as text, and their arrays by name; ``what`` begins the message of a refusal.

    Raises
    ------
    ValueError
        Where a section has a value that is not plain data.
    """
    arrays: dict[str, Any] = {}
    written: dict[str, Any] = {"version": VERSION}
    for name, section in sections.items():
        try:
            written[name] = PlainWriter(arrays=arrays, prefix=name).encode(section)
        except NotPlainError as error:
            raise ValueError(
                f"{what}: the state of the {name} has a value of type {error}, a model file holds plain data"
                " only (numbers, text, lists, dictionaries, arrays)"
            ) from None
    return json.dumps(written), arrays


def file_name(path: str | os.PathLike[str], what: str) -> str:
    """Return the name of a file as text that the core takes; `what` begins the message about another one."""
    name = os.fspath(path)
    try:
        os.fsdecode(name).encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{what}: the name {name!a} is no UTF-8; rename the file") from error
    return name


def write(
    net: Sequential,
    path: str | os.PathLike[str],
    sections: Mapping[str, Any],
    what: str,
    mappable: bool = False,
) -> None:
    """Write the network and the sections, atomically."""
    beside = encoded(sections, what) if sections else None
    net._standalone()._core.save(file_name(path, what), beside, mappable)


def read(
    path: str | os.PathLike[str], verify: bool = True, mmap: bool = False
) -> tuple[Core, dict[str, Any]]:
    """Return the core network of a file, and the sections beside it: none where it has none, or with mmap.

    Raises
    ------
    ValueError
        When the file is damaged or is not a complete model of this format.
    """
    core, (text, arrays) = _core.load_with_state(file_name(path, "load"), verify, mmap)
    try:
        data = json.loads(text) if text else {"version": VERSION}
        if (version := data.pop("version")) != VERSION:
            raise ValueError(f"its version is {version!r}, this cmlp reads {VERSION}")
        reader = PlainReader(arrays=arrays)
        return core, {name: reader.decode(section) for name, section in data.items()}
    except (*BAD_DATA, ValueError) as error:
        raise ValueError(f"load: the state in {os.fspath(path)!s} cannot be read: {error!r}") from error


# ---- an optimizer


def optimizer_section(optimizer: Optimizer | FullBatch, net: Sequential) -> dict[str, Any]:
    """Return an optimizer as plain data, its parameters by their names in the network.

    Raises
    ------
    ValueError
        For an optimizer over parameters of another network, and for a class of one's own.
    """
    kind = type(optimizer).__name__
    if _optimizers().get(kind) is not type(optimizer):
        raise ValueError(f"save: optimizer is {kind}, it must be an optimizer of cmlp.optim")
    names = {parameter: name for name, parameter in net.named_parameters()}
    state = optimizer.__getstate__()
    try:
        state["parameters"] = _replaced(state["parameters"], names)
    except KeyError as error:
        raise ValueError(f"save: {kind} is over {error}, which is not a parameter of the network") from None
    return {"type": kind, **state}


def optimizer_of(section: Mapping[str, Any], net: Sequential) -> Optimizer | FullBatch:
    """Return the optimizer that a section describes, over the parameters of the network.

    Raises
    ------
    ValueError
        When the network has other parameters.
    """
    parameters = dict(net.named_parameters())
    kind = _optimizers()[section["type"]]
    state = {key: value for key, value in section.items() if key != "type"}
    try:
        state["parameters"] = _replaced(state["parameters"], parameters)
    except KeyError as error:
        raise ValueError(f"load_optimizer: the network has no parameter {error}") from None
    made: Optimizer | FullBatch = object.__new__(kind)
    made.__setstate__(state)
    return made


def _replaced(values: Any, by: Mapping[Any, Any]) -> Any:
    """Return a list, or a list of lists, with every item replaced."""
    return [_replaced(item, by) if isinstance(item, list) else by[item] for item in values]


def _optimizers() -> dict[str, type[Any]]:
    from cmlp import optim
    from cmlp.optim.full_batch import FullBatch

    kinds = [getattr(optim, name) for name in optim.__all__]
    own = (optim.Optimizer, FullBatch)
    return {kind.__name__: kind for kind in kinds if isinstance(kind, type) and issubclass(kind, own)}
