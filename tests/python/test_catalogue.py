"""The catalogue on the command line: every row of every list, for people and for programs."""

from __future__ import annotations

import inspect
import json

import pytest

import cmlp
from cmlp import _core, nn, optim
from cmlp.catalogue import KINDS, catalogue

pytest.importorskip("click")
pytest.importorskip("rich")

LISTS = {kind: table for kind, (table, *_) in KINDS.items() if table is not None}


def run(*arguments: str):
    from click.testing import CliRunner

    from cmlp.cli.app import app

    return CliRunner().invoke(app, ["info", *arguments], env={"COLUMNS": "400"})


@pytest.mark.parametrize("kind", LISTS)
def test_every_row_of_the_lists_is_there(kind):
    names = [row["name"] for row in getattr(_core, LISTS[kind])()]
    assert [row["name"] for row in catalogue(kind)][: len(names)] == names
    if hasattr(cmlp, LISTS[kind]):
        assert getattr(cmlp, LISTS[kind])() == names


@pytest.mark.parametrize("home", [nn, optim, optim.lr_scheduler])
def test_every_public_class_is_there(home):
    """But the frames that rows fill in."""
    frames = {"Module", "Parameter", "Sequential", "Activation", "Loss", "Optimizer", "LRScheduler"}
    public = {name for name in home.__all__ if inspect.isclass(getattr(home, name))}
    assert public - frames <= {row["type"] for row in catalogue()}


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
        assert all(row[key] in result.output for key in ("name", "type", "bound"))


def test_a_model_is_refused_beside_it():
    assert "takes no MODEL" in run("--catalogue", "model.safetensors").output
