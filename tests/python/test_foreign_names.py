"""Names of other libraries: every row of the table leads to a name that exists, and the errors say it."""

from __future__ import annotations

import pytest

import cmlp
from cmlp._foreign_names import advice, our_name, unknown
from cmlp._foreign_table import NAMES

LISTS = {
    "activation": cmlp.activations,
    "loss": cmlp.losses,
    "metric": cmlp.metrics,
    "optimizer": cmlp.optimizers,
    "initializer": cmlp.initializers,
}
FULL_BATCH = {"lbfgs", "levenberg_marquardt"}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in LISTS for name in NAMES[kind]])
def test_names_lead_to_names_that_exist(kind, name):
    own = our_name(kind, name)
    known = {*LISTS[kind](), *(FULL_BATCH if kind == "optimizer" else ()), "step"}
    assert own is None or own in known
    assert name not in LISTS[kind](), "a name of cmlp's own is not foreign"


def test_an_unknown_name_is_answered_with_ours():
    text = unknown("loss", "categorical_crossentropy", ["cross_entropy"], "fit: ")
    assert text.startswith("fit: unknown loss 'categorical_crossentropy'; Use 'cross_entropy'")
    assert unknown("loss", "nonsense", ["mse"]) == "unknown loss 'nonsense'; choose from mse"
    assert unknown("metric", "AUC", ["auc"]) == "unknown metric 'AUC'; did you mean 'auc'?; choose from auc"
    assert unknown("metric", 3, ["auc"]) == "unknown metric 3; choose from auc"
    assert advice("module", "no such thing") == ""
