"""What tabular models refuse, in words: tables, targets and parameters."""

import numpy as np
import pandas as pd
import pytest

from cmlp.tabular import TableError, TabularClassifier, TabularRegressor
from quick import RISING

REFUSALS = {
    "rows": (
        lambda: TabularClassifier().fit({"a": [1, 2]}, ["x"]),
        "the target has 1 values, the table has 2 rows",
    ),
    "preset": (
        lambda: TabularClassifier("slow").fit({"a": [1, 2] * 20}, ["x", "y"] * 20),
        "unknown preset 'slow'",
    ),
    "metric": (
        lambda: TabularRegressor(metric="AUC").fit({"a": [1, 2]}, [1.0, 2.0]),
        "unknown metric 'AUC'; choose from RMSE, MAE, R2",
    ),
    "weights": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], sample_weight=[1]),
        "weights and times have one number a row: got shape (1,) for 2 rows",
    ),
    "groups of another length": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], groups=["x"]),
        "groups have one value a row: got shape (1,) for 2 rows",
    ),
    "a gap in the time": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], time=[1.0, np.nan]),
        "the time at row 2 is missing; each row needs one",
    ),
    "a negative weight": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], sample_weight=[1, -1]),
        "the sample weight at row 2 is -1; weights are 0 or more",
    ),
    "a gap in the weights": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], sample_weight=[np.nan, 1]),
        "the sample weight at row 1 is nan; weights are 0 or more",
    ),
    "no weight": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], sample_weight=[0, 0]),
        "the sample weights are zero in every row",
    ),
    "quantiles out of range": (
        lambda: TabularRegressor("fast", epochs=1).fit({"a": RISING}, RISING).predict({"a": [1.0]}, [1.5]),
        "quantile 1.5 is not between 0 and 1",
    ),
    "quantiles without held-out rows": (
        lambda: (
            TabularRegressor("fast", epochs=1, validation=0)
            .fit({"a": RISING}, RISING)
            .predict({"a": [1.0]}, [0.5])
        ),
        "quantiles need held-out rows; the model was trained without",
    ),
    "an eval_set without a column": (
        lambda: TabularRegressor().fit({"a": [1, 2], "b": [1, 2]}, [1, 2], eval_set=({"a": [1]}, [1])),
        "eval_set lacks columns of X: b",
    ),
    "an eval_set and groups": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1, 2], groups=[0, 1], eval_set=({"a": [1]}, [1])),
        "eval_set says which rows validate: it takes no groups and no time",
    ),
    "no samples": (
        lambda: (
            TabularRegressor("fast", epochs=1).fit({"a": RISING}, RISING).explain({"a": [1.0]}, samples=0)
        ),
        "explain: samples is 0, it must be at least 1",
    ),
    "infinity after rows without a target": (
        lambda: TabularRegressor().fit({"a": [1.0, 2.0, np.inf, 3.0]}, [None, 1.0, 2.0, 3.0]),
        "column 'a' holds inf at row 3",
    ),
    "an infinite target": (
        lambda: TabularRegressor().fit({"a": [1, 2, 3]}, [np.nan, 1.0, np.inf]),
        "column 'y' holds inf at row 3",
    ),
    "words in a quantity": (
        lambda: TabularRegressor().fit({"a": [1, 2, 3]}, ["", "1", "x"]),
        "the first that is not: 'x' at row 3",
    ),
    "quantiles that are one number": (
        lambda: TabularRegressor("fast", epochs=1).fit({"a": RISING}, RISING).predict({"a": [1.0]}, 0.5),
        "quantiles is 0.5, it must be a sequence of numbers",
    ),
    "an eval_set that is no pair": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1, 2], eval_set=[({"a": [1]}, [1])]),
        "eval_set is a pair (X, y); got a list of 1",
    ),
    "an eval_set and cv": (
        lambda: TabularRegressor(cv=2).fit({"a": [1, 2]}, [1, 2], eval_set=({"a": [1]}, [1])),
        "eval_set says which rows validate: it takes no cv",
    ),
    "words for times": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], time=["late", "early"]),
        "time has no numbers and no dates that differ",
    ),
    "a gap in the dates": (
        lambda: TabularRegressor().fit({"a": [1, 2]}, [1.0, 2.0], time=pd.to_datetime(["2020-01-01", None])),
        "the time at row 2 is missing; each row needs one",
    ),
    "one time for all folds": (
        lambda: TabularRegressor(cv=3).fit({"a": RISING}, RISING, time=[1] * 40),
        "too few different times for 3 folds",
    ),
    "more folds in time than rows": (
        lambda: TabularRegressor(cv=5).fit({"a": [1, 2, 3]}, [1.0, 2.0, 4.0], time=[1, 2, 3]),
        "3 rows are too few for 5 folds in time",
    ),
    "a class of weight 0": (
        lambda: TabularClassifier().fit({"a": RISING}, ["x", "y"] * 20, sample_weight=[1, 0] * 20),
        "target 'y' has one class only ('x')",
    ),
    "a weight of no class": (
        lambda: TabularClassifier(class_weight={"z": 2}).fit({"a": RISING}, ["x", "y"] * 20),
        "class_weight has 'z'; the classes are 'x', 'y'",
    ),
    "a negative weight of a class": (
        lambda: TabularClassifier(class_weight={"x": -1}).fit({"a": RISING}, ["x", "y"] * 20),
        "class_weight has -1, it must be finite and at least 0",
    ),
    "a class of eval_set alone": (
        lambda: TabularClassifier("fast", epochs=2).fit(
            {"a": RISING}, ["x", "y"] * 20, eval_set=({"a": RISING}, ["x", "y", "z", "x"] * 10)
        ),
        "eval_set has the class 'z', which no row of X has",
    ),
    "no weight for any class": (
        lambda: TabularClassifier(class_weight={"x": 0, "y": 0}).fit({"a": RISING}, ["x", "y"] * 20),
        "class_weight is 0 for every class",
    ),
    "no folds": (
        lambda: TabularRegressor(cv=[]).fit({"a": RISING}, RISING),
        "cv has no folds, or a fold without training or without held-out rows",
    ),
    "a fold that trains on nothing": (
        lambda: TabularRegressor(cv=[([], [1, 2])]).fit({"a": RISING}, RISING),
        "cv has no folds, or a fold without training or without held-out rows",
    ),
    "a fold of rows that are not there": (
        lambda: TabularRegressor(cv=[([0, 1], [99])]).fit({"a": RISING}, RISING),
        "cv gives pairs of training and held-out row numbers: index 99 is out of bounds",
    ),
    "folds that are no pairs": (
        lambda: TabularRegressor(cv=[1, 2]).fit({"a": RISING}, RISING),
        "cv gives pairs of training and held-out row numbers",
    ),
    "an infinite class": (
        lambda: TabularClassifier().fit({"a": [1, 2, 3]}, [0.0, 1.0, np.inf]),
        "column 'y' holds inf at row 3",
    ),
    "an eval_set without a target": (
        lambda: TabularRegressor().fit({"a": RISING}, RISING, eval_set=({"a": [1]}, [None])),
        "eval_set has no row with a target",
    ),
    "quantiles in words": (
        lambda: TabularRegressor("fast", epochs=1).fit({"a": RISING}, RISING).predict({"a": [1.0]}, ["a"]),
        "quantile 'a' is not between 0 and 1",
    ),
    "half a sample": (
        lambda: (
            TabularRegressor("fast", epochs=1).fit({"a": RISING}, RISING).explain({"a": [1.0]}, samples=2.5)
        ),
        "explain: samples is 2.5, it must be at least 1 and an integer",
    ),
    "no rows to explain": (
        lambda: TabularRegressor("fast", epochs=1).fit({"a": RISING}, RISING).explain({"a": []}),
        "explain: the table has no rows",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name):
    act, message = REFUSALS[name]
    with pytest.raises(TableError) as caught:
        act()
    assert message in str(caught.value)


BAD_PARAMETERS = {
    "preset": ["slow", None, 1],
    "time_limit": [0, -1, "2"],
    "cv": [0, 1, 2.5, "5"],
    "types": [["a"], "number"],
    "metric": ["loss", 5],
    "validation": [1, -0.1, 1.5, None, "0.2"],
    "class_weight": ["uniform", [1, 2]],
    "hidden": [5, "128", (0,), (2.5,), ("a",)],
    "activation": ["rleu", 3],
    "dropout": [1.0, -0.1],
    "optimizer": ["admw", 3],
    "lr": [0, -1, "0.1"],
    "epochs": [0, -1, 2.5],
    "batch_size": [0, -3, 2.5],
    "patience": [-1, 2.5],
    "random_state": [-1, "a", 1.5],
    "n_threads": [0, -1, 2.5],
}


def test_every_parameter_has_a_rule():
    assert set(BAD_PARAMETERS) == set(TabularClassifier().get_params())


@pytest.mark.parametrize("name", BAD_PARAMETERS)
@pytest.mark.parametrize("cls", [TabularClassifier, TabularRegressor])
def test_bad_parameters(cls, name):
    y = ["p", "q"] * 20 if cls is TabularClassifier else RISING
    for value in BAD_PARAMETERS[name]:
        with pytest.raises(TableError, match=name) as caught:
            cls(**{"preset": "fast", "epochs": 1, name: value}).fit({"a": RISING}, y)
        assert repr(value) in str(caught.value)
