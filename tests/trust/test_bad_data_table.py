"""Each row of docs/bad-data.md holds for a network, an estimator and a tabular estimator."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import cmlp
from bad_data import PAGE, ROWS, Refused, page
from cmlp import nn

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
CASES = [pytest.param(row, id=row.says, marks=[pytest.mark.slow] * row.slow) for row in ROWS]


def of_network(row, x, y):
    net = nn.Sequential(nn.Linear(x.shape[1], 8), nn.ReLU(), nn.Linear(8, row.classes or 1), seed=0)
    loss, batch = "cross_entropy" if row.classes else "mse", 1024 if row.slow else 32

    def call():
        net.fit(x, y, loss=loss, epochs=1 if row.slow else 3, batch_size=batch, verbose=False)
        return net.predict(x[:100])

    return call, net


def of_estimator(row, x, y):
    few = {"max_iter": 1, "batch_size": 1024} if row.slow else {"max_iter": 3}
    kind = cmlp.MLPClassifier if row.classes else cmlp.MLPRegressor
    return predicted(kind(hidden_layer_sizes=(8,), random_state=0, **few), row, x, y), None


def of_tabular(row, x, y):
    table = x if hasattr(x, "tocsr") else pd.DataFrame(x, columns=[f"c{i}" for i in range(x.shape[1])])
    kind = cmlp.TabularClassifier if row.classes else cmlp.TabularRegressor
    return predicted(kind(preset="fast", random_state=0), row, table, y), None


def predicted(model, row, x, y):
    def call():
        model.fit(x, y)
        return model.predict_proba(x[:100]) if row.classes else model.predict(x[:100])

    return call


KINDS = {"network": of_network, "estimator": of_estimator, "tabular": of_tabular}


def unchanged_or_finite(row, kind, outcome):
    """A network that refused its data has its weights, after an overflow those of its last finite step."""
    if kind != "network" or row.says == "no columns":
        return
    call, net = of_network(row, *row.data())
    before = [value.copy() for value in net.state_dict().values()]
    with pytest.raises(Exception, match=re.escape(outcome.words)):
        call()
    after = list(net.state_dict().values())
    assert all(np.isfinite(value).all() for value in after)
    if outcome.error == "ValueError":
        assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", CASES)
def test_what_happens(row, kind, record_property):
    outcome = getattr(row, kind)
    if isinstance(outcome, Refused):
        with pytest.raises(Exception) as raised:
            KINDS[kind](row, *row.data())[0]()
        assert type(raised.value).__name__ == outcome.error
        assert outcome.words in str(raised.value)
        unchanged_or_finite(row, kind, outcome)
    else:
        assert np.isfinite(np.asarray(KINDS[kind](row, *row.data())[0](), dtype=float)).all()
    record_property("cases of bad data", 1)


def test_the_page_is_that_of_the_rows():
    assert PAGE.read_text(encoding="utf-8") == page(), "run python tests/trust/bad_data.py"
