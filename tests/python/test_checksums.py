"""Model files have a checksum: damage is one ValueError that says what to do; files of every format load."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import cmlp
from cmlp import nn
from cmlp.estimators import model_file
from cmlp.training import state
from golden import write
from model_file import checksum, crc64, header_of, saved
from tolerance import assert_same_bits

GOLDEN = Path(__file__).parent / "golden"


def test_the_checksum_is_the_documented_one(tmp_path):
    header, data = header_of(saved(tmp_path, metadata={"ü": '\x01\n"Ω'}))
    assert crc64(b"123456789") == 0x995DC9BBDF1939FA
    assert header["__metadata__"]["cmlp.checksum"] == checksum(header, data)


def test_every_flipped_bit_of_a_file_is_refused(memory_folder, record_property):
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), seed=0)
    path = saved(memory_folder, net, metadata={"note": "Ω"})
    raw = path.read_bytes()
    for bit in range(8 * len(raw)):
        broken = bytearray(raw)
        broken[bit // 8] ^= 1 << bit % 8
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"^load: .*model.safetensors is (damaged|not a cmlp model): "):
            cmlp.load(path)
    path.write_bytes(raw)
    cmlp.load(path)
    record_property("single-bit flips refused", 8 * len(raw))


def test_a_damaged_file_says_what_to_do_and_loads_unverified(tmp_path):
    path = saved(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    text = (
        rf"^load: {path} is damaged: its checksum is \"crc64:\w{{16}}\", that of its content crc64:\w{{16}};"
        r" copy it again from its source, or load it all the same with verify=False$"
    )
    with pytest.raises(ValueError, match=text):
        cmlp.load(path)
    assert cmlp.load(path, verify=False).metadata == {}


def test_tensors_that_are_swapped_are_refused(tmp_path):
    path = saved(tmp_path, nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)))
    header, _ = header_of(path)
    raw = path.read_bytes()
    names = (b'"0.weight"', b'"1.weight"')
    assert header["0.weight"]["shape"] == header["1.weight"]["shape"]
    path.write_bytes(names[1].join(names[0].join(part.split(names[1])) for part in raw.split(names[0])))
    with pytest.raises(ValueError, match="is damaged"):
        cmlp.load(path)


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("format-*")), ids=lambda path: path.stem)
def test_files_of_every_format_load(golden, record_property):
    """Predictions have the bits that the version that wrote the file computed."""
    net = cmlp.load(golden)
    x, y = (json.loads(net.metadata[name]) for name in ("inputs", "outputs"))
    assert [value.hex() for value in net.predict(x).ravel()] == y
    assert net.metadata.keys() == {"inputs", "outputs"}
    assert len(net.history["loss"]) == 3
    record_property("golden files", 1)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("estimator-*")), ids=lambda path: path.stem)
def test_estimators_of_every_version_load(golden, record_property):
    model = cmlp.load(golden)
    x, y = (json.loads(model.net_.metadata[name]) for name in ("inputs", "outputs"))
    assert [value.hex() for value in model.predict_proba(np.array(x)).ravel().tolist()] == y
    assert model.classes_.tolist() == ["a", "b", "ü"]
    assert model.get_params()["hidden_layer_sizes"] == (4,)
    record_property("golden files", 1)


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("checkpoint-*")), ids=lambda path: path.stem)
def test_checkpoints_of_every_version_are_resumed(golden, tmp_path, record_property):
    path = tmp_path / "run.safetensors"
    shutil.copyfile(golden, path)
    complete = write.fit_checkpoint(tmp_path / "complete.safetensors", epochs=9)
    resumed = write.fit_checkpoint(path, epochs=9, resume=True)
    assert len(resumed.history.epoch) == 9
    assert_same_bits(list(complete.state_dict().values()), list(resumed.state_dict().values()))
    record_property("golden files", 1)


def test_the_present_formats_have_their_golden_files(tmp_path):
    number = json.loads(header_of(saved(tmp_path))[0]["__metadata__"]["cmlp"])["format"]
    names = [f"format-{n + 1}" for n in range(number)]
    names += [f"estimator-{n + 1}" for n in range(model_file.VERSION)]
    names += [f"checkpoint-{n + 1}" for n in range(state.VERSION)]
    assert {path.stem for path in GOLDEN.glob("*.safetensors")} == set(names)
