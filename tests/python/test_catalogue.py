"""The catalogue on the command line: every row of every list, for people and for programs."""

from __future__ import annotations

import json

import pytest

import cmlp
from cmlp.catalogue import KINDS, catalogue

pytest.importorskip("click")
pytest.importorskip("rich")

LISTS = {kind: table for kind, (table, *_) in KINDS.items() if table not in (None, "functions")}


def run(*arguments: str):
    from click.testing import CliRunner

    from cmlp.cli.app import app

    return CliRunner().invoke(app, ["info", *arguments], env={"COLUMNS": "400"})


@pytest.mark.parametrize("kind", LISTS)
def test_every_row_of_the_lists_is_there(kind):
    assert [row["name"] for row in catalogue(kind)] == getattr(cmlp, LISTS[kind])()


def test_layers_are_classes():
    assert {"Linear", "Dropout", "Softmax"} <= {row["type"] for row in catalogue("layer")}
    assert not {"Sequential", "ReLU"} & {row["type"] for row in catalogue("layer")}


def test_json():
    result = run("--catalogue", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.output) == catalogue()
    assert {row["kind"] for row in json.loads(result.output)} <= set(KINDS)


def test_tables():
    result = run("--catalogue")
    assert result.exit_code == 0, result.output
    for row in catalogue():
        assert row["name"] in result.output


def test_a_model_is_refused_beside_it():
    assert "takes no MODEL" in run("--catalogue", "model.safetensors").output
