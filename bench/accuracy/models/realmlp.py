"""RealMLP-TD of pytabkit with its defaults, its best epoch chosen by the validation rows."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from bench.accuracy.models.predictor import predictor
from bench.accuracy.protocol import Split
from bench.accuracy.sets import Table


def load() -> None:
    """Import it."""
    import pytabkit  # noqa: F401


def fit(table: Table, split: Split, seed: int, threads: int) -> Callable[[pd.DataFrame], np.ndarray]:
    """Fit the training rows."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    kind = RealMLP_TD_Regressor if table.task == "regression" else RealMLP_TD_Classifier
    model = kind(device="cpu", random_state=seed, n_threads=threads)
    X, y, held_out = table.X, table.codes, split.validation
    model.fit(X.iloc[split.train], y[split.train], X_val=X.iloc[held_out], y_val=y[held_out])
    return predictor(model, table, np.arange(table.classes))
