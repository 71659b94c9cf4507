"""Writes the seed corpora that are missing: one small file per kind of model, and tables as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import cmlp
from cmlp import nn

HERE = Path(__file__).parent
X = np.linspace(-1, 1, 24).reshape(8, 3)
BINS = [[-1.0, 0.0, 1.0]] * 3


def estimator() -> Any:
    """Return a fitted estimator."""
    settings = {"hidden_layer_sizes": (2,), "max_iter": 1, "batch_size": 4, "random_state": 0, "tol": 9.0}
    return cmlp.MLPClassifier(**settings, n_iter_no_change=1).fit(X, ["a", "b"] * 4)


def tabular() -> Any:
    """Return a fitted model of a table."""
    columns = {"size": ["1 kg", "2 kg", "3 kg", "4 kg"] * 5, "kind": ["a", "b", "a", None] * 5}
    return cmlp.TabularRegressor(preset="fast", random_state=0, epochs=1, hidden=(2,)).fit(
        columns, [1.0, 2.0, 3.0, 5.0] * 5
    )


def net(*layers: nn.Module, **options: Any) -> nn.Sequential:
    """Return a network."""
    return nn.Sequential(*layers, seed=1, **options)


MODELS: dict[str, Callable[[], Any]] = {
    "linear": lambda: net(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1, bias=False), dtype="float64"),
    "norms": lambda: net(nn.LayerNorm(3), nn.BatchNorm1d(3), nn.RMSNorm(3), nn.Linear(3, 2), nn.PReLU(2)),
    "gates": lambda: net(nn.Linear(3, 4), nn.GLU(), nn.Dropout(0.5), nn.RReLU(), nn.Scale(2), nn.Softmax()),
    "embedding": lambda: net(nn.Embedding(3, 2, columns=[0]), nn.Linear(4, 1)),
    "periodic": lambda: net(nn.PeriodicEmbedding(3, 2, 2), nn.Linear(6, 1)),
    "piecewise": lambda: net(nn.PiecewiseLinearEmbedding(BINS, 2), nn.Linear(6, 1)),
    "residual": lambda: net(nn.Residual(nn.Linear(3, 3), nn.GELU("tanh")), nn.Linear(3, 1)),
    "ensemble": lambda: net(nn.Ensemble(nn.Linear(3, 1), nn.Sequential(nn.Linear(3, 1)), weights=[1.0, 2.0])),
    "batch-ensemble": lambda: net(nn.BatchEnsemble(3, 2, 2, True, "signs")),
    "estimator": estimator,
    "tabular": tabular,
}
TABLES = {
    "plain.csv": b"a,b,y\n1,red,0\n2,blue,1\n,red,0\n",
    "german.csv": 'größe;preis;y\n"1,5";"1.000,00 €";ja\n"2,5";"2.000,00 €";nein\n'.encode(),
    "tabs.tsv": b"date\tsize\ty\n2021-03-01\t5 MB\t1\n2021-03-02\t7 MB\t2\n",
    "lines.jsonl": b'{"a": 1, "y": "b"}\n{"a": null, "y": "c"}\n',
}


def main() -> None:
    """Write what is missing."""
    for folder in ("models", "tables"):
        (HERE / folder).mkdir(exist_ok=True)
    for name, make in MODELS.items():
        if not (path := HERE / "models" / f"{name}.safetensors").exists():
            cmlp.save(make(), path)
    for name, text in TABLES.items():
        (HERE / "tables" / name).write_bytes(text)


if __name__ == "__main__":
    main()
