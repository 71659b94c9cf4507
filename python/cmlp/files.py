"""Models as files: safetensors with the layers described in the metadata."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cmlp._model_kinds import OWN_KEYS, model_of, network_of, require_mappable
from cmlp.nn.sequential import Sequential
from cmlp.training import state
from cmlp.training.state import BAD_DATA as BAD_DATA

if TYPE_CHECKING:
    from cmlp.optim import Optimizer
    from cmlp.optim.full_batch import FullBatch

_OTHER_FORMATS = {  # suffixes of files that are read by something else
    ".h5": "Keras's HDF5",
    ".hdf5": "HDF5",
    ".keras": "Keras's",
    ".pt": "PyTorch's pickles",
    ".pth": "PyTorch's pickles",
    ".ckpt": "a framework's checkpoints",
    ".pkl": "pickles",
    ".pickle": "pickles",
    ".joblib": "joblib's pickles",
    ".onnx": "ONNX",
    ".tflite": "TensorFlow Lite",
    ".npy": "NumPy's arrays",
    ".npz": "NumPy's arrays",
    ".json": "JSON",
    ".csv": "tables",
    ".txt": "text",
}


def _check_suffix(path: str | os.PathLike[str]) -> None:
    suffix = os.path.splitext(os.fsdecode(os.fspath(path)))[1].lower()
    if suffix in _OTHER_FORMATS:
        raise ValueError(
            f"save: the suffix '{suffix}' is that of {_OTHER_FORMATS[suffix]}; a model is written as "
            "safetensors, name the file *.safetensors"
        )


def _check_keys(metadata: Mapping[str, str]) -> None:
    for key in OWN_KEYS:
        if key in metadata:
            raise ValueError(f"metadata: '{key}' cannot be kept; the key is the library's")


def save(
    net: Any,
    path: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
    *,
    optimizer: Optimizer | FullBatch | None = None,
    mappable: bool = False,
) -> None:
    """Write a model to a file, atomically: a reader finds the complete old file or the complete new one.

    Parameters
    ----------
    net : Module, AveragedModel, Perceptron, TabularClassifier, TabularRegressor, or an estimator
        The network; its parameters, layers, seed and ``net.metadata`` are written. A tabular model adds what
        it knows of the table's columns. A fitted estimator of :mod:`cmlp.estimators` adds its parameters and
        attributes, and training continues as that of the original; of an ensemble all members are written.
    path : path
        The file, named ``*.safetensors``; any safetensors reader finds the parameters under their names.
    metadata : mapping of str to str, optional
        Text to keep with the model, added to ``net.metadata``. The keys ``"cmlp"``,
        ``"cmlp.checksum"``, ``"cmlp.history"`` and ``"cmlp.state"`` and those that describe a model
        (``"cmlp.estimator"``, ``"cmlp.module"``, ...) are refused; ``"cmlp.table"`` and
        ``"cmlp.training"`` are those of ``cmlp train``.
    optimizer : Optimizer, LBFGS or LevenbergMarquardt, optional
        Over parameters of the network; its groups, settings and state are written beside the network, and
        :func:`load_optimizer` reads them.
    mappable : bool, default False
        Whether ``load(path, mmap=True)`` can map the weights: they are then in the file twice, the second
        time as they lie in memory.

    Raises
    ------
    ValueError
        When the file cannot be written or has the suffix of another format, when ``net`` is not such a
        model (a Pipeline is written by ``joblib.dump``), when an estimator
        holds functions or other objects that are not plain data (callbacks, a schedule), or when the metadata
        are not text or under a key of the library's.

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
    _check_suffix(path)
    _check_keys(metadata or {})
    net = network_of(net)
    if mappable:
        require_mappable(net, "save: mappable=True")
    sections = {} if optimizer is None else {"optimizer": state.optimizer_section(optimizer, net)}
    before = dict(net.metadata)
    net.metadata.update(metadata or {})
    try:
        state.write(net, path, sections, "save", mappable)
    except Exception:
        net.metadata.clear()
        net.metadata.update(before)
        raise


def load(path: str | os.PathLike[str], verify: bool = True, mmap: bool = False) -> Any:
    """Read a network, an estimator or a model of a table from a file, in evaluation mode.

    Parameters
    ----------
    path : path
        A file written by :func:`save`.
    verify : bool, default True
        Whether a file is refused that does not have the checksum of its content, since it was damaged or
        changed. Files of versions before checksums have none and are taken.
    mmap : bool, default False
        Whether the weights stay in the file, which is mapped read-only, so that all processes that map it
        share one copy of them; the file is one of ``save(..., mappable=True)``. The model predicts with the
        same bits. Its arrays cannot be written, and training it is refused; ``net.copy()`` is a network with
        memory of its own. The file may be replaced or removed meanwhile (the model keeps the old weights),
        but not truncated in place. With ``verify`` the file is read once from end to end.

    Returns
    -------
    Sequential, TabularClassifier, TabularRegressor or an estimator
        The network in the precision it was saved in, with its ``metadata``; the estimator that was saved; or
        the tabular model that `cmlp train` or :func:`save` wrote, which predicts frames, dictionaries and
        rows as the training table had them.

    Raises
    ------
    ValueError
        When the file is damaged or is not a complete model of this format, and with ``mmap`` when it has no
        mapped weights. No code in a file is ever run.

    Examples
    --------
    >>> import cmlp
    >>> cmlp.load("nowhere.safetensors")
    Traceback (most recent call last):
        ...
    ValueError: load: cannot open nowhere.safetensors: No such file or directory
    """
    core, _ = state.read(path, verify, mmap)
    try:
        net = Sequential._of_core(core)
        if mmap:
            require_mappable(net, "load: mmap=True")
        return model_of(net)
    except BAD_DATA as error:
        raise ValueError(
            f"load: {os.fspath(path)!s} is not a cmlp model: its metadata cannot be read: {error!r}"
        ) from error


def load_optimizer(
    path: str | os.PathLike[str], net: Sequential, verify: bool = True
) -> Optimizer | FullBatch:
    """Read the optimizer beside a network in a file, over the parameters of ``net``.

    A fit with it continues the one before, bit for bit: ``net.fit(..., initial_epoch=37, epochs=100)`` after
    one of 37 epochs.

    Parameters
    ----------
    path : path
        A file of :func:`save` with ``optimizer=``, or a checkpoint of ``net.fit``.
    net : Sequential
        The network of the file, or one with the same parameters. Its number of training passes becomes that
        of the saved network, from which dropout draws in steps of one's own.
    verify : bool, default True
        As in :func:`load`.

    Returns
    -------
    Optimizer, LBFGS or LevenbergMarquardt
        Of the class, with the groups, settings and state that were saved.

    Raises
    ------
    ValueError
        When there is no optimizer in the file, or the network has other parameters.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import cmlp
    >>> from cmlp import nn, optim
    >>> x, y = [[0.0], [1.0]], [1.0, 3.0]
    >>> net = nn.Sequential(nn.Linear(1, 1), seed=0)
    >>> adam = optim.Adam(net.parameters(), lr=0.1)
    >>> history = net.fit(x, y, loss="mse", optimizer=adam, epochs=37)
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "net.safetensors"
    >>> cmlp.save(net, path, optimizer=adam)
    >>> loaded = cmlp.load(path)
    >>> optimizer = cmlp.load_optimizer(path, loaded)
    >>> history = loaded.fit(x, y, loss="mse", optimizer=optimizer, initial_epoch=37, epochs=100)
    >>> history.epoch[0], optimizer.lr
    (37, 0.1)
    """
    core, sections = state.read(path, verify)
    if "optimizer" not in sections:
        raise ValueError(f"load_optimizer: {os.fspath(path)!s} has no optimizer; save it with optimizer=")
    try:
        made = state.optimizer_of(sections["optimizer"], net)
    except BAD_DATA as error:
        raise ValueError(f"load_optimizer: {os.fspath(path)!s} cannot be read: {error!r}") from error
    net._core.step = core.step
    return made
