"""In one process with PyTorch, scikit-learn or LightGBM, imported in either order, training in turn."""

from __future__ import annotations

import importlib.util

import pytest

import fresh

OURS = """
import cmlp
def ours():
    net = cmlp.nn.Sequential(cmlp.nn.Linear(40, 128), cmlp.nn.ReLU(), cmlp.nn.Linear(128, 5), seed=1)
    net.fit(x, y, loss="cross_entropy", epochs=2, batch_size=200, verbose=False)
    return net.predict(x).tobytes().hex()
"""
# What each trains, as a function that returns its result as text: equal in a process of its own.
OTHERS = {
    "torch": """
import torch
def theirs():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(40, 128), torch.nn.ReLU(), torch.nn.Linear(128, 5))
    adam = torch.optim.Adam(net.parameters())
    for _ in range(5):
        adam.zero_grad()
        torch.nn.functional.cross_entropy(net(torch.tensor(x)), torch.tensor(y)).backward()
        adam.step()
    return net(torch.tensor(x)).detach().numpy().round(4).tobytes().hex()
""",
    "sklearn": """
from sklearn.ensemble import HistGradientBoostingClassifier
def theirs():
    model = HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(x, y)
    return model.predict_proba(x).round(6).tobytes().hex()
""",
    "lightgbm": """
import warnings
import lightgbm
def theirs():
    settings = {"objective": "multiclass", "num_class": 5, "verbose": -1, "num_threads": 2}
    trained = lightgbm.train(settings, lightgbm.Dataset(x, y), 5)
    return trained.predict(x).round(6).tobytes().hex()
""",
}
SETUP = """
import hashlib, json
import numpy as np
rng = np.random.default_rng(0)
x, y = rng.normal(size=(600, 40)).astype("float32"), rng.integers(0, 5, 600)
"""
CALLS = {"ours": "ours()", "theirs": "theirs()"}


def run(code, calls):
    """Return the results of calls in a new process."""
    return fresh.result(SETUP + code + f"print(json.dumps([{', '.join(CALLS[name] for name in calls)}]))")


@pytest.mark.parametrize("first", ["ours", "theirs"])
@pytest.mark.parametrize("name", OTHERS)
def test_training_in_turn_gives_the_results_of_a_process_alone(name, first, record_property):
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    (ours,), (theirs,) = run(OURS, ["ours"]), run(OTHERS[name], ["theirs"])
    code = OURS + OTHERS[name] if first == "ours" else OTHERS[name] + OURS
    second = "theirs" if first == "ours" else "ours"
    turns = [first, second] * 2
    assert run(code, turns) == [{"ours": ours, "theirs": theirs}[turn] for turn in turns]
    record_property("beside", name)
