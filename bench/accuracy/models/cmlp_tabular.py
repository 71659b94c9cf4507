"""cmlp's tabular estimators on the data frame as it is; they choose their validation rows themselves."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from bench.accuracy.models.predictor import predictor
from bench.accuracy.protocol import Split
from bench.accuracy.sets import Table


def load() -> None:
    """Import what a fit uses, and fit once, so that no time of a first call is counted."""
    from cmlp import TabularRegressor

    X = pd.DataFrame({"x": np.arange(60.0), "kind": pd.Categorical(["a", "b"] * 30)})
    TabularRegressor("fast", epochs=2, n_threads=1).fit(X, np.sqrt(np.arange(60.0)))


def fit(
    table: Table, split: Split, seed: int, threads: int, **settings: Any
) -> Callable[[pd.DataFrame], np.ndarray]:
    """Fit an estimator with a preset and other parameters."""
    from cmlp import TabularClassifier, TabularRegressor

    kind = TabularRegressor if table.task == "regression" else TabularClassifier
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    model = kind(random_state=seed, n_threads=threads, **given)
    model.fit(table.X.iloc[split.known], table.y[split.known])
    return predictor(model, table, np.unique(table.y))
