"""Writes the golden files of the present formats that are missing; older ones stay as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import cmlp
from cmlp import nn
from cmlp.estimators import model_file

HERE = Path(__file__).parent
X = np.linspace(-1, 1, 24).reshape(8, 3)


def main() -> None:
    """Train a network and an estimator, and write each with rows and the bits of its outputs for them."""
    layers = [nn.Linear(3, 5), nn.BatchNorm1d(5), nn.GELU("tanh"), nn.Dropout(0.25), nn.Linear(5, 2)]
    net = nn.Sequential(*layers, seed=7, dtype="float64")
    net.fit(X, X[:, :2] ** 2, loss="mse", epochs=3, batch_size=4, seed=7)
    _write(net, net.predict(X), f"format-{json.loads(_description(net))['format']}")
    settings = {"hidden_layer_sizes": (4,), "max_iter": 3, "batch_size": 4, "random_state": 0}
    model = cmlp.MLPClassifier(**settings, missing="impute", class_weight="balanced")
    model.fit(X, ["a", "b", "ü", "b"] * 2)
    _write(model, model.predict_proba(X), f"estimator-{model_file.VERSION}")


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
