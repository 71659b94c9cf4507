"""Text kept with a model: what cannot be kept is refused and forgotten; no text makes a file unreadable."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

import cmlp
from model_file import header_of, network, saved, with_header


@pytest.mark.parametrize("metadata", [{"cmlp": "x"}, {"a": 1}, {1: "a"}, {"a": None}, {"a": "\ud800"}])
def test_metadata_that_cannot_be_kept_are_refused_and_forgotten(metadata, tmp_path):
    net = network()
    with pytest.raises((ValueError, TypeError), match=r"metadata|key"):
        cmlp.save(net, tmp_path / "model", metadata=metadata)
    assert cmlp.load(saved(tmp_path, net)).metadata == {}


@pytest.mark.parametrize("text", ["abc", "{}", "[]", "", '{"epoch": 3}', "null"])
def test_a_users_history_entry_does_not_break_the_file(text, tmp_path):
    """Rejected when saving, or restored unchanged."""
    with contextlib.suppress(ValueError):
        assert cmlp.load(saved(tmp_path, metadata={"history": text})).metadata["history"] == text


@pytest.mark.parametrize(
    "text",
    [
        *("abc", "[]", "{}", "null", '{"epoch": 3}', '{"history": {}, "epoch": [1e999]}'),
        "[" * 9000 + "]" * 9000,
    ],
)
def test_a_history_that_lies_is_refused_or_harmless(text, tmp_path):
    net = network()
    net.fit(np.ones((4, 4)), [0, 1, 2, 0], loss="cross_entropy")
    path = saved(tmp_path, net)
    header, data = header_of(path)
    for entry in header["__metadata__"]:
        if entry != "cmlp":
            header["__metadata__"][entry] = text
    with_header(path, header, data)
    with contextlib.suppress(ValueError):
        assert repr(cmlp.load(path).history)


@pytest.mark.parametrize(
    ("name", "metadata"), [("no_folder/model", {"a": "new"}), ("model", {"b": 1}), ("model.h5", {"a": "new"})]
)
def test_a_file_that_is_not_written_leaves_the_metadata(name, metadata, tmp_path):
    net = network()
    net.metadata["a"] = "old"
    with pytest.raises(ValueError):
        cmlp.save(net, tmp_path / name, metadata=metadata)
    assert net.metadata == {"a": "old"}
