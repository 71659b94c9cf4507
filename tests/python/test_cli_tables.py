"""The command line on tables as people have them: its options, and the commands on a trained model."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest

import cmlp
from cmlp.cli.explain import importances
from cmlp.cli.predict import known_targets
from cmlp.tabular import read_table
from cmlp.tabular.results import score
from command_line import MODEL, good, people, record, run, train


@pytest.fixture
def model(folder):
    train("--target", "buys", "--drop", "price")


@pytest.fixture
def prices(folder):
    train("--target", "price", "--drop", "buys", "--epochs", "80")


def test_columns_in_doubt_are_marked_and_can_be_overruled(folder):
    frame = people().assign(code=[f"K{k}" for k in range(240)], income=people()["income"].astype(object))
    frame.loc[3, "income"] = "see note"
    frame.to_csv("people.csv", index=False)
    output = train("--target", "buys").output
    assert "column 'income': 1 cells are no numbers ('see note' ...): taken as missing" in output
    assert "an identifier: " in output
    assert '--column "NAME=TYPE" takes it as' in output
    assert (
        "pieces of 3 to 5 letters"
        in train("--target", "buys", "--column", "code=text", "--epochs", "1").output
    )


@pytest.mark.parametrize("kind", ["number", "yes/no", "category", "date"])
def test_the_example_of_a_column_has_a_value(folder, kind):
    cells = {"number": ["17 kg", "18 kg"], "yes/no": ["yes", "no"], "category": ["red", "blue"]}
    cells["date"] = ["3/12/2021", "4/12/2021"]
    frame = people().assign(mark=["", *cells[kind] * 120][:240])
    frame.to_csv("people.csv", index=False)
    row = next(
        line for line in train("--target", "buys", "--epochs", "1").output.splitlines() if "mark" in line
    )
    assert [cell.strip() for cell in row.split("│")][3:6] == [kind, "1", cells[kind][0]]


def test_f1_says_of_which_class(folder):
    output = train("--target", "buys", "--drop", "price", "--epochs", "2").output
    label = re.search("F1 of '(yes|no)'", output)[0]
    assert label in good("evaluate", MODEL, "people.csv").output
    assert label in good("predict", MODEL, "people.csv", "--out", "p.csv").output


def test_leaks_are_warned_about(folder):
    people().assign(bought=(people()["buys"] == "yes") * 1).to_csv("people.csv", index=False)
    assert "column 'bought' alone predicts the target" in train("--target", "buys", "--epochs", "2").output


@pytest.mark.parametrize(
    "options",
    [
        "--test people.csv",
        "--cv 3",
        "--weights income",
        "--group city",
        "--time age",
        "--time-limit 5",
        "--metric AUC",
        "--class-weight balanced",
        "--preset fast",
        "--missing Oslo",
        "--column age=category",
        "--group city --column city=category",
        "--weights income --drop income",
    ],
)
def test_options(folder, options):
    people().fillna({"income": 1.0}).to_csv("people.csv", index=False)
    good("train", "people.csv", "--target", "buys", "--epochs", "2", *options.split())
    good("predict", MODEL, "people.csv")


def test_words_for_missing_leave_rows_out(folder):
    people().replace({"buys": {"no": "NA"}}).to_csv("people.csv", index=False)
    output = train("--target", "buys", "--epochs", "2").output
    assert "target 'buys': NA is a class; --missing NA leaves such rows out" in output
    assert record()["table"]["classes"] == ["NA", "yes"]


def test_integers_beyond_2_53_stay_exact(folder):
    big = 2**62 + 1
    frame = people()[["age", "city"]].assign(buys=np.where(people()["buys"] == "yes", big, big - 1))
    frame.to_csv("people.csv", index=False)
    train("--target", "buys", "--epochs", "2")
    assert record()["table"]["classes"] == [big - 1, big]
    table = pd.read_csv(io.StringIO(good("predict", MODEL, "people.csv").stdout))
    assert set(table["buys"]) <= {big - 1, big}


def test_a_pipe_and_several_files(folder, monkeypatch):
    people()[:120].to_csv("one.csv", index=False)
    people()[120:].to_csv("two.csv", index=False)
    result = good("train", "one.csv", "two.csv", "--target", "buys", "--epochs", "2")
    assert "2 files: 240 rows" in result.output


def test_an_unparted_header_is_explained(folder):
    (folder / "t.csv").write_text("a;y\n")
    (folder / "t.csv").write_text('"a;y"\n"1;2"\n"2;3"\n')
    result = run("train", "t.csv", "--target", "y")
    assert "there is no column 'y' (it looks like several columns separated by ';')" in result.output


def test_progress_in_a_file_is_a_line_now_and_then(folder):
    lines = [line for line in train("--target", "buys").stderr.splitlines() if line.startswith("epoch ")]
    assert lines[0].startswith("epoch 1/180  loss ")
    assert 1 < len(lines) <= 12


PREDICTIONS = {
    "": ["buys", "probability_no", "probability_yes"],
    "--class": ["buys"],
    "--proba": ["probability_no", "probability_yes"],
    "--id age --id city --class": ["age", "city", "buys"],
}


@pytest.mark.parametrize("options", PREDICTIONS)
def test_predictions_of_classes(model, options):
    result = good("predict", MODEL, "people.csv", *options.split())
    assert list(pd.read_csv(io.StringIO(result.stdout)).columns) == PREDICTIONS[options]


def test_quantiles(prices):
    result = good("predict", MODEL, "people.csv", "--quantiles", "0.1,0.5,0.9")
    table = pd.read_csv(io.StringIO(result.stdout))
    assert list(table.columns) == ["price", "price_q0.1", "price_q0.5", "price_q0.9"]
    below = [np.mean(people()["price"] <= table[name]) for name in table.columns[1:]]
    assert below == sorted(below)
    assert below == pytest.approx([0.1, 0.5, 0.9], abs=0.25)


def test_predictions_are_the_same_in_pieces(model, monkeypatch):
    want = good("predict", MODEL, "people.csv").stdout
    monkeypatch.setattr("cmlp.tabular.reading.batches.PIECE", 1 << 11)
    assert good("predict", MODEL, "people.csv").stdout == want


def test_cells_that_cannot_be_read_are_counted(model):
    frame = people().astype({"age": object})
    frame.loc[4, "age"], frame.loc[5, "city"] = "old", "Bonn"
    frame.to_csv("new.csv", index=False)
    assert "column 'age': 1 cells are no numbers ('old' at row 5)" in good("predict", MODEL, "new.csv").stderr


def test_evaluate(model, prices):
    train("--target", "buys", "--drop", "price")
    output = good("evaluate", MODEL, "people.csv").output
    for words in ("95 % interval", "accuracy", "AUC", "Confusion", "Calibration", "log loss"):
        assert words in output
    facts = json.loads(good("evaluate", MODEL, "people.csv", "--json").stdout)
    assert np.sum(facts["confusion"]) == facts["rows"] == 240
    low, high = facts["intervals"]["accuracy"]
    assert low <= facts["scores"]["accuracy"] <= high


def test_evaluate_a_quantity(prices):
    output = good("evaluate", MODEL, "people.csv").output
    for words in ("RMSE", "R2", "Worst rows"):
        assert words in output
    people().drop(columns="price").to_csv("new.csv", index=False)
    assert "there is no column 'price'" in run("evaluate", MODEL, "new.csv").output


@pytest.mark.parametrize("target", ["buys", "price"])
def test_explain_finds_the_columns_that_matter(folder, target):
    train("--target", target, "--drop", "price" if target == "buys" else "buys")
    output = good("explain", MODEL, "people.csv", "--out", "e.png").output
    assert output.index("age") < output.index("income")
    assert (folder / "e.png").read_bytes().startswith(b"\x89PNG")


def test_explain_where_the_target_is_empty(model):
    people().assign(buys=None).to_csv("new.csv", index=False)
    assert "mean move of the network's" in good("explain", MODEL, "new.csv").output


@pytest.mark.parametrize("options", ["--drop note", "--column note=text"], ids=["dense", "sparse"])
def test_importances_are_those_of_shuffled_cells(folder, options):
    people().assign(note=[f"word{k} of {k % 7}" for k in range(240)]).to_csv("people.csv", index=False)
    train("--target", "price", "--epochs", "2", *options.split())
    model, table, rng = cmlp.load(MODEL), read_table("people.csv"), np.random.default_rng(0)
    found = {item.name: item.drop for item in importances(model, table)}
    _, y = known_targets(model.target_, table)

    def rmse(table):
        return score(model.target_, y, model.net_.predict(model.encoder_.encode(table)[0]))["RMSE"]

    for column in model.encoder_.columns_:
        at = table.column_names.index(column.name)
        mixed = [table.column(at).take(rng.permutation(len(table))) for _ in range(3)]
        drops = [rmse(table.set_column(at, column.name, cells)) - rmse(table) for cells in mixed]
        assert found[column.name] == pytest.approx(np.mean(drops), abs=1e-12)


@pytest.mark.parametrize("target", ["buys", "price"])
def test_report_is_one_page(folder, target):
    train("--target", target, "--drop", "price" if target == "buys" else "buys")
    good("report", MODEL, "people.csv", "--out", "r.html")
    page = (folder / "r.html").read_text()
    assert page.startswith("<!doctype html>")
    assert page.count("data:image/png;base64,") == 2
    for words in ("Scores", "Columns that matter", "Worst rows", "Training", "What the model reads"):
        assert words in page
    assert "http" not in re.sub("base64,[^']*", "", page).replace("http-equiv", "")
    assert ("Confusion" in page) == (target == "buys")


def test_text_from_files_is_printed_escaped(folder):
    evil = "city\x1b[2Jx"
    frame = (
        people().rename(columns={"city": evil}).assign(buys=np.where(people()["age"] > 45, "y\x1b[1m", "n"))
    )
    frame.to_csv("p\x1bq.csv", index=False)
    pages = [
        good("train", "p\x1bq.csv", "--target", "buys", "--epochs", "2"),
        good("info", MODEL),
        good("evaluate", MODEL, "p\x1bq.csv"),
        good("explain", MODEL, "p\x1bq.csv"),
        run("predict", MODEL, "people.csv"),
        run("train", "p\x1bq.csv", "--target", "nope\x1b"),
    ]
    for page in pages:
        assert "\x1b" not in page.output
    assert "city\\x1b[2Jx" in pages[0].output
    good("report", MODEL, "p\x1bq.csv")
    assert "\x1b" not in (folder / "report.html").read_text()
    assert isinstance(cmlp.load(MODEL), cmlp.TabularClassifier)


BAD_USAGE = {
    "--column age": "--column 'age': give a column and its type, such as Income=number",
    "--column age=float": "unknown type 'float'; choose from number, category, date, duration",
    "--column agee=number": "there is no column 'agee' (did you mean 'age'?)",
    "--metric RMSE": "unknown metric 'RMSE'; choose from accuracy",
    "--cv 1": "1 is not in the range x>=2",
    "--weights city": "column 'city' has no numbers and no dates that differ",
    "--time income": "the time at row 1 is missing; each row needs one",
    "--weights income": "the sample weight at row 1 is nan; weights are 0 or more",
    "--column buys=number": "'buys' is the target: --column, --drop and --categorical are for the other",
    "--drop buys": "'buys' is the target",
    "--preset slow": "'slow' is not one of 'fast', 'default', 'best'",
}


@pytest.mark.parametrize("options", BAD_USAGE)
def test_bad_options(folder, options):
    result = run("train", "people.csv", "--target", "buys", *options.split())
    assert BAD_USAGE[options] in result.output
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output


def test_bad_options_of_predict(model):
    assert "the model predicts" not in good("predict", MODEL, "people.csv", "--class").output
    assert (
        "--quantiles '2': give numbers from 0.01 to 0.99"
        in run("predict", MODEL, "people.csv", "--quantiles", "2").output
    )
    assert "--quantiles is for a quantity" in run("predict", MODEL, "people.csv", "--quantiles", "0.5").output
    for name in ("buys", "probability_yes"):
        people().assign(probability_yes=1).to_csv("new.csv", index=False)
        result = run("predict", MODEL, "new.csv", "--id", name)
        assert f"--id '{name}': the predictions have a column of that name" in result.output
        assert result.exit_code == 2
    assert "buys,probability_no" in good("predict", MODEL, "new.csv", "--id", "buys", "--proba").output
    assert "there is no column 'who'" in run("predict", MODEL, "people.csv", "--id", "who").output
