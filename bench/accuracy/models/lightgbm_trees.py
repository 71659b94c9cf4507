"""LightGBM with its defaults, 1000 trees at most, stopped by the validation rows."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from bench.accuracy.models.predictor import predictor
from bench.accuracy.protocol import Split
from bench.accuracy.sets import Table

TREES, PATIENCE = 1000, 50


def load() -> None:
    """Import it."""
    import lightgbm  # noqa: F401


def fit(table: Table, split: Split, seed: int, threads: int) -> Callable[[pd.DataFrame], np.ndarray]:
    """Fit the training rows."""
    from lightgbm import LGBMClassifier, LGBMRegressor, early_stopping

    kind = LGBMRegressor if table.task == "regression" else LGBMClassifier
    model = kind(n_estimators=TREES, n_jobs=threads, random_state=seed, verbose=-1)
    X, y, held_out = table.X, table.codes, split.validation
    model.fit(
        X.iloc[split.train], y[split.train], eval_X=(X.iloc[held_out],), eval_y=(y[held_out],),
        callbacks=[early_stopping(PATIENCE, verbose=False)],
    )  # fmt: skip
    return predictor(model, table, np.arange(table.classes))
