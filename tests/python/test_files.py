"""Models as files: bit for bit in and out, readable by others, and a broken one is one ValueError."""

from __future__ import annotations

import contextlib
import json
import os
import struct

import numpy as np
import pytest

import cmlp
from cmlp import nn
from model_file import header_of, network, saved, with_header
from tolerance import assert_same_bits

MUTATIONS = 400


def test_round_trip(dtype, tmp_path, rng):
    net, x = network(dtype), rng.normal(size=(20, 4))
    net.fit(
        x, rng.integers(0, 3, 20), loss="cross_entropy", epochs=3, metrics=["accuracy"], validation_split=0.2
    )
    loaded = cmlp.load(saved(tmp_path, net, metadata={"who": "me", "ü": "Ω\n\"'"}))
    assert_same_bits(loaded.predict(x), net.predict(x))
    assert_same_bits(list(loaded.state_dict().values()), list(net.state_dict().values()))
    assert (repr(loaded), loaded.dtype, loaded.training) == (repr(net), np.dtype(dtype), False)
    assert loaded.history.to_dict() == net.history.to_dict()
    assert (loaded.metadata["who"], loaded.metadata["ü"]) == ("me", "Ω\n\"'")
    assert_same_bits(loaded.train()(x), net.train()(x))  # the same dropout masks follow


@pytest.mark.parametrize("activation", cmlp.activations())
def test_every_activation_is_kept_with_its_settings(activation, tmp_path):
    row = next(row for row in cmlp._core.activations() if row["name"] == activation)
    settings = {key: value + 0.125 for key, value in row["parameters"].items()}
    net = nn.Sequential(nn.Linear(2, 3), nn.Activation(activation, **settings))
    loaded = cmlp.load(saved(tmp_path, net))
    assert_same_bits(loaded.predict([[0.5, -1.0]]), net.predict([[0.5, -1.0]]))
    assert loaded._core.layers() == net._core.layers()


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_every_seed_is_kept(seed, tmp_path):
    net = network(seed=seed)
    loaded = cmlp.load(saved(tmp_path, net))
    assert loaded._core.seed == seed
    loaded.reset_parameters()
    assert_same_bits(list(loaded.state_dict().values()), list(net.state_dict().values()))


def test_numbers_of_every_kind_come_back(dtype, tmp_path):
    info = np.finfo(dtype)
    numbers = [0.0, -0.0, info.max, info.tiny, info.smallest_subnormal, np.inf, -np.inf, np.nan, 1 / 3]
    net = nn.Sequential(nn.Linear(9, 1), dtype=dtype)
    net[0].weight.data = [numbers]
    assert_same_bits(cmlp.load(saved(tmp_path, net))[0].weight.data, np.array([numbers], dtype))


def test_other_readers_read_it(dtype, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    net = network(dtype)
    path = saved(tmp_path, net, metadata={"note": "hello"})
    tensors = safetensors.load_file(path)
    assert tensors.keys() == net.state_dict().keys()
    assert_same_bits([tensors[name] for name in net.state_dict()], list(net.state_dict().values()))
    with safetensors.safe_open(path, "numpy") as file:
        assert file.metadata()["note"] == "hello"
        assert json.loads(file.metadata()["cmlp"])["layers"][0]["type"] == "Linear"


def test_a_file_of_safetensors_own_is_read(tmp_path):
    """The same tensors and metadata, laid out by the other writer."""
    safetensors = pytest.importorskip("safetensors.numpy")
    path, other = saved(tmp_path), tmp_path / "other.safetensors"
    metadata = header_of(path)[0]["__metadata__"]
    safetensors.save_file(network().state_dict(), other, metadata=metadata)
    assert_same_bits(cmlp.load(other).predict(np.ones((2, 4))), network().predict(np.ones((2, 4))))


def test_a_file_of_other_tensors_is_refused(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    safetensors.save_file({"a": np.ones(3)}, tmp_path / "a.safetensors")
    with pytest.raises(
        ValueError, match=r"a.safetensors is not a cmlp model: the metadata have no key 'cmlp'"
    ):
        cmlp.load(tmp_path / "a.safetensors")


def test_the_layout_of_the_file(tmp_path):
    header, data = header_of(saved(tmp_path))
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    assert {name: (entry["dtype"], entry["shape"]) for name, entry in tensors.items()} == {
        name: ("F32", list(value.shape)) for name, value in network().state_dict().items()
    }
    assert sum(np.prod(entry["shape"]) for entry in tensors.values()) * 4 == len(data)
    assert "leaky_relu" in header["__metadata__"]["cmlp"]  # names, never numbers


def refused(path):
    """Load, expecting the one error."""
    with pytest.raises(ValueError) as error:
        cmlp.load(path)
    text = str(error.value)
    assert text.startswith(f"load: {path} is not a cmlp model: ")
    assert "\n" not in text.removeprefix(f"load: {path}")


@pytest.mark.parametrize("number", range(0, MUTATIONS, 20))
def test_truncated_files(number, tmp_path):
    path = saved(tmp_path)
    raw = path.read_bytes()
    for cut in np.linspace(0, len(raw) - 1, MUTATIONS, dtype=int)[number : number + 20]:
        path.write_bytes(raw[:cut])
        refused(path)
    path.write_bytes(raw + b"\0")
    refused(path)


@pytest.mark.parametrize("number", range(20))
def test_flipped_bits(number, tmp_path):
    """Unverified, a flip in the header is one error or harmless text, never a crash."""
    path, rng = saved(tmp_path), np.random.default_rng(number)
    raw = path.read_bytes()
    head = 8 + struct.unpack("<Q", raw[:8])[0]
    for _ in range(MUTATIONS // 20):
        broken = bytearray(raw)
        for at in rng.integers(0, head, rng.integers(1, 4)):
            broken[at] ^= 1 << rng.integers(8)
        path.write_bytes(broken)
        with contextlib.suppress(ValueError):
            assert cmlp.load(path, verify=False).predict(np.ones((1, 4))).shape == (1, 3)


def first(header):
    return header["0.weight"]


CHANGES = {
    "huge_shape": lambda h: first(h).update(shape=[2**40, 2**40]),
    "negative_shape": lambda h: first(h).update(shape=[-9, -4]),
    "other_shape": lambda h: first(h).update(shape=[4, 9]),
    "other_dtype": lambda h: first(h).update(dtype="I32"),
    "unknown_dtype": lambda h: first(h).update(dtype="F8"),
    "overlap": lambda h: first(h).update(data_offsets=[4, 148]),
    "outside": lambda h: first(h).update(data_offsets=[0, 10**12]),
    "backwards": lambda h: first(h).update(data_offsets=[144, 0]),
    "fraction": lambda h: first(h).update(data_offsets=[0.5, 144]),
    "missing": lambda h: h.pop("0.weight"),
    "extra": lambda h: h.update({"9.weight": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}),
    "no_metadata": lambda h: h.pop("__metadata__"),
    "no_description": lambda h: h["__metadata__"].pop("cmlp"),
    "not_json": lambda h: h["__metadata__"].update(cmlp="{"),
    "not_text": lambda h: h["__metadata__"].update(cmlp=3),
}
DESCRIPTIONS = {
    "future": lambda d: d.update(format=99),
    "no_layers": lambda d: d.update(layers=[]),
    "no_such_layer": lambda d: d["layers"][0].update(type="Conv"),
    "no_such_activation": lambda d: d["layers"][1].update(activation="rleu"),
    "no_such_initializer": lambda d: d["layers"][0].update(init="he"),
    "huge_layer": lambda d: d["layers"][0].update(in_features=2**62),
    "no_size": lambda d: d["layers"][0].update(in_features=0),
    "text_for_size": lambda d: d["layers"][0].update(in_features="4"),
    "mismatch": lambda d: d["layers"].pop(0),
    "no_field": lambda d: d["layers"][0].pop("bias"),
    "dtype": lambda d: d.update(dtype="F16"),
    "bad_dropout": lambda d: d["layers"][4].update(p=7.0),
    "same_names": lambda d: d["layers"][1].update(name="0"),
}


# Fields that files of earlier versions lack, and what they mean by that.
LATER = {
    "columns of PeriodicEmbedding": (lambda: nn.PeriodicEmbedding(2, 3, 4), "columns"),
    "columns of PiecewiseLinearEmbedding": (
        lambda: nn.PiecewiseLinearEmbedding([[0, 1], [0, 1]], 3),
        "columns",
    ),
    "parametrization of Linear": (lambda: nn.Linear(2, 3), "parametrization"),
}


@pytest.mark.parametrize("name", LATER)
def test_fields_that_earlier_files_lack_have_their_defaults(name, tmp_path):
    layer, field = LATER[name]
    net = nn.Sequential(layer())
    path = saved(tmp_path, net)
    header, data = header_of(path)
    description = json.loads(header["__metadata__"]["cmlp"])
    del description["layers"][0][field]
    header["__metadata__"]["cmlp"] = json.dumps(description)
    x = np.array([[0.25, 0.5]], "float32")
    np.testing.assert_array_equal(cmlp.load(with_header(path, header, data)).predict(x), net.predict(x))


@pytest.mark.parametrize("change", [*CHANGES, *DESCRIPTIONS])
def test_headers_that_lie(change, tmp_path):
    path = saved(tmp_path)
    header, data = header_of(path)
    if change in CHANGES:
        CHANGES[change](header)
    else:
        description = json.loads(header["__metadata__"]["cmlp"])
        DESCRIPTIONS[change](description)
        header["__metadata__"]["cmlp"] = json.dumps(description)
    refused(with_header(path, header, data))


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"\xff" * 64, bytes(8), bytes(4096), struct.pack("<Q", 2) + b"[]"]
)
def test_files_of_something_else(raw, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(raw)
    refused(path)


def test_places_that_cannot_be_read_or_written(tmp_path):
    with pytest.raises(ValueError, match=r"load: cannot open .*nowhere: No such file or directory"):
        cmlp.load(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"load: .*"):
        cmlp.load(tmp_path)
    with pytest.raises(ValueError, match=r"No such file or directory"):
        cmlp.save(network(), tmp_path / "no" / "folder")
    with pytest.raises(ValueError, match="metadata: 'cmlp': 'x' cannot be kept"):
        cmlp.save(network(), tmp_path / "x", metadata={"cmlp": "x"})
    assert list(tmp_path.iterdir()) == []


def test_a_save_replaces_the_file_in_one_step(tmp_path):
    path = saved(tmp_path)
    os.chmod(path, 0o640)
    cmlp.save(network(seed=6), path)
    assert os.stat(path).st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["model.safetensors"]
    assert_same_bits(cmlp.load(path).predict(np.ones((1, 4))), network(seed=6).predict(np.ones((1, 4))))


def test_resaving_gives_the_same_bytes(tmp_path):
    path = saved(tmp_path, metadata={"a": "1"})
    cmlp.save(cmlp.load(path), tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_an_ensemble_whose_names_do_not_fit_is_refused(tmp_path):
    path = saved(tmp_path, nn.Sequential(nn.Ensemble(nn.Linear(2, 1), nn.Linear(2, 1))))
    header, data = header_of(path)
    described = header["__metadata__"]["cmlp"]
    header["__metadata__"]["cmlp"] = described.replace('"0.end"', '"1.end"')
    with pytest.raises(ValueError, match="the names of an ensemble's layers do not fit"):
        cmlp.load(with_header(path, header, data))
