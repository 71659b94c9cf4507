"""No text from a file acts on the terminal or in the HTML report: a corpus of such texts in every place."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cmlp
from cmlp import nn
from command_line import MODEL, run
from hostile import TEXTS, acting, strange_in
from model_file import header_of, with_header

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("folder")]
FAST = ("--preset", "fast", "--epochs", "2", "--hidden", "4")
ROWS = 60
# A file of text cannot hold these.
UNWRITABLE = ("surrogates",)


def checked(result):
    """Return what a command printed, none of which acts."""
    assert acting(result.output) == set()
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result


def refusal(path):
    """Return why a file is refused, nothing if it is not."""
    try:
        cmlp.load(path)
    except ValueError as error:
        return str(error)
    return ""


def table(name, texts, target="y"):
    """Write a table with texts as names of columns, categories, labels and words in a column of numbers."""
    rng = np.random.default_rng(0)
    with open(name, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["size", "kind", *texts, target])
        for k in range(ROWS):
            size = texts[k % len(texts)] if k % 20 == 7 else f"{rng.normal():.3f}"
            cells = [f"{value:.3f}" for value in rng.normal(size=len(texts))]
            writer.writerow([size, texts[k % len(texts)], *cells, texts[k // 2 % len(texts)]])


IN_TABLES = [text.replace("\r", "") for kind, text in TEXTS.items() if kind not in UNWRITABLE]
ONE = "".join(
    TEXTS[kind][:30] for kind in ("clears the screen", "rich markup", "formula", "turns the order", "markup")
).strip()
COMMANDS = [
    ("info", MODEL), ("info", MODEL, "--json"), ("predict", MODEL, "t.csv", "--out", "p.csv"),
    ("evaluate", MODEL, "t.csv"), ("evaluate", MODEL, "t.csv", "--json"),
    ("explain", MODEL, "t.csv", "--out", "e.png"), ("report", MODEL, "t.csv", "--out", "r.html"),
]  # fmt: skip


def test_every_command_on_hostile_tables(record_property):
    table("t.csv", IN_TABLES, ONE)
    pd.read_csv("t.csv").to_parquet("t.parquet")
    result = checked(run("train", "t.parquet", "--target", ONE, "--test", "t.parquet", *FAST))
    assert result.exit_code == 0, result.output
    for command in COMMANDS:
        command = [part.replace("t.csv", "t.parquet") for part in command]
        assert checked(run(*command)).exit_code == 0
    page = Path("r.html").read_text(encoding="utf-8")
    assert strange_in(page) == []
    assert acting(page) == set()
    record_property("commands on hostile tables", len(COMMANDS) + 1)


def test_a_quantity_with_a_hostile_name():
    table("t.csv", ["plain"])
    Path("t.csv").write_text(Path("t.csv").read_text().replace("size", f'"{ONE}"', 1))
    result = checked(run("train", "t.csv", "--target", ONE, *FAST))
    assert result.exit_code == 0, result.output
    for command in COMMANDS[-2:]:
        assert checked(run(*command)).exit_code == 0
    assert strange_in(Path("r.html").read_text(encoding="utf-8")) == []


def test_hostile_names_of_files():
    table("t.csv", ["plain", "other"])
    name = "".join(text[:12] for text in TEXTS.values()).replace("/", "_").replace("\ud83d", "") + ".csv"
    os.rename("t.csv", name)
    assert checked(run("train", name, "--target", "y", *FAST)).exit_code == 0
    for command in (
        ("info", MODEL),
        ("evaluate", MODEL, name),
        ("report", MODEL, name, "--out", f"{name}.html"),
    ):
        assert checked(run(*command)).exit_code == 0
    assert strange_in(Path(f"{name}.html").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("kind", TEXTS)
def test_hostile_names_of_files_that_are_missing_or_no_models(kind):
    name = TEXTS[kind].replace("/", "_").replace("\ud83d", "")[:200]
    Path(f"x{name}").write_text("nothing")
    for command in ("info", f"x{name}"), ("train", f"y{name}", "--target", "y"), (name,), (f"--{name}",):
        assert checked(run(*command)).exit_code != 0


def test_the_demonstration_in_a_folder_with_a_hostile_name():
    folder = "".join(text[:9] for kind, text in TEXTS.items() if kind not in UNWRITABLE).replace("/", "_")
    result = checked(run("demo", "--out", folder, "--epochs", "1"))
    assert result.exit_code == 0, result.output
    assert len(list(Path(folder).iterdir())) == 4
    assert checked(run("info", f"{folder}/{MODEL}")).exit_code == 0


@pytest.mark.parametrize("kind", TEXTS)
def test_hostile_options_of_the_demonstration(kind):
    name = TEXTS[kind].replace("/", "_").replace("\ud83d", "")[:200]
    Path(f"x{name}").write_text("nothing")
    assert checked(run("demo", "--out", f"x{name}")).exit_code != 0
    for option in "--out", "--seed", "--epochs", "--threads":
        checked(run("demo", "--epochs", "1", "--threads", "0", option, TEXTS[kind]))


def test_model_files_whose_name_is_no_utf8():
    table("t.csv", ["plain", "other"])
    for command in ("train", "t.csv", "--target", "y"), ("demo",):
        result = checked(run(*command, "--out", "x\udcff"))
        assert result.exit_code == 2
        assert "no UTF-8" in result.output
    assert sorted(os.listdir()) == ["people.csv", "t.csv"]


@pytest.mark.parametrize("kind", TEXTS)
def test_hostile_options(kind):
    text = TEXTS[kind]
    table("t.csv", ["plain"])
    for option in (
        "--target",
        "--activation",
        "--column",
        "--metric",
        "--preset",
        "--task",
        "--missing",
        "--epochs",
    ):
        checked(run("train", "t.csv", "--target", "y", *FAST, option, text))


@pytest.mark.parametrize("kind", TEXTS)
def test_hostile_text_in_a_model_file(kind, tmp_path):
    text = TEXTS[kind].encode("utf-8", "replace").decode()
    net = nn.Sequential(nn.Linear(2, 2))
    training = {"epochs": text, text: text, "last": {text: text}}
    cmlp.save(net, MODEL, metadata={"note": text, "cmlp.training": json.dumps(training)})
    assert checked(run("info", MODEL)).exit_code == 0
    checked(run("predict", MODEL, "t.csv"))
    path = tmp_path / MODEL
    header, data = header_of(path)
    layers = json.loads(header["__metadata__"]["cmlp"])
    for change in ({"type": text}, {text: text}, {"out_features": text}, {"bias": text}):
        described = {**layers, "layers": [{**layers["layers"][0], **change}]}
        header["__metadata__"]["cmlp"] = json.dumps(described)
        with_header(path, header, data)
        checked(run("info", MODEL))
        assert acting(refusal(path)) == set(), change


@pytest.fixture(scope="module")
def tabular(tmp_path_factory):
    """Return header and data of the file of a model of a table."""
    columns = {"size": [1.5, 2.5, None, 4.0] * 15, "kind": ["a", "b", "a", None] * 15}
    model = cmlp.TabularClassifier(preset="fast", random_state=0, epochs=1).fit(columns, ["u", "v"] * 30)
    path = tmp_path_factory.mktemp("models") / MODEL
    cmlp.save(model, path)
    return header_of(path)


@pytest.mark.parametrize("kind", TEXTS)
def test_hostile_text_where_a_model_file_describes_a_table(kind, tmp_path, tabular):
    text = json.dumps(TEXTS[kind].encode("utf-8", "replace").decode())
    for key in ("cmlp.table", "cmlp.training"):
        for old in ('"kind"', '"u"', '"category"', '"numeric"', '"seconds"'):
            header = json.loads(json.dumps(tabular[0]))
            described = header["__metadata__"].get(key, "{}")
            header["__metadata__"][key] = described.replace(old, text)
            with_header(tmp_path / MODEL, header, tabular[1])
            checked(run("info", MODEL))
