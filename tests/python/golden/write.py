"""Writes the golden file of the present format; those of older formats stay as they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import cmlp
from cmlp import nn


def main() -> None:
    """Train a small network and write it with rows and the bits of its outputs for them."""
    x = np.linspace(-1, 1, 24).reshape(8, 3)
    layers = [nn.Linear(3, 5), nn.BatchNorm1d(5), nn.GELU("tanh"), nn.Dropout(0.25), nn.Linear(5, 2)]
    net = nn.Sequential(*layers, seed=7, dtype="float64")
    net.fit(x, x[:, :2] ** 2, loss="mse", epochs=3, batch_size=4, seed=7)
    number = json.loads(_description(net))["format"]
    path = Path(__file__).with_name(f"format-{number}.safetensors")
    outputs = json.dumps([value.hex() for value in net.predict(x).ravel()])
    cmlp.save(net, path, metadata={"inputs": json.dumps(x.tolist()), "outputs": outputs})


def _description(net: nn.Sequential) -> str:
    data = net._core.to_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    text: str = header["__metadata__"]["cmlp"]
    return text


if __name__ == "__main__":
    main()
