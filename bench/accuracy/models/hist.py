"""scikit-learn's HistGradientBoosting with its defaults, 1000 trees at most, stopped by validation rows."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from bench.accuracy.models.predictor import predictor
from bench.accuracy.protocol import Split
from bench.accuracy.sets import Table

TREES, CATEGORIES = 1000, 255  # more categories in a column are refused


def load() -> None:
    """Import it."""
    import sklearn.ensemble  # noqa: F401


def limited(X: pd.DataFrame) -> pd.DataFrame:
    """Return X with the codes of columns that have too many categories as numbers."""
    X = X.copy()
    for name in X.select_dtypes("category"):
        if len(X[name].cat.categories) >= CATEGORIES:
            X[name] = X[name].cat.codes.replace(-1, np.nan).astype(float)
    return X


def fit(table: Table, split: Split, seed: int, threads: int) -> Callable[[pd.DataFrame], np.ndarray]:
    """Fit the training rows; the threads are those of OMP_NUM_THREADS."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingRegressor if table.task == "regression" else HistGradientBoostingClassifier
    model = kind(max_iter=TREES, early_stopping=True, random_state=seed)
    X, y, held_out = limited(table.X), table.codes, split.validation
    model.fit(X.iloc[split.train], y[split.train], X_val=X.iloc[held_out], y_val=y[held_out])
    predict = predictor(model, table, np.arange(table.classes))
    return lambda rows: predict(limited(rows))
