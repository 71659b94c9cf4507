"""The command line in trouble: bad input gets one line and an exit code; Ctrl-C keeps the best epoch."""

import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from cmlp.tabular import fitting
from command_line import MODEL, check_data_error, good, people, record, run, train

TRAIN = ["train", "people.csv", "--target", "buys"]
# Each bad command line: its arguments, and what the one line says. Exit code 2.
BAD_USAGE = {
    "activation": (
        [*TRAIN, "--activation", "rleu"],
        "unknown activation 'rleu' (did you mean 'relu'?)",
    ),
    "optimizer": (
        [*TRAIN, "--optimizer", "adamm"],
        "unknown optimizer 'adamm' (did you mean 'adam'?)",
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
    "no targets": ("a,y\n1,\n2,\n", "y", "target 'y' has no values"),
    "empty file": ("", "y", "t.csv: the file is empty"),
    "one row": ("a,y\n1,2\n", "y", "the table has 1 sample with a target: nothing to learn"),
    "nothing to learn from": (
        "y\n" + "x\nz\n" * 9,
        "y",
        "no column is left to learn from: the table has only",
    ),
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


@pytest.mark.parametrize("gap", [0, 1])
def test_infinite_numbers_name_the_row_of_the_file(folder, gap):
    frame = pd.DataFrame({"a": [1.0, 2.0] * 9 + [np.inf], "y": ["x", "z"] * 9 + ["x"]})
    frame.loc[: gap - 1, "y"] = None
    frame.to_parquet("t.parquet")
    check_data_error(run("train", "t.parquet", "--target", "y"), "column 'a' holds inf at row 19;")
    good("train", "t.parquet", "--target", "y", "--column", "a=category", "--epochs", "1")


def test_infinities_in_text_are_cells_that_are_no_numbers(folder):
    (folder / "t.csv").write_text("a,y\n" + "1,x\n2,z\n" * 30 + "inf,x\n" * 3)
    output = good("train", "t.csv", "--target", "y", "--epochs", "1", "--validation", "0").output
    assert "column 'a': 3 cells are no numbers ('inf' ...): taken as missing" in output
    (folder / "t.csv").write_text("a\n1\n2\n-Infinity\n")
    assert "1 cells are no numbers ('-Infinity' at row 3)" in good("predict", MODEL, "t.csv").output


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.csv", "none.csv: there is no such file"),
        ("people", "people: there is no such file (there is people.csv)"),
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
    people().assign(city=1).to_parquet("new.parquet")
    assert (
        "column 'city' holds none of the categories of the training rows ('1')"
        in good("predict", MODEL, "new.parquet").output
    )


@pytest.mark.parametrize("command", ["info", "predict"])
def test_bad_model_files(folder, command):
    table = ["people.csv"] if command == "predict" else []
    check_data_error(run(command, "none.safetensors", *table), "none.safetensors: there is no such file")
    (folder / "bad.safetensors").write_bytes(b"not a model")
    check_data_error(run(command, "bad.safetensors", *table), "bad.safetensors is not a cmlp model")


def test_a_training_that_explodes(folder):
    result = run("train", "people.csv", "--target", "price", "--optimizer", "sgd", "--lr", "1e30")
    check_data_error(result, "; try a smaller --lr")
    assert not (folder / MODEL).exists()


def test_bad_output_file(folder):
    train("--target", "buys", "--epochs", "1")
    check_data_error(
        run("predict", MODEL, "people.csv", "--out", "out.doc"), "out.doc: the suffix does not name a format"
    )


@pytest.fixture
def ctrl_c_at(monkeypatch, ctrl_c):
    """Press Ctrl-C at the end of an epoch."""

    def press(epoch):
        original, pressed = fitting.BestEpoch.epoch_end, []

        def epoch_end(self, values):
            if values["epoch"] + 1 == epoch and not pressed:
                pressed.append(epoch)
                signal.raise_signal(signal.SIGINT)
            return original(self, values)

        monkeypatch.setattr(fitting.BestEpoch, "epoch_end", epoch_end)

    return press


@pytest.mark.parametrize("options", ["", "--preset fast", "--cv 4", "--preset best"])
def test_ctrl_c_keeps_the_best_epoch(folder, ctrl_c_at, options):
    ctrl_c_at(3)
    result = run("train", "people.csv", "--target", "buys", "--epochs", "100000", *options.split())
    assert "stopped by Ctrl-C; the best epoch so far is written" in result.output
    assert result.exit_code == 130
    assert record()["training"]["interrupted"]
    assert 3 <= record()["training"]["epochs"] < 100000
    good("predict", MODEL, "people.csv")


def test_ctrl_c_before_an_epoch_is_over(folder, monkeypatch, ctrl_c):
    def press(*_):
        signal.raise_signal(signal.SIGINT)
        return False

    monkeypatch.setattr(fitting.BestEpoch, "epoch_end", press)
    result = run("train", "people.csv", "--target", "buys", "--preset", "fast")
    assert "stopped before the first epoch was over; nothing was written" in result.output
    assert result.exit_code == 130
    assert not (folder / MODEL).exists()


@pytest.mark.parametrize("package", ["click", "rich"])
def test_without_the_extra(package):
    code = f"import sys; sys.modules[{package!r}] = None; from cmlp.cli import main; main()"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == f"cmlp: the command line needs {package}; get it with: pip install 'cmlp[cli]'\n"


def test_without_pyarrow(folder):
    code = "import sys; sys.modules['pyarrow'] = None; from cmlp.cli import main; main()"
    command = [sys.executable, "-c", code, "train", "people.csv", "--target", "buys"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == "cmlp: the command line needs pyarrow; get it with: pip install 'cmlp[cli]'\n"


def test_ctrl_c_while_a_module_is_loaded(folder, monkeypatch):
    def load(*_, **__):
        raise ImportError("initialization failed") from KeyboardInterrupt()

    monkeypatch.setattr("cmlp.tabular.reading.read_source", load)
    result = run(*TRAIN)
    assert (result.exit_code, result.output) == (130, "cmlp: stopped; nothing was written\n")
