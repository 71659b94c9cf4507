"""What a fitted model predicts, as the scores need it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from bench.accuracy.sets import Table


def predictor(model: Any, table: Table, classes: np.ndarray) -> Callable[[pd.DataFrame], np.ndarray]:
    """Return a function of rows: predictions (rows,), or probabilities (rows, classes).

    classes: (classes,) sorted, as the model was fitted with; a class that its rows lacked has probability 0.
    """
    if table.task == "regression":
        return model.predict
    places = class_places(model.classes_, classes)

    def probabilities(X: pd.DataFrame) -> np.ndarray:
        full = np.zeros((len(X), len(classes)))
        full[:, places] = model.predict_proba(X)
        return full

    return probabilities


def class_places(found: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return for each class of the model its place among the sorted classes; ValueError if it has none."""
    places = {str(label): at for at, label in enumerate(classes)}
    names = [str(label) for label in found]
    if strange := [name for name in names if name not in places]:
        raise ValueError(f"classes_ has {strange[0]!r}, which is no class of the target")
    return np.array([places[name] for name in names])
