"""Model files of the command line."""

import os
from pathlib import Path
from typing import Any

import cmlp
from cmlp.cli.ui import CommandError, OptionError
from cmlp.tabular.errors import printable


def load_any(path: Path) -> Any:
    """Read a model file: a network, or a model of a table.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    Sequential, TabularClassifier or TabularRegressor
        What it holds.

    Raises
    ------
    CommandError
        If it is not there or damaged.
    """
    if not path.is_file():
        raise CommandError(f"{path}: there is no such file")
    try:
        return cmlp.load(path)
    except (ValueError, OSError) as error:
        raise CommandError(" ".join(printable(error).split())) from error


def load_model(path: Path) -> Any:
    """Read a model file that describes a table: a TabularClassifier or TabularRegressor."""
    model = load_any(path)
    if not hasattr(model, "encoder_"):
        raise CommandError(f"{path} does not describe a table: only models of `cmlp train` do")
    return model


def check_folder(path: Path) -> None:
    """Make sure before hours of training that a file can be written: its folder is there and open to us."""
    folder = path.parent
    if path.is_dir():
        raise OptionError(f"{path} is a folder; --out takes a file")
    if not folder.is_dir():
        raise OptionError(f"there is no folder {folder} to write {path.name} into")
    if not os.access(folder, os.W_OK):
        raise OptionError(f"the folder {folder} cannot be written to")


def check_model_name(path: Path) -> None:
    """Refuse a name that a model file cannot have: one that is no UTF-8."""
    from cmlp.training.state import file_name

    try:
        file_name(path, "--out")
    except ValueError as error:
        raise OptionError(str(error)) from error
