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


def test_an_unknown_name_gives_an_error_with_our_name():
    text = unknown("loss", "categorical_crossentropy", ["cross_entropy"], "fit: ")
    assert text.startswith("fit: unknown loss 'categorical_crossentropy'; Use 'cross_entropy'")
    assert unknown("loss", "nonsense", ["mse"]) == "unknown loss 'nonsense'; choose from mse"
    assert unknown("metric", "AUC", ["auc"]) == "unknown metric 'AUC'; did you mean 'auc'?; choose from auc"
    assert unknown("metric", 3, ["auc"]) == "unknown metric 3; choose from auc"
    assert advice("module", "no such thing") == ""


ARGUMENTS = [
    (function, name)
    for function in ("fit", "predict", "evaluate", "train_step")
    for name in NAMES[f"{function} argument"]
]


@pytest.mark.parametrize(("function", "name"), [*ARGUMENTS, ("fit", "nonsense"), ("predict", "nonsense")])
def test_an_argument_of_another_library_gives_an_error_with_our_name(function, name):
    net = cmlp.nn.Sequential(cmlp.nn.Linear(1, 1))
    fixed = {
        "fit": ([[0.0]], [1.0]),
        "predict": ([[0.0]],),
        "evaluate": ([[0.0]], [1.0]),
        "train_step": ([[0.0]], [1.0], cmlp.nn.MSELoss(), cmlp.optim.SGD(net.parameters())),
    }
    options = {"loss": "mse"} if function in ("fit", "evaluate") else {}
    with pytest.raises(TypeError) as caught:
        getattr(net, function)(*fixed[function], **options, **{name: 1})
    hint = advice(f"{function} argument", name)
    assert str(caught.value).startswith(f"{function}() got an unexpected keyword argument '{name}'")
    assert str(caught.value).endswith(hint)
    assert bool(hint) == (name != "nonsense")


@pytest.mark.parametrize("kind", ["EarlyStopping", "Checkpoint"])
def test_an_argument_of_other_callbacks_gives_an_error_with_our_name(kind):
    fixed = ("net.safetensors",) if kind == "Checkpoint" else ()
    for name in (*NAMES[f"{kind} argument"], "nonsense"):
        with pytest.raises(TypeError) as caught:
            getattr(cmlp, kind)(*fixed, **{name: 1})
        start = f"{kind}() got an unexpected keyword argument '{name}'"
        hint = advice(f"{kind} argument", name)
        assert str(caught.value) == (f"{start}; {hint}" if hint else start)


ESTIMATORS = {
    "MLPClassifier": cmlp.MLPClassifier,
    "MLPRegressor": cmlp.MLPRegressor,
    "QuantileMLPRegressor": cmlp.estimators.QuantileMLPRegressor,
    "MLPTransformer": cmlp.estimators.MLPTransformer,
    "MLPEnsembleClassifier": cmlp.estimators.MLPEnsembleClassifier,
    "MLPEnsembleRegressor": cmlp.estimators.MLPEnsembleRegressor,
    "TabularClassifier": cmlp.TabularClassifier,
    "TabularRegressor": cmlp.TabularRegressor,
}


@pytest.mark.parametrize("cls", ESTIMATORS.values(), ids=ESTIMATORS)
def test_an_argument_of_another_library_gives_an_error_with_the_estimators_name(cls):
    own = cls._get_param_names()
    for name in {*NAMES["estimator argument"], "nonsense"} - set(own):
        with pytest.raises(TypeError) as caught:
            cls(**{name: 1})
        text = str(caught.value)
        assert text.startswith(f"{cls.__name__}() got an unexpected keyword argument '{name}'")
        leads_to = our_name("estimator argument", name) if name != "nonsense" else ""
        if leads_to in own:
            assert text.endswith(f"; cmlp calls it '{leads_to}'")
        elif leads_to:
            assert "cmlp calls it" not in text
    assert own == cls(**cls().get_params())._get_param_names()


def test_each_name_for_an_argument_is_one_of_an_estimator():
    known = {name for cls in ESTIMATORS.values() for name in cls._get_param_names()}
    for name in NAMES["estimator argument"]:
        own = our_name("estimator argument", name)
        assert own is None or own in known
        assert name not in cmlp.MLPClassifier._get_param_names()


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("lr", "cmlp calls it 'learning_rate_init'"),
        ("batch", "cmlp calls it 'batch_size'"),
        ("verbos", "did you mean 'verbose'?"),
        ("eval_set", "Give it to fit: fit(X, y, eval_set=(X_val, y_val))"),
        ("nonsense", "argument 'nonsense'"),
    ],
)
def test_an_unknown_argument_of_an_estimator(name, end):
    with pytest.raises(TypeError, match=r"MLPClassifier\(\) got an unexpected keyword") as caught:
        cmlp.MLPClassifier(**{name: 1})
    assert str(caught.value).endswith(end)
