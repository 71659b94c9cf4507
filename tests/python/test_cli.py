"""The command line: each command does its work, and each bad input gets one line and an exit code."""

import json
import re
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import cmlp
from cmlp.cli import fitting
from cmlp.cli.app import app
from cmlp.tabular import read_table

ROWS = 240
MODEL = "model.safetensors"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder with people.csv in it."""
    monkeypatch.chdir(tmp_path)
    people().to_csv("people.csv", index=False)
    return tmp_path


def people():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"age": rng.integers(18, 80, ROWS), "city": rng.choice(["Oslo", "Rome"], ROWS)})
    frame["income"] = rng.normal(30, 5, ROWS)
    frame["member"] = rng.random(ROWS) > 0.5
    frame["buys"] = np.where((frame["age"] > 45) ^ (frame["city"] == "Oslo"), "yes", "no")
    frame["price"] = frame["age"] / 2 + 10.0 * (frame["city"] == "Rome") + 0.25
    frame.loc[::17, "income"] = np.nan
    frame.loc[::23, "city"] = None
    return frame


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def good(*arguments):
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result


def train(*arguments):
    return good("train", "people.csv", "--hidden", "32", "--lr", "0.01", "--epochs", "60", *arguments)


def record():
    return json.loads(good("info", MODEL, "--json").stdout)["model"]


def test_demo_reads_digits(folder):
    result = good("demo", "--out", "here")
    accuracy = float(re.search(r"test accuracy ([\d.]+)%", result.output)[1])
    seconds = float(re.search(r"after ([\d.]+) s of training", result.output)[1])
    assert accuracy >= 97
    assert seconds < 10
    for name in ("loss_curve.png", "confusion.png", "misread.png"):
        assert (folder / "here" / name).read_bytes().startswith(b"\x89PNG"), name
    net = cmlp.load("here/model.safetensors")
    assert net.predict(np.zeros((2, 64), np.float32)).shape == (2, 10)
    assert json.loads(net.metadata["cmlp.training"])["test"]["accuracy"] == pytest.approx(
        accuracy / 100, abs=1e-4
    )


def test_demo_does_not_depend_on_threads(folder):
    before = cmlp.get_num_threads()
    try:
        for threads in (1, 2):
            good("demo", "--out", threads, "--epochs", 2, "--threads", threads, "--seed", 5)
    finally:
        cmlp.set_num_threads(before)
    one, two = (cmlp.load(f"{threads}/model.safetensors").state_dict() for threads in (1, 2))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_train_says_what_it_understood_and_how_good_it_is(folder):
    result = train("--target", "buys", "--drop", "price")
    for line in (
        r"people.csv: 240 rows",
        r"city .* text .* 11 .* 2 values, one 0/1 column each; rare, unseen, missing -> one more",
        r"income .* number .* 15 .* median .* standardised",
        r"member .* boolean .* 0/1, standardised",
        r"price .* left out",
        r"target 'buys': classification, 2 classes",
        r"-> 32 relu -> 2 outputs",
        r"accuracy .*%.*%",
        r"log loss",
        r"written: model.safetensors",
    ):
        assert re.search(line, result.output), line
    facts = record()
    assert facts["training"]["scores"]["accuracy"] > 0.9 > 0.7 > facts["training"]["baseline"]["accuracy"]
    assert facts["table"]["classes"] == ["no", "yes"]


def test_train_a_quantity(folder):
    train("--target", "price", "--drop", "buys", "--epochs", "150")
    training = record()["training"]
    assert training["scores"]["R2"] > 0.9
    assert training["scores"]["RMSE"] < training["baseline"]["RMSE"] / 3
    assert training["best_epoch"] <= training["epochs"] <= 150


def test_train_the_same_from_parquet(folder):
    train("--target", "buys")
    from_csv = cmlp.load(MODEL).state_dict()
    people().to_parquet("people.parquet")
    good("train", "people.parquet", "--hidden", "32", "--lr", "0.01", "--epochs", "60", "--target", "buys")
    from_parquet = cmlp.load(MODEL).state_dict()
    assert all(np.array_equal(from_csv[name], from_parquet[name]) for name in from_csv)


@pytest.mark.parametrize("activation", cmlp.activations())
def test_train_with_each_activation(folder, activation):
    result = train("--target", "buys", "--activation", activation, "--epochs", "2")
    assert f"32 {activation}" in result.output


@pytest.mark.parametrize("optimizer", cmlp.optimizers())
def test_train_with_each_optimizer(folder, optimizer):
    train("--target", "buys", "--optimizer", optimizer, "--epochs", "2")
    assert record()["training"]["recipe"]["optimizer"] == optimizer


def test_train_without_hidden_layers_or_validation(folder):
    result = train("--target", "buys", "--hidden", "none", "--validation", "0", "--epochs", "3")
    assert "training rows (none were held out" in result.output
    assert record()["training"]["loss_on"] == "training"
    assert record()["training"]["epochs"] == 3


def test_train_stops_early(folder):
    result = good("train", "people.csv", "--target", "buys", "--lr", "0.02", "--patience", "2")
    assert "(no better for 2 epochs)" in result.output
    training = record()["training"]
    assert training["best_epoch"] == training["epochs"] - 2


def test_rows_without_a_target_are_left_out(folder):
    frame = people()
    frame.loc[:4, "buys"] = None
    frame.to_csv("people.csv", index=False)
    assert "5 of 240 rows left out: no 'buys'" in train("--target", "buys").output


def test_train_says_when_it_is_no_better_than_guessing(folder):
    rng = np.random.default_rng(0)
    pd.DataFrame({"a": rng.normal(size=100), "y": ["x"] * 90 + ["z"] * 10}).to_csv("noise.csv", index=False)
    result = good("train", "noise.csv", "--target", "y", "--epochs", "1", "--lr", "1e-6", "--seed", "1")
    accuracy = record()["training"]["scores"]["accuracy"]
    assert ("no better than most frequent class" in result.output) == (accuracy <= 0.9)


def test_predict_classes(folder):
    train("--target", "buys", "--drop", "price")
    result = good("predict", MODEL, "people.csv")
    table = pd.read_csv(pd.io.common.StringIO(result.stdout))
    assert list(table.columns) == ["buys", "probability_no", "probability_yes"]
    assert (table["buys"] == people()["buys"]).mean() > 0.9
    assert table.iloc[:, 1:].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-6)
    assert "ignored, unknown to the model: price" in result.stderr
    assert "the table has 'buys' itself: accuracy 9" in result.stderr


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.csv.gz", "out.parquet"])
def test_predict_a_quantity_into_a_file(folder, name):
    train("--target", "price", "--drop", "buys", "--epochs", "150")
    people().drop(columns=["price", "buys"]).to_csv("new.csv", index=False)
    result = good("predict", MODEL, "new.csv", "--out", name)
    assert "written: 240 predictions to" in result.stderr
    table = read_table(name)
    assert list(table.columns) == ["price"]
    assert np.abs(table["price"] - people()["price"]).mean() < 3


@pytest.mark.parametrize(
    ("labels", "dtype"), [([3, 7], np.int64), ([0.5, 7.0], np.float64), ([True, False], np.bool_)]
)
def test_labels_keep_their_type(folder, labels, dtype):
    frame = people().assign(buys=np.where(people()["buys"] == "yes", *labels))
    frame.to_csv("people.csv", index=False)
    train("--target", "buys", "--task", "classification", "--epochs", "2")
    good("predict", MODEL, "people.csv", "--out", "out.parquet")
    table = pd.read_parquet("out.parquet")
    assert table["buys"].dtype == dtype
    assert set(table["buys"]) <= set(labels)
    assert list(table.columns[1:]) == [f"probability_{label}" for label in sorted(labels)]


def test_numbers_that_are_text_stay_text(folder):
    frame = people().assign(city=np.where(people()["age"] > 45, "01", "x2"))
    frame.to_csv("people.csv", index=False)
    train("--target", "buys", "--epochs", "2")
    frame[frame["city"] == "01"].to_csv("new.csv", index=False)  # by itself this column looks like numbers
    good("predict", MODEL, "new.csv")


def test_a_row_alone_is_predicted_as_among_others(folder):
    train("--target", "buys", "--epochs", "2")
    people().iloc[[7]].to_csv("one.csv", index=False)
    everyone = good("predict", MODEL, "people.csv").stdout.splitlines()
    assert good("predict", MODEL, "one.csv").stdout.splitlines()[1] == everyone[8]


def test_info(folder):
    facts = json.loads(good("info", "--json").stdout)
    assert facts["cmlp"] == cmlp.__version__
    assert facts["isa"] == cmlp.runtime.isa()
    assert facts["isa"] in facts["isas"]
    assert facts["threads"] == cmlp.get_num_threads()
    assert cmlp.runtime.isa() in good("info").output


def test_info_on_a_model(folder):
    train("--target", "buys", "--drop", "price", "--epochs", "3")
    output = good("info", MODEL).output
    for word in (
        "Linear",
        "parameters",
        "buys (classification: no, yes)",
        "accuracy",
        "best epoch",
        "income",
    ):
        assert word in output, word
    facts = record()
    assert facts["parameters"] == sum(np.prod(shape) for shape in facts["shapes"].values())
    assert facts["training"]["recipe"]["hidden"] == [32]
    assert [column["name"] for column in facts["table"]["columns"]] == ["age", "city", "income", "member"]


def test_info_on_a_model_of_the_library(folder):
    cmlp.save(cmlp.nn.Sequential(cmlp.nn.Linear(3, 2), seed=0), MODEL)
    assert "Linear" in good("info", MODEL).output
    assert record()["table"] is None
    result = run("predict", MODEL, "people.csv")
    assert (result.exit_code, "only models of `cmlp train` do" in result.output) == (1, True)


TRAIN = ["train", "people.csv", "--target", "buys"]
# Each bad command line: its arguments, and what the one line says. Exit code 2.
BAD_USAGE = {
    "activation": (
        [*TRAIN, "--activation", "rleu"],
        "unknown activation 'rleu' (did you mean 'relu'?)",
    ),
    "optimizer": (
        [*TRAIN, "--optimizer", "adan"],
        "unknown optimizer 'adan' (did you mean 'adam'?)",
    ),
    "task": ([*TRAIN, "--task", "rank"], "'rank' is not one of 'auto', 'classification', 'regression'"),
    "widths in words": (
        [*TRAIN, "--hidden", "128,big"],
        "--hidden '128,big': give widths such as 128,64, or none",
    ),
    "no width": ([*TRAIN, "--hidden", ""], "--hidden '': give widths"),
    "zero width": ([*TRAIN, "--hidden", "0"], "--hidden '0': give widths"),
    "epochs": ([*TRAIN, "--epochs", "0"], "0 is not in the range x>=1"),
    "learning rate": ([*TRAIN, "--lr", "0"], "0.0 is not in the range x>0"),
    "dropout": ([*TRAIN, "--dropout", "1"], "1.0 is not in the range 0<=x<1"),
    "validation": ([*TRAIN, "--validation", "1"], "1.0 is not in the range 0<=x<1"),
    "threads": ([*TRAIN, "--threads", "0"], "0 is not in the range x>=1"),
    "no target": (["train", "people.csv"], "Missing option '--target'"),
    "no folder": (
        [*TRAIN, "--out", "nowhere/m.safetensors"],
        "there is no folder nowhere to write",
    ),
    "out is a folder": ([*TRAIN, "--out", "."], ". is a folder; --out takes a file"),
    "demo into a file": (["demo", "--out", "people.csv"], "people.csv is a file; --out takes a folder"),
    "unknown command": (["trian"], "No such command 'trian'"),
}


@pytest.mark.parametrize("name", BAD_USAGE)
def test_bad_command_lines(folder, name):
    arguments, message = BAD_USAGE[name]
    result = run(*arguments)
    assert message in result.output
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert not (folder / MODEL).exists()


# Each bad table: what is in t.csv, further arguments, and what the one line says. Exit code 1.
BAD_TABLES = {
    "no such target": (
        "a,Income\n1,2\n",
        "income",
        "no column 'income' (did you mean 'Income'?); the columns are a, Income",
    ),
    "no such column to drop": (
        "a,y\n" + "1,x\n2,z\n" * 9,
        "y --drop b",
        "there is no column 'b'; the columns are a, y",
    ),
    "one class": ("a,y\n" + "1,x\n2,x\n" * 9, "y", "target 'y' has one class only ('x')"),
    "no rows": ("a,y\n", "y", "t.csv: the table has a header but no rows"),
    "no answers": ("a,y\n1,\n2,\n", "y", "target 'y' has no values"),
    "empty file": ("", "y", "t.csv: cannot be read: No columns to parse from file"),
    "one row": ("a,y\n1,2\n", "y", "1 rows are too few to keep 0.2"),
    "infinity": ("a,y\n" + "1,x\n2,z\n" * 9 + "inf,x\n", "y", "column 'a' holds inf at row 19"),
    "infinity after a gap": (
        "a,y\n1,\n" + "1,x\n2,z\n" * 9 + "inf,x\n",
        "y",
        "column 'a' holds inf at row 20",
    ),
    "nothing to learn from": ("y\n" + "x\nz\n" * 9, "y", "no column is left to predict 'y' from"),
    "words to regress": (
        "a,y\n" + "1,x\n2,z\n" * 9,
        "y --task regression",
        "target 'y' holds text; regression needs",
    ),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_bad_tables(folder, name):
    content, arguments, message = BAD_TABLES[name]
    (folder / "t.csv").write_text(content)
    check_data_error(run("train", "t.csv", "--target", *arguments.split()), message)
    assert not (folder / MODEL).exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.csv", "none.csv: there is no such file"),
        ("t.xlsx", "t.xlsx: the suffix does not name a format; use one of"),
    ],
)
def test_bad_files(folder, name, message):
    check_data_error(run("train", name, "--target", "y"), message)


# Each bad table at predict time: how people.csv is changed, and what the one line says. Exit code 1.
BAD_PREDICTIONS = {
    "missing columns": (
        lambda frame: frame.drop(columns=["age", "city"]),
        "lacks 2 of the 4 columns the model reads: age, city",
    ),
    "words for numbers": (
        lambda frame: frame.assign(age="old"),
        "column 'age' holds text, the model was trained on numbers",
    ),
    "no rows": (lambda frame: frame.head(0), "the table has a header but no rows"),
}


@pytest.mark.parametrize("name", BAD_PREDICTIONS)
def test_bad_tables_at_predict_time(folder, name):
    change, message = BAD_PREDICTIONS[name]
    train("--target", "buys", "--drop", "price", "--epochs", "1")
    change(people()).to_csv("new.csv", index=False)
    check_data_error(run("predict", MODEL, "new.csv"), message)


def test_numbers_for_words_at_predict_time(folder):
    train("--target", "buys", "--epochs", "1")
    people().assign(city=1).to_parquet("new.parquet")  # a CSV is read as the model wants it
    check_data_error(
        run("predict", MODEL, "new.parquet"), "column 'city' holds numbers, the model was trained on text"
    )


@pytest.mark.parametrize("command", ["info", "predict"])
def test_bad_model_files(folder, command):
    table = ["people.csv"] if command == "predict" else []
    check_data_error(run(command, "none.safetensors", *table), "none.safetensors: there is no such file")
    (folder / "bad.safetensors").write_bytes(b"not a model")
    check_data_error(run(command, "bad.safetensors", *table), "bad.safetensors is not a cmlp model")


def test_bad_output_file(folder):
    train("--target", "buys", "--epochs", "1")
    check_data_error(
        run("predict", MODEL, "people.csv", "--out", "out.doc"), "out.doc: the suffix does not name a format"
    )


def check_data_error(result, message):
    assert message in result.output
    assert result.exit_code == 1
    lines = result.stderr.strip().splitlines()
    assert [line for line in lines if line.startswith("cmlp: ")] == [lines[-1]]
    assert "Traceback" not in result.output


@pytest.fixture
def ctrl_c_at(monkeypatch):
    """Press Ctrl-C at the end of an epoch."""

    def press(epoch):
        original = fitting.Watch.on_epoch_end

        def on_epoch_end(self, number, logs):
            original(self, number, logs)
            if number + 1 == epoch:
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(fitting.Watch, "on_epoch_end", on_epoch_end)

    return press


def test_ctrl_c_keeps_the_best_epoch(folder, ctrl_c_at):
    ctrl_c_at(3)
    result = run("train", "people.csv", "--target", "buys", "--epochs", "1000")
    assert "trained 3 epochs" in result.output
    assert "stopped by Ctrl-C; the best epoch so far is written" in result.output
    assert result.exit_code == 130
    assert record()["training"]["interrupted"]
    good("predict", MODEL, "people.csv")


def test_ctrl_c_before_an_epoch_is_over(folder, monkeypatch):
    def press(*_):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(fitting.Watch, "on_epoch_end", press)
    result = run("train", "people.csv", "--target", "buys")
    assert "stopped before the first epoch was over; nothing was written" in result.output
    assert result.exit_code == 130
    assert not (folder / MODEL).exists()


@pytest.mark.parametrize("package", ["click", "rich"])
def test_without_the_extra(package):
    code = f"import sys; sys.modules[{package!r}] = None; from cmlp.cli import main; main()"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == f"cmlp: the command line needs {package}; get it with: pip install 'cmlp[cli]'\n"


def test_without_pandas(folder):
    code = "import sys; sys.modules['pandas'] = None; from cmlp.cli import main; main()"
    command = [sys.executable, "-c", code, "train", "people.csv", "--target", "buys"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == "cmlp: the command line needs pandas; get it with: pip install 'cmlp[cli]'\n"


@pytest.mark.parametrize("command", [[], ["demo"], ["train"], ["predict"], ["info"]])
def test_help_is_quick_and_there(command):
    assert "Usage: " in good(*command, "--help").output


def test_help_imports_nothing_heavy():
    code = "import sys, cmlp.cli.app; print({'pandas', 'sklearn', 'matplotlib'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def test_version():
    assert cmlp.__version__ in good("--version").output
