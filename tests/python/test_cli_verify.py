"""`cmlp verify`: the published hashes on this machine, and the checksum of a model file."""

import json

import pytest

import cmlp
from cmlp import _core, nn
from cmlp.cli.verify import thread_counts
from command_line import MODEL, check_data_error, good, run, train
from test_checksums import GOLDEN

HASHES = {name: published for name, published, _ in _core.reference_trainings()}
NAMES = list(HASHES)


def test_this_machine_computes_the_published_bits(record_property):
    isas = cmlp.runtime.isas()
    for threads, options in ((1, ()), (3, ("--isa", isas[0]))):
        facts = json.loads(good("verify", "--json", "--threads", threads, *options).stdout)
        assert [training["name"] for training in facts["trainings"]] == NAMES
        assert facts["isas"] == (isas[:1] if options else isas)
        assert facts["threads"] == list(range(1, threads + 1))
        assert facts["same"] is True
        for training in facts["trainings"]:
            assert {run["hash"] for run in training["runs"]} == {training["hash"]}, training["name"]
            assert len(training["runs"]) == threads * len(facts["isas"])
        record_property("reference trainings", sum(len(t["runs"]) for t in facts["trainings"]))


def test_the_table_and_the_choice_of_what_runs(isa):
    output = good("verify", "--isa", isa, "--training", "lbfgs", "--threads", 2).output
    assert "Reference trainings" in output
    assert "lbfgs" in output
    assert "relu_adam" not in output
    assert HASHES["lbfgs"] in output
    assert "2 of 2 runs have the published bits (threads: 1, 2)" in output


def test_the_instruction_set_in_use_stays():
    before = cmlp.runtime.isa()
    good("verify", "--training", "lbfgs", "--threads", 1)
    assert cmlp.runtime.isa() == before


def test_a_difference_is_shown_and_the_exit_code_is_1(monkeypatch):
    original = _core.training_hash
    monkeypatch.setattr(
        _core, "training_hash", lambda name: "crc64:0" if name == "losses" else original(name)
    )
    options = ("--isa", cmlp.runtime.isa(), "--threads", 2, "--training", "losses", "--training", "lbfgs")
    result = run("verify", *options)
    assert "DIFFERENT (threads: 1, 2)" in result.output
    assert "2 of 4 runs have the published bits" in result.output
    check_data_error(result, "this machine does not compute the bits of docs/hashes.md")
    result = run("verify", "--json", *options)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["same"] is False


@pytest.mark.parametrize(
    ("largest", "counts"),
    [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (6, [1, 2, 3, 4, 6]), (16, [1, 2, 3, 4, 8, 16])],
)
def test_numbers_of_threads(largest, counts):
    assert thread_counts(largest) == counts


def test_a_network_file(tmp_path):
    path = tmp_path / "net.safetensors"
    cmlp.save(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), path)
    output = good("verify", path).output
    assert "net.safetensors: Sequential, 2 layers, 8 parameters" in output
    assert "undamaged: its content has the checksum crc64:" in output
    facts = json.loads(good("verify", path, "--json").stdout)
    assert facts["checksum"].startswith("crc64:")
    assert (facts["kind"], facts["parameters"], facts["layers"]) == ("Sequential", 8, 2)


def test_a_tabular_model_file(folder):
    train("--target", "buys", "--epochs", "1", "--preset", "fast")
    assert "TabularClassifier" in good("verify", MODEL).output


def test_a_file_without_a_checksum():
    path = GOLDEN / "format-1.safetensors"
    assert "it has no checksum" in good("verify", path).output
    assert json.loads(good("verify", path, "--json").stdout)["checksum"] is None


# What is wrong with a call: its arguments, the exit code, what it says.
BAD = {
    "isa": (["--isa", "avx3"], 2, "unknown instruction set 'avx3'"),
    "training": (["--training", "relu_adan"], 2, "unknown training 'relu_adan' (did you mean 'relu_adam'?)"),
    "threads": (["--threads", "0"], 2, "0 is not in the range x>=1"),
    "no file": (["none.safetensors"], 1, "none.safetensors: there is no such file"),
    "machine and file": (["m.safetensors", "--threads", "2"], 2, "give no MODEL"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_calls(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    arguments, code, message = BAD[name]
    result = run("verify", *arguments)
    assert (result.exit_code, message in result.output) == (code, True), result.output
    assert "Traceback" not in result.output


def test_a_damaged_file(tmp_path):
    path = tmp_path / "net.safetensors"
    cmlp.save(nn.Sequential(nn.Linear(3, 2)), path)
    raw = bytearray(path.read_bytes())
    raw[-2] ^= 4
    path.write_bytes(raw)
    check_data_error(run("verify", path), "is damaged: its checksum is")
