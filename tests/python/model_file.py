"""A model to save, and its file taken apart: 8 bytes of header length, JSON, numbers."""

from __future__ import annotations

import contextlib
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


def with_header(path, header, data, shift=0):
    """Write the file of this header and these numbers, with the checksum that they have.

    The numbers begin so many bytes after a multiple of 64.
    """
    with contextlib.suppress(KeyError, TypeError, ValueError):  # of a header that lies there is none
        header["__metadata__"]["cmlp.checksum"] = checksum(header, data)
    text = json.dumps(header).encode()
    text += b" " * ((shift - 8 - len(text)) % 64)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def crc64(data):
    """Return the CRC-64/XZ, bit by bit as it is defined."""
    value = 2**64 - 1
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xC96C5795D7870F42 if value & 1 else 0)
    return value ^ (2**64 - 1)


def checksum(header, data):
    """Return the checksum of a file as docs/files.md defines it."""
    metadata = {key: text for key, text in header["__metadata__"].items() if key != "cmlp.checksum"}
    tensors = sorted((name, entry) for name, entry in header.items() if name != "__metadata__")
    content = [metadata, [[name, entry["dtype"], entry["shape"]] for name, entry in tensors]]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    arrays = b"".join(data[slice(*entry["data_offsets"])] for _, entry in tensors)
    return f"crc64:{crc64(text.encode() + arrays):016x}"
