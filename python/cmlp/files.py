"""Models as files: safetensors with the layers described in the metadata."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from cmlp import _core
from cmlp.nn.sequential import Sequential

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


def _check_model(model: Any) -> None:
    """Refuse what is no network, with the way to save it."""
    if isinstance(model, Sequential):
        return
    kind = type(model).__name__
    if hasattr(model, "get_params"):
        raise ValueError(
            f"save: net is an estimator ({kind}): write it with joblib.dump(model, path) and read it with"
            " joblib.load(path)"
        )
    raise ValueError(f"save: net is {kind}, it must be a cmlp.nn.Sequential")


def save(net: Any, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
    """Write a network to a file, atomically: a reader finds the complete old file or the complete new one.

    Parameters
    ----------
    net : Sequential, or a fitted TabularClassifier or TabularRegressor
        The network; its parameters, layers, seed and ``net.metadata`` are written. A tabular model adds what
        it knows of the table's columns.
    path : path
        The file, named ``*.safetensors``; any safetensors reader finds the parameters under their names.
    metadata : mapping of str to str, optional
        Text to keep with the model, added to ``net.metadata``. The keys ``"cmlp"``,
        ``"cmlp.checksum"`` and ``"cmlp.history"`` are refused; ``"cmlp.table"`` and ``"cmlp.training"`` are
        those of ``cmlp train``.

    Raises
    ------
    ValueError
        When the file cannot be written or has the suffix of another format, when ``net`` is not a network
        (an estimator or a Pipeline is written by ``joblib.dump``), or when the metadata are not text or
        under a key of the library's.

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
    net = net._to_network() if hasattr(net, "_to_network") else net
    _check_model(net)
    _check_suffix(path)
    before = dict(net.metadata)
    net.metadata.update(metadata or {})
    try:
        net._standalone()._core.save(os.fspath(path))
    except Exception:
        net.metadata.clear()
        net.metadata.update(before)
        raise


def load(path: str | os.PathLike[str], verify: bool = True) -> Any:
    """Read a network, or a model of a table, from a file, in evaluation mode.

    Parameters
    ----------
    path : path
        A file written by :func:`save`.
    verify : bool, default True
        Whether a file is refused that does not have the checksum of its content, since it was damaged or
        changed. Files of versions before checksums have none and are taken.

    Returns
    -------
    Sequential, TabularClassifier or TabularRegressor
        The network in the precision it was saved in, with its ``metadata``; or the tabular model that `cmlp
        train` or :func:`save` wrote, which predicts frames, dictionaries and rows as the training table had
        them.

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
    net = Sequential._of_core(_core.load(os.fspath(path), verify))
    if "cmlp.table" not in net.metadata:
        return net
    from cmlp.tabular.estimators import from_network  # Arrow and scikit-learn load at first need

    return from_network(net)
