"""scikit-learn's MLPs over the core, with more, an autoencoder, quantiles, the perceptron."""

from __future__ import annotations

from cmlp.estimators.autoencoder import MLPTransformer
from cmlp.estimators.classifier import MLPClassifier
from cmlp.estimators.ensembles import MLPEnsembleClassifier, MLPEnsembleRegressor
from cmlp.estimators.perceptron import Perceptron
from cmlp.estimators.quantiles import QuantileMLPRegressor
from cmlp.estimators.regressor import MLPRegressor

__all__ = [
    "MLPClassifier",
    "MLPEnsembleClassifier",
    "MLPEnsembleRegressor",
    "MLPRegressor",
    "MLPTransformer",
    "Perceptron",
    "QuantileMLPRegressor",
]
