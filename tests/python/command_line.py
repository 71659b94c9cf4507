"""What the tests of the command line share: a small table of people, and ways to run a command on it."""

import json

import numpy as np
import pandas as pd
from click.testing import CliRunner

from cmlp.cli.app import app

ROWS = 240
MODEL = "model.safetensors"


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


def check_data_error(result, message):
    assert message in result.output
    assert result.exit_code == 1
    lines = result.stderr.strip().splitlines()
    assert [line for line in lines if line.startswith("cmlp: ")] == [lines[-1]]
    assert "Traceback" not in result.output
