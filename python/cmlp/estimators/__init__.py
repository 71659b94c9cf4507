"""scikit-learn's MLPs over the core, one or many at a time, an autoencoder, quantiles, the perceptron."""

from __future__ import annotations

from cmlp.estimators.autoencoder import MLPTransformer
from cmlp.estimators.classifier import MLPClassifier
from cmlp.estimators.ensembles import MLPEnsembleClassifier, MLPEnsembleRegressor
from cmlp.estimators.many_fits import fit_many
from cmlp.estimators.onnx import register_onnx
from cmlp.estimators.perceptron import Perceptron
from cmlp.estimators.quantiles import QuantileMLPRegressor
from cmlp.estimators.regressor import MLPRegressor
from cmlp.estimators.results import Fit, ManyFits
from cmlp.estimators.scaling import ScaleWarning

__all__ = [
    "Fit",
    "MLPClassifier",
    "MLPEnsembleClassifier",
    "MLPEnsembleRegressor",
    "MLPRegressor",
    "MLPTransformer",
    "ManyFits",
    "Perceptron",
    "QuantileMLPRegressor",
    "ScaleWarning",
    "fit_many",
    "register_onnx",
]


def __dir__() -> list[str]:
    return sorted(__all__)
