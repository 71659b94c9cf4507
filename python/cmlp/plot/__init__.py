"""Plots of trainings, networks and predictions; each returns matplotlib's Axes. Needs ``cmlp[plot]``."""

from __future__ import annotations

import sys

from cmlp._arguments import check_arguments
from cmlp.plot.curves import LiveCurves, loss_curve, score_curve
from cmlp.plot.layers import activation_histograms, gradient_flow, weights
from cmlp.plot.predictions import (
    calibration_curve,
    confusion_matrix,
    decision_boundary,
    permutation_importance,
)

__all__ = [
    "LiveCurves",
    "activation_histograms",
    "calibration_curve",
    "confusion_matrix",
    "decision_boundary",
    "gradient_flow",
    "loss_curve",
    "permutation_importance",
    "score_curve",
    "weights",
]


def __dir__() -> list[str]:
    return sorted(__all__)


check_arguments(sys.modules[__name__])
