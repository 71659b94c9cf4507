"""The command line: each command does its work, says what it did, and keeps its promises."""

import io
import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import cmlp
from cmlp.tabular import read_table
from command_line import MODEL, good, people, record, run, train


def test_demo_reads_digits(folder):
    result = good("demo", "--out", "here")
    accuracy = float(re.search(r"test accuracy ([\d.]+)%", result.output)[1])
    assert re.search(r"after [\d.]+ s of training", result.output)
    assert accuracy >= 97
    for name in ("loss_curve.png", "confusion.png", "misread.png"):
        assert (folder / "here" / name).read_bytes().startswith(b"\x89PNG"), name
    net = cmlp.load("here/model.safetensors")
    assert net.predict(np.zeros((2, 64), np.float32)).shape == (2, 10)
    assert json.loads(net.metadata["cmlp.training"])["test"]["accuracy"] == pytest.approx(
        accuracy / 100, abs=1e-4
    )


def test_demo_does_not_depend_on_threads(folder, threads):
    for count in (1, 2):
        good("demo", "--out", count, "--epochs", 2, "--threads", count, "--seed", 5)
    one, two = (cmlp.load(f"{count}/model.safetensors").state_dict() for count in (1, 2))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_the_module_runs_the_same_commands(folder):
    done = subprocess.run([sys.executable, "-m", "cmlp", "info"], capture_output=True, text=True, check=True)
    assert cmlp.__version__ in done.stdout
    done = subprocess.run([sys.executable, "-m", "cmlp", "trian"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "trian" in done.stderr


def test_train_says_what_it_understood_and_how_good_it_is(folder):
    result = train("--target", "buys", "--drop", "price")
    for line in (
        r"people.csv: 240 rows",
        r"city .* category .* \d+ .* 2 values, one 0/1 column each",
        r"income .* number .* \d+ .* median .* scaled by quartiles",
        r"member .* yes/no .* 0/1, scaled by quartiles",
        r"price .* left out",
        r"target 'buys': classification, 2 classes",
        r"3 networks of .* -> 32 selu -> 2 outputs",
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
    from_csv = cmlp.load(MODEL).net_.state_dict()
    people().to_parquet("people.parquet")
    good("train", "people.parquet", "--hidden", "32", "--lr", "0.01", "--epochs", "60", "--target", "buys")
    from_parquet = cmlp.load(MODEL).net_.state_dict()
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
    assert "3 of them ended early: no improvement" in result.output
    assert record()["training"]["best_epoch"] < record()["training"]["epochs"] < 256
    result = good("train", "people.csv", "--target", "buys", "--patience", "2", "--preset", "fast")
    assert "(no improvement for 2 epochs)" in result.output
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
    assert ("not better than most frequent class" in result.output) == (accuracy <= 0.9)


def test_predict_classes(folder):
    train("--target", "buys", "--drop", "price")
    result = good("predict", MODEL, "people.csv")
    table = pd.read_csv(io.StringIO(result.stdout))
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
    assert table.column_names == ["price"]
    prices = np.array(table["price"].to_pylist(), float)
    assert np.abs(prices - people()["price"]).mean() < 3


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


def test_info_lists_the_layers_of_an_ensemble(folder):
    train("--target", "buys", "--epochs", "2", "--hidden", "6")
    output = good("info", MODEL).output
    assert "Ensemble of 3 networks, each with" in output
    assert "\\n" not in output
    facts = json.loads(good("info", MODEL, "--json").stdout)["model"]
    places = list(facts["layers"])
    assert places == ["0", *(f"0.0.{k}" for k in range(len(places) - 1))]
    assert facts["layers"][places[-1]].startswith("Linear(in_features=6, out_features=2")
    types = [column["kind"] for column in facts["table"]["columns"]]
    assert set(types) <= {"number", "category", "date", "text", "list", "yes/no"}


def test_info_on_a_model_of_the_library(folder):
    net = cmlp.nn.Sequential(cmlp.nn.Linear(3, 2), seed=0)
    cmlp.save(net, MODEL)
    assert "Linear" in good("info", MODEL).output
    assert record()["table"] is None
    assert record()["training"] == {}
    net.fit(np.eye(3), [0, 1, 0], loss="cross_entropy", epochs=4, metrics=["accuracy"])
    cmlp.save(net, MODEL)
    training = record()["training"]
    assert (training["epochs"], training["best_epoch"], training["ended"]) == (4, 4, "completed")
    assert set(training["last"]) == {"loss", "accuracy"}
    result = run("predict", MODEL, "people.csv")
    assert (result.exit_code, "only models of `cmlp train` do" in result.output) == (1, True)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_info_on_an_estimator(folder):
    model = cmlp.MLPClassifier(hidden_layer_sizes=(3,), max_iter=1).fit([[0.0], [1.0]], ["a", "b"])
    cmlp.save(model, MODEL)
    assert "Linear(in_features=1, out_features=3" in good("info", MODEL).output


COMMANDS = ["demo", "train", "predict", "evaluate", "explain", "report", "info", "verify"]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_pages(command):
    page = good(*command.split(), "--help").output
    assert page.startswith("Usage: ")
    assert "\\b" not in page
    assert "\b" not in page


def test_examples_have_a_line_each():
    lines = [line.strip() for line in good("--help").output.splitlines()]
    assert not any(line.endswith("...") for line in lines[1:])
    assert {line.split()[1] for line in lines if line.startswith("cmlp ")} == set(COMMANDS)


def test_help_imports_nothing_heavy():
    heavy = {"pandas", "sklearn", "matplotlib", "pyarrow", "scipy"}
    code = f"import sys, cmlp.cli.app; print({heavy} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def test_version():
    assert cmlp.__version__ in good("--version").output
