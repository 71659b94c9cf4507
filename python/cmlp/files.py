"""Models as files: safetensors with the layers described in the metadata."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from cmlp import _core
from cmlp.nn.sequential import Sequential

ESTIMATOR_KEY = "cmlp.estimator"  # of the metadata that describe an estimator
# What reading a description raises that is not what was written.
BAD_DATA = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError)
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
    if ESTIMATOR_KEY in metadata:
        raise ValueError(f"metadata: '{ESTIMATOR_KEY}' cannot be kept; the key is the library's")


def _network_of(model: Any) -> Sequential:
    """Return the network that is written for a model; refuse what is none."""
    if isinstance(model, Sequential):
        return model
    if hasattr(model, "_to_network"):
        network: Sequential = model._to_network()
        return network
    if hasattr(model, "get_params"):
        from cmlp.estimators.model_file import to_network  # scikit-learn loads at first need

        return to_network(model)
    raise ValueError(
        f"save: net is {type(model).__name__}, it must be a cmlp.nn.Sequential or an estimator of cmlp"
    )


def save(net: Any, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
    """Write a model to a file, atomically: a reader finds the complete old file or the complete new one.

    Parameters
    ----------
    net : Sequential, TabularClassifier, TabularRegressor, or an estimator of one network
        The network; its parameters, layers, seed and ``net.metadata`` are written. A tabular model adds what
        it knows of the table's columns. A fitted MLPClassifier, MLPRegressor, QuantileMLPRegressor or
        MLPTransformer adds its parameters and attributes, and training continues as that of the original.
    path : path
        The file, named ``*.safetensors``; any safetensors reader finds the parameters under their names.
    metadata : mapping of str to str, optional
        Text to keep with the model, added to ``net.metadata``. The keys ``"cmlp"``,
        ``"cmlp.checksum"``, ``"cmlp.estimator"`` and ``"cmlp.history"`` are refused; ``"cmlp.table"`` and
        ``"cmlp.training"`` are those of ``cmlp train``.

    Raises
    ------
    ValueError
        When the file cannot be written or has the suffix of another format, when ``net`` is not such a
        model (a Pipeline or an ensemble of estimators is written by ``joblib.dump``), when an estimator
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
    net = _network_of(net)
    before = dict(net.metadata)
    net.metadata.update(metadata or {})
    try:
        net._standalone()._core.save(os.fspath(path))
    except Exception:
        net.metadata.clear()
        net.metadata.update(before)
        raise


def load(path: str | os.PathLike[str], verify: bool = True) -> Any:
    """Read a network, an estimator or a model of a table from a file, in evaluation mode.

    Parameters
    ----------
    path : path
        A file written by :func:`save`.
    verify : bool, default True
        Whether a file is refused that does not have the checksum of its content, since it was damaged or
        changed. Files of versions before checksums have none and are taken.

    Returns
    -------
    Sequential, TabularClassifier, TabularRegressor or an estimator
        The network in the precision it was saved in, with its ``metadata``; the estimator that was saved; or
        the tabular model that `cmlp train` or :func:`save` wrote, which predicts frames, dictionaries and
        rows as the training table had them.

    Raises
    ------
    ValueError
        When the file is damaged or is not a complete model of this format. No code in a file is ever run.

    Examples
    --------
    >>> import cmlp
    >>> cmlp.load("nowhere.safetensors")
    Traceback (most recent call last):
        ...
    ValueError: load: cannot open nowhere.safetensors: No such file or directory
    """
    core = _core.load(os.fspath(path), verify)
    try:
        return _model_of(Sequential._of_core(core))
    except BAD_DATA as error:
        raise ValueError(
            f"load: {os.fspath(path)!s} is not a cmlp model: its metadata cannot be read: {error!r}"
        ) from error


def _model_of(net: Sequential) -> Any:
    """Return the model that the metadata of a network describe; scikit-learn and Arrow load at first need."""
    if ESTIMATOR_KEY in net.metadata:
        from cmlp.estimators import model_file

        return model_file.from_network(net)
    if "cmlp.table" not in net.metadata:
        return net
    from cmlp.tabular.estimators import from_network

    return from_network(net)
