"""Models as files: safetensors with the layers described in the metadata."""

from __future__ import annotations

import os
from collections.abc import Mapping

from cmlp import _core
from cmlp.nn.sequential import Sequential


def save(net: Sequential, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
    """Write a network to a file, in one step: the old file or the new one is there, whole.

    Parameters
    ----------
    net : Sequential
        The network; its parameters, layers, seed and ``net.metadata`` are written.
    path : path
        The file, by custom ``*.safetensors``; any safetensors reader finds the parameters under their names.
    metadata : mapping of str to str, optional
        Text to keep with the model, added to ``net.metadata``. Keys that begin with
        ``"cmlp"`` are the library's.

    Raises
    ------
    ValueError
        When the file cannot be written, or the metadata are not text or under a key of the library's.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import cmlp
    >>> from cmlp import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.safetensors"
    >>> cmlp.save(net, path)
    >>> cmlp.load(path).n_parameters
    13
    """
    before = dict(net.metadata)
    net.metadata.update(metadata or {})
    try:
        core = net._standalone()._core
    except ValueError:
        net.metadata.clear()
        net.metadata.update(before)
        raise
    core.save(os.fspath(path))


def load(path: str | os.PathLike[str]) -> Sequential:
    """Read a network from a file, in evaluation mode.

    Parameters
    ----------
    path : path
        A file written by :func:`save`.

    Returns
    -------
    Sequential
        The network in the precision it was saved in, with its ``metadata``.

    Raises
    ------
    ValueError
        When the file is not a whole model of this format. No code in a file is ever run.

    Examples
    --------
    >>> import cmlp
    >>> cmlp.load("nowhere.safetensors")
    Traceback (most recent call last):
        ...
    ValueError: load: cannot open nowhere.safetensors: No such file or directory
    """
    return Sequential._of_core(_core.load(os.fspath(path)))
