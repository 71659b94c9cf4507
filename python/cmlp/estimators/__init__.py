"""scikit-learn's MLPs over the core, with what their users asked for, and the perceptron as an estimator."""

from __future__ import annotations

from cmlp.estimators.classifier import MLPClassifier
from cmlp.estimators.perceptron import Perceptron
from cmlp.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "Perceptron"]
