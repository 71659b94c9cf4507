"""Writes the golden files of the present formats that are missing; older ones stay as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import cmlp
from cmlp import nn, optim
from cmlp.estimators import model_file
from cmlp.training import state

HERE = Path(__file__).parent
X = np.linspace(-1, 1, 24).reshape(8, 3)


def main() -> None:
    """Train a network and an estimator, and write each with rows and the bits of its outputs for them."""
    layers = [nn.Linear(3, 5), nn.BatchNorm1d(5), nn.GELU("tanh"), nn.Dropout(0.25), nn.Linear(5, 2)]
    net = nn.Sequential(*layers, seed=7, dtype="float64")
    net.fit(X, X[:, :2] ** 2, loss="mse", epochs=3, batch_size=4, seed=7)
    _write(net, net.predict(X), f"format-{json.loads(_description(net))['format']}")
    if not (HERE / f"checkpoint-{state.VERSION}.safetensors").exists():
        fit_checkpoint(HERE / f"checkpoint-{state.VERSION}.safetensors", epochs=4)
    settings = {"hidden_layer_sizes": (4,), "max_iter": 3, "batch_size": 4, "random_state": 0}
    model = cmlp.MLPClassifier(**settings, missing="impute", class_weight="balanced")
    model.fit(X, ["a", "b", "ü", "b"] * 2)
    _write(model, model.predict_proba(X), f"estimator-{model_file.VERSION}")


def fit_checkpoint(path: Path, epochs: int, resume: bool = False) -> nn.Sequential:
    """Fit a network by the settings of the golden checkpoint, whose best weights are not the last."""
    net = nn.Sequential(
        nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Dropout(0.2), nn.Linear(4, 1), seed=3
    )
    adam = optim.Adam(net.parameters(), lr=0.5)
    plateau = optim.lr_scheduler.ReduceLROnPlateau(adam, patience=0)
    net.fit(
        X, X[:, :1] ** 2, loss="mse", optimizer=adam, epochs=epochs, batch_size=3, scheduler=plateau,
        early_stopping=9, seed=4, checkpoint=path, resume=resume,
    )  # fmt: skip
    return net


def _write(model: Any, outputs: Any, name: str) -> None:
    path = HERE / f"{name}.safetensors"
    if not path.exists():
        text = json.dumps([value.hex() for value in outputs.ravel().tolist()])
        cmlp.save(model, path, metadata={"inputs": json.dumps(X.tolist()), "outputs": text})


def _description(net: nn.Sequential) -> str:
    data = net._core.to_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    text: str = header["__metadata__"]["cmlp"]
    return text


if __name__ == "__main__":
    main()
