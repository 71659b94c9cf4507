"""Model files of the command line: the metadata has the preprocessing and how it was trained."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cmlp
from cmlp.cli.ui import CommandError, OptionError

if TYPE_CHECKING:
    from cmlp.tabular import TableEncoder

TABLE_KEY, RECORD_KEY = "cmlp.table", "cmlp.training"


@dataclass
class Model:
    """What a model file holds.

    Parameters
    ----------
    net : cmlp.nn.Sequential
        The network.
    encoder : TableEncoder or None
        The preprocessing, when the file comes from `cmlp train`.
    record : dict
        How it was trained: what the commands write, else what the network's history tells.
    """

    net: cmlp.nn.Sequential
    encoder: "TableEncoder | None"
    record: dict[str, Any]


def save_model(model: Model, path: Path) -> None:
    """Write a model file.

    Parameters
    ----------
    model : Model
        The network and what belongs to it.
    path : pathlib.Path
        The file, replaced in one step when it is there.
    """
    metadata = {RECORD_KEY: json.dumps(model.record)}
    if model.encoder is not None:
        metadata[TABLE_KEY] = model.encoder.to_json()
    cmlp.save(model.net, str(path), metadata=metadata)


def load_model(path: Path) -> Model:
    """Read a model file, with or without what the command line adds.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    Model
        What it holds.

    Raises
    ------
    CommandError
        If it is not there or damaged.
    """
    if not path.is_file():
        raise CommandError(f"{path}: there is no such file")
    try:
        net = cmlp.load(str(path))
        metadata: dict[str, str] = net.metadata
        record = json.loads(metadata.get(RECORD_KEY, "{}"))
        table = metadata.get(TABLE_KEY)
        encoder = None if table is None else _encoder(table)
    except (ValueError, OSError) as error:
        raise CommandError(" ".join(str(error).split())) from error
    return Model(net, encoder, record if isinstance(record, dict) and record else history_record(net))


def history_record(net: cmlp.nn.Sequential) -> dict[str, Any]:
    """What the history of a network trained with `fit` tells; empty when it was not."""
    history = net.history
    if history is None or not history.epoch:
        return {}
    best = None if history.best_epoch is None else history.best_epoch + 1
    last = {name: values[-1] for name, values in history.history.items() if name not in ("lr", "seconds")}
    return {"epochs": len(history.epoch), "best_epoch": best, "ended": history.stop, "last": last}


def check_folder(path: Path) -> None:
    """Make sure before hours of training that a file can be written: its folder is there and open to us."""
    folder = path.parent
    if path.is_dir():
        raise OptionError(f"{path} is a folder; --out takes a file")
    if not folder.is_dir():
        raise OptionError(f"there is no folder {folder} to write {path.name} into")
    if not os.access(folder, os.W_OK):
        raise OptionError(f"the folder {folder} cannot be written to")


def _encoder(text: str) -> "TableEncoder":
    from cmlp.tabular import TableEncoder

    return TableEncoder.from_json(text)
