"""Files whose weights are mapped: the same bits, memory that processes share, and what is refused."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import cmlp
from cmlp import nn, optim
from model_file import header_of, network, saved, with_header
from test_every_saved_model import FITTED, predictions
from test_layer_kinds import KINDS
from tolerance import assert_same_bits

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

X = np.random.default_rng(0).normal(size=(7, 4))
ADVICE = r"mapped from a file and read-only; net\.copy\(\) is a network with memory of its own"


def mapped(folder, net=None, **options):
    return cmlp.load(saved(folder, net, mappable=True, **options), mmap=True)


def trained(layers, dtype):
    """Return a network whose parameters and running statistics are not the initial ones."""
    net = nn.Sequential(*layers, seed=3, dtype=dtype)
    rng = np.random.default_rng(1)
    for row in net._rows():
        row.data[...] = np.abs(rng.normal(size=row.data.shape)) + 0.1
    return net.eval()


def is_mapped(net):
    return not any(row.data.flags.writeable for row in net._rows())


# ---- the same bits


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_layer_predicts_the_same_bits(kind, dtype, tmp_path, record_property):
    x = np.random.default_rng(2).normal(size=(37, 6))
    net = trained(KINDS[kind][0](), dtype)
    other = mapped(tmp_path, net)
    assert is_mapped(other)
    assert_same_bits(other.predict(x), net.predict(x))
    assert_same_bits(other(x), net(x))
    for name, value in net.state_dict().items():
        assert_same_bits(other.state_dict()[name], value)
    record_property("layer kinds with the same bits when mapped", 1)


def test_bf16_and_wide_layers_predict_the_same_bits(tmp_path):
    x = np.random.default_rng(2).normal(size=(300, 20))
    layers = [nn.Linear(20, 256), nn.GELU(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 3)]
    net = nn.Sequential(*layers, precision="bf16").eval()
    other = mapped(tmp_path, net)
    assert other.precision == "bf16"
    assert_same_bits(other.predict(x), net.predict(x))


def test_evaluate_and_plain_load_have_the_same_bits(tmp_path):
    net, y = network().eval(), [0, 1, 2, 0, 1, 2, 0]
    other = mapped(tmp_path, net)
    assert other.evaluate(X, y, loss="nll") == net.evaluate(X, y, loss="nll")
    plain = cmlp.load(tmp_path / "model.safetensors")
    assert not is_mapped(plain)
    assert plain.state_dict().keys() == net.state_dict().keys()
    assert_same_bits(plain.predict(X), net.predict(X))


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor", "MLPTransformer", "QuantileMLPRegressor",
                                  "TabularClassifier", "TabularRegressor"])  # fmt: skip
def test_estimators_of_one_network_are_mapped(name, tmp_path):
    model = FITTED[name]()
    other = mapped(tmp_path, model)
    assert is_mapped(other._net if hasattr(other, "_net") else other.net_)
    for mine, theirs in zip(predictions(model), predictions(other), strict=True):
        assert np.array_equal(mine, theirs)


def test_metadata_and_history_are_read(tmp_path):
    net = network()
    net.fit(X, [0, 1, 2, 0, 1, 2, 0], loss="nll", epochs=2)
    other = mapped(tmp_path, net, metadata={"note": "text"})
    assert other.metadata == {"note": "text"}
    assert other.history.epoch == net.history.epoch
    assert mapped(tmp_path, net, optimizer=optim.Adam(net.parameters())).n_parameters == net.n_parameters


# ---- copies


@pytest.mark.parametrize(
    "copied",
    [
        lambda net, _: net.copy(),
        lambda net, _: copy.deepcopy(net),
        lambda net, _: pickle.loads(pickle.dumps(net)),
        lambda net, _: net.to("float64").to("float32"),
        lambda net, path: cmlp.save(net, path) or cmlp.load(path),
        lambda net, path: cmlp.save(net, path, mappable=True) or cmlp.load(path),
    ],
    ids=["copy", "deepcopy", "pickle", "to", "save", "save_over_itself"],
)
def test_a_copy_has_memory_of_its_own(copied, tmp_path):
    net = mapped(tmp_path)
    before = net.predict(X)
    other = copied(net, tmp_path / "model.safetensors")
    assert_same_bits(other.predict(X), before)
    other.fit(X, [0, 1, 2, 0, 1, 2, 0], loss="nll", epochs=1)
    assert not np.array_equal(other.predict(X), before)
    assert_same_bits(net.predict(X), before)


@pytest.mark.parametrize("change", [os.unlink, lambda path: saved(path.parent, network(seed=9))])
def test_the_file_is_removed_or_replaced(change, tmp_path):
    net = mapped(tmp_path)
    before = net.predict(X)
    change(tmp_path / "model.safetensors")
    assert_same_bits(net.predict(X), before)


# ---- refusals

Y = [0, 1, 2, 0, 1, 2, 0]
CHANGES = {
    "train": lambda net: net.train(),
    "fit": lambda net: net.fit(X, Y, loss="nll"),
    "fit lbfgs": lambda net: net.fit(X, Y, loss="nll", optimizer="lbfgs"),
    "optimizer": lambda net: optim.Adam(net.parameters()),
    "lbfgs": lambda net: optim.LBFGS(net.parameters()),
    "train_step": lambda net: net.train_step(X, Y, "nll", optim.SGD(net.parameters(), lr=0.1)),
    "load_state_dict": lambda net: net.load_state_dict(network().state_dict()),
    "data": lambda net: setattr(net[0].weight, "data", np.ones((9, 4))),
    "grad": lambda net: setattr(net[0].weight, "grad", np.ones((9, 4))),
    "init": lambda net: nn.init.xavier_uniform_(net[0].weight),
    "data_driven": lambda net: nn.init.data_driven_(net, X),
    "reset_parameters": lambda net: net.reset_parameters(),
    "zero_grad": lambda net: net.zero_grad(),
    "backward": lambda net: net.backward(net(X)),
    "precision": lambda net: setattr(net, "precision", "bf16"),
}
NUMPY = {
    "weight": lambda net: net[0].weight.data.__setitem__(0, 1.0),
    "bias": lambda net: net[0].bias.data.fill(0),
    "gradient": lambda net: net[0].weight.grad.__setitem__(0, 1.0),
    "flag": lambda net: net[0].weight.data.setflags(write=True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changes_are_refused_with_advice(change, tmp_path, record_property):
    net = mapped(tmp_path)
    before = net.predict(X)
    with pytest.raises(ValueError, match=ADVICE):
        CHANGES[change](net)
    assert_same_bits(net.predict(X), before)
    record_property("changes of a mapped network refused", 1)


@pytest.mark.parametrize("change", NUMPY)
def test_numpy_refuses_to_write(change, tmp_path, record_property):
    net = mapped(tmp_path)
    with pytest.raises(ValueError, match=r"read-only|WRITEABLE"):
        NUMPY[change](net)
    record_property("changes of a mapped network refused", 1)


def test_an_estimator_refuses_to_continue(tmp_path):
    with pytest.raises(ValueError, match=ADVICE):
        mapped(tmp_path, FITTED["MLPClassifier"]()).partial_fit(np.zeros((3, 3)), ["one", "two", "ü"])


@pytest.mark.parametrize(
    "name", ["MLPEnsembleClassifier", "Perceptron", "estimators.Perceptron", "AveragedModel"]
)
def test_models_that_are_copied_when_loaded_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"save: mappable=True is for a Sequential, .* this is an? "):
        saved(tmp_path, FITTED[name](), mappable=True)


def test_a_module_is_refused(tmp_path):
    with pytest.raises(ValueError, match="this is a module"):
        saved(tmp_path, nn.Linear(2, 3), mappable=True)


# ---- files


def test_the_numbers_begin_at_a_multiple_of_64_bytes(tmp_path):
    for note in range(70):
        path = saved(tmp_path, mappable=True, metadata={"note": "x" * note})
        header, data = header_of(path)
        assert header["cmlp.flat"]["data_offsets"][0] == 0
        assert (path.stat().st_size - len(data)) % 64 == 0


def test_other_readers_find_one_more_tensor(tmp_path):
    header, _ = header_of(saved(tmp_path, mappable=True))
    plain, _ = header_of(saved(tmp_path))
    assert header.keys() - plain.keys() == {"cmlp.flat"}


def unmapped(folder):
    return saved(folder)


def edited(change, shift=0):
    def make(folder):
        path = saved(folder, mappable=True)
        header, data = header_of(path)
        return with_header(path, *change(header, data), shift)

    return make


def _layout(header, data):
    text = json.loads(header["__metadata__"]["cmlp"])
    header["__metadata__"]["cmlp"] = json.dumps({**text, "flat": 2})
    return header, data


def _length(header, data):
    begin, end = header["cmlp.flat"]["data_offsets"]
    flat = {"dtype": "F32", "shape": [(end - 64 - begin) // 4], "data_offsets": [begin, end - 64]}
    rest = {
        name: {**entry, "data_offsets": [at - 64 for at in entry["data_offsets"]]}
        for name, entry in header.items()
        if name not in ("__metadata__", "cmlp.flat")
    }
    return {"__metadata__": header["__metadata__"], "cmlp.flat": flat, **rest}, data[:begin] + data[
        begin + 64 :
    ]


def _type(header, data):
    flat = header["cmlp.flat"]
    return {**header, "cmlp.flat": {**flat, "dtype": "I32"}}, data


def _damaged(folder):
    path = saved(folder, mappable=True)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    return path


def _truncated(folder):
    path = saved(folder, mappable=True)
    path.write_bytes(path.read_bytes()[:-4])
    return path


def _empty(folder):
    (folder / "empty").write_bytes(b"")
    return folder / "empty"


BAD_FILES = {
    "no mapped weights": (unmapped, r"load: mmap: .* has no mapped weights; save it with mappable=True"),
    "another layout": (edited(_layout), "another version of cmlp does; save it again with mappable=True"),
    "too short": (edited(_length), "the layers have .* numbers, padding included, the shared memory has"),
    "another type": (edited(_type), "tensor 'cmlp.flat' has the type I32, the network F32"),
    "not aligned": (
        edited(lambda header, data: (header, data), shift=4),
        "no multiple of 64; save it again with mappable=True",
    ),
    "damaged": (_damaged, "is damaged: its checksum is"),
    "truncated": (_truncated, "its arrays take .* bytes, the file has"),
    "empty": (_empty, "it has 0 bytes"),
    "a folder": (lambda folder: folder, "is not a regular file"),
    "missing": (lambda folder: folder / "no", "cannot open"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_files_are_refused(kind, tmp_path):
    make, message = BAD_FILES[kind]
    with pytest.raises(ValueError, match=message):
        cmlp.load(make(tmp_path), mmap=True)


def test_without_verify_only_the_mapped_weights_are_read(tmp_path):
    net = cmlp.load(_damaged(tmp_path), verify=False, mmap=True)
    assert net.predict(X).shape == (7, 3)


# ---- memory that processes share

PROGRAM = """
import sys
import numpy as np
import cmlp

def kib(name):  # of the mapping of the file
    total, inside = 0, False
    for line in open("/proc/self/smaps"):
        word = line.split()
        if not word[0].endswith(":"):
            inside = line.rstrip().endswith(sys.argv[1])
        elif inside and word[0] == name + ":":
            total += int(word[1])
    return total

def private():  # memory that no other process can use
    lines = [line.split() for line in open("/proc/self/smaps_rollup")]
    return sum(int(line[1]) for line in lines if line[0].startswith("Private_"))

cmlp.set_num_threads(1)
small = cmlp.nn.Sequential(cmlp.nn.Linear(2, 2)).predict(np.zeros((1, 2)))
before = private()
net = cmlp.load(sys.argv[1], mmap=True, verify=False)
net.predict(np.ones((64, 1000), "float32"))
print("ready", flush=True)
sys.stdin.readline()
print(kib("Rss"), kib("Pss"), kib("Private_Dirty"), private() - before, flush=True)
sys.stdin.readline()
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"), reason="no /proc")
def test_processes_share_the_pages(tmp_path, record_property):
    net = nn.Sequential(
        nn.Linear(1000, 3000), nn.ReLU(), nn.Linear(3000, 3000), nn.ReLU(), nn.Linear(3000, 3)
    )
    weights = sum(row.data.nbytes for row in net._rows()) // 1024  # 48 MB
    path = saved(tmp_path, net, mappable=True)
    pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", PROGRAM, str(path)]
    processes = [subprocess.Popen(command, **pipe) for _ in range(3)]
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        figures = [_figures_of(process) for process in processes]
    finally:
        for process in processes:
            process.communicate("\n")
    for resident, share, dirty, private in figures:
        assert resident >= weights
        assert share < 0.5 * resident
        assert dirty == 0
        assert private < weights / 4
    record_property("largest share of each of three processes in a mapped model of 47 MiB, in MiB",
                    max(share for _, share, _, _ in figures) / 1024)  # fmt: skip


def _figures_of(process):
    process.stdin.write("\n")
    process.stdin.flush()
    return [int(word) for word in process.stdout.readline().split()]
