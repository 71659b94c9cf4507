"""A model to save, and its file taken apart: 8 bytes of header length, JSON, numbers."""

from __future__ import annotations

import json
import struct

import cmlp
from cmlp import nn


def network(dtype="float32", seed=5):
    inner = nn.Sequential(nn.Linear(9, 8), nn.LeakyReLU(0.2), nn.Dropout(0.3))
    layers = [nn.Linear(4, 9, init="orthogonal", init_settings={"gain": 0.5}), nn.GELU("tanh"), inner]
    return nn.Sequential(*layers, nn.Linear(8, 3, bias=False), nn.LogSoftmax(), seed=seed, dtype=dtype)


def saved(tmp_path, net=None, **options):
    path = tmp_path / "model.safetensors"
    cmlp.save(net or network(), path, **options)
    return path


def header_of(path):
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    return json.loads(raw[8 : 8 + size]), raw[8 + size :]


def with_header(path, header, data):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path
