"""scikit-learn's MLP with its defaults, after imputing, scaling and one-hot columns."""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

from bench.accuracy.models.predictor import predictor
from bench.accuracy.protocol import Split
from bench.accuracy.sets import Table


def load() -> None:
    """Import what a fit uses."""
    import sklearn.compose
    import sklearn.impute
    import sklearn.neural_network
    import sklearn.pipeline  # noqa: F401


def preprocessing() -> object:
    """Return what makes columns of numbers of a data frame."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer(
        (numbers, make_column_selector(dtype_exclude="category")),
        (one_hot, make_column_selector(dtype_include="category")),
    )


def fit(table: Table, split: Split, seed: int, threads: int) -> Callable[[pd.DataFrame], np.ndarray]:
    """Fit the rows of training and validation; the threads are those of OPENBLAS_NUM_THREADS."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    regression = table.task == "regression"
    kind = MLPRegressor if regression else MLPClassifier
    model = make_pipeline(preprocessing(), kind(random_state=seed))
    if regression:
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(table.X.iloc[split.known], table.codes[split.known])
    return predictor(model, table, np.arange(table.classes))
