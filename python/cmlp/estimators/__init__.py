"""scikit-learn's MLPClassifier and MLPRegressor over the core, with what their users asked for."""

from __future__ import annotations

from cmlp.estimators.classifier import MLPClassifier
from cmlp.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
