"""Losses against PyTorch: every option, reduction and form of target, and extreme predictions."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from cmlp import nn

torch = pytest.importorskip("torch")
F = torch.nn.functional

REDUCTIONS = ["mean", "sum", "none"]
LIMIT = {"float32": 3e-6, "float64": 1e-10}
WEIGHT = [0.5, 2.0, 0.0, 1.0, 3.0]
# (class, its arguments, what the predictions are, what the targets are)
CASES = [
    ("MSELoss", {}, "real", "real"),
    ("L1Loss", {}, "real", "real"),
    ("SmoothL1Loss", {}, "real", "real"),
    ("SmoothL1Loss", {"beta": 0.0}, "real", "real"),
    ("SmoothL1Loss", {"beta": 2.5}, "real", "real"),
    ("HuberLoss", {}, "real", "real"),
    ("HuberLoss", {"delta": 0.3}, "real", "real"),
    ("BCELoss", {}, "unit", "unit"),
    ("BCEWithLogitsLoss", {}, "real", "unit"),
    ("BCEWithLogitsLoss", {"pos_weight": WEIGHT}, "real", "unit"),
    ("CrossEntropyLoss", {}, "real", "label"),
    ("CrossEntropyLoss", {"weight": WEIGHT}, "real", "label"),
    ("CrossEntropyLoss", {"weight": WEIGHT, "label_smoothing": 0.2}, "real", "label"),
    ("CrossEntropyLoss", {"weight": WEIGHT, "ignore_index": 2}, "real", "label"),
    ("CrossEntropyLoss", {"label_smoothing": 0.2, "ignore_index": 2}, "real", "label"),
    ("CrossEntropyLoss", {}, "real", "share"),
    ("CrossEntropyLoss", {"weight": WEIGHT, "label_smoothing": 0.2}, "real", "share"),
    ("NLLLoss", {}, "log", "label"),
    ("NLLLoss", {"weight": WEIGHT, "ignore_index": 1}, "log", "label"),
    ("KLDivLoss", {}, "log", "share"),
    ("KLDivLoss", {"log_target": True}, "log", "log"),
    ("PoissonNLLLoss", {}, "real", "count"),
    ("PoissonNLLLoss", {"full": True}, "real", "count"),
    ("PoissonNLLLoss", {"log_input": False, "full": True}, "positive", "count"),
    ("PoissonNLLLoss", {"log_input": False, "eps": 0.5}, "positive", "count"),
    ("SoftMarginLoss", {}, "real", "sign"),
    ("MultiMarginLoss", {}, "real", "label"),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": WEIGHT}, "real", "label"),
]
# Where exp overflows or infinities cancel, PyTorch returns inf or NaN: docs/pytorch.md.
LIMITS_KEPT = {"SoftMarginLoss", "BCEWithLogitsLoss"}
KINDS = {
    "real": lambda rng: rng.normal(0, 3, (9, 5)),
    "unit": lambda rng: rng.uniform(size=(9, 5)),
    "positive": lambda rng: rng.uniform(0.1, 4, (9, 5)),
    "share": lambda rng: rng.dirichlet(np.ones(5), 9),
    "log": lambda rng: np.log(rng.dirichlet(np.ones(5), 9)),
    "count": lambda rng: rng.poisson(2, (9, 5)).astype(float),
    "sign": lambda rng: rng.choice([-1.0, 1.0], (9, 5)),
    "label": lambda rng: rng.integers(0, 5, 9),
}


def close(ours, theirs, dtype):
    theirs = np.asarray(theirs.detach(), float)
    limit = LIMIT[dtype]
    np.testing.assert_allclose(ours, theirs, rtol=limit, atol=limit * (1 + abs(theirs).max()))


def compare(name, settings, y, t, dtype):
    """Hold value and gradient against PyTorch's, for the gradient of the sum where nothing is reduced."""
    tensors = {key: torch.tensor(value, dtype=getattr(torch, dtype)) if isinstance(value, list) else value
               for key, value in settings.items()}  # fmt: skip
    criterion, reference = getattr(nn, name)(**settings), getattr(torch.nn, name)(**tensors)
    theirs = torch.tensor(y, requires_grad=True)
    value = reference(theirs, torch.tensor(t))
    value.sum().backward()
    close(criterion(y, t), value, dtype)
    close(criterion.backward(), theirs.grad, dtype)


def cast(values, dtype):
    return values if values.dtype.kind == "i" else values.astype(dtype)


@pytest.mark.filterwarnings("ignore:reduction")  # of KLDivLoss
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("name", "settings", "y", "t"), CASES, ids=lambda value: str(value))
def test_value_and_gradient(name, settings, y, t, reduction, dtype, rng):
    y, t = cast(KINDS[y](rng), dtype), cast(KINDS[t](rng), dtype)
    compare(name, {**settings, "reduction": reduction}, y, t, dtype)


@pytest.mark.parametrize("log_target", [False, True])
def test_batchmean(log_target, dtype, rng):
    y, t = KINDS["log"](rng).astype(dtype), KINDS["log" if log_target else "share"](rng).astype(dtype)
    compare("KLDivLoss", {"reduction": "batchmean", "log_target": log_target}, y, t, dtype)


def extreme_case(name, magnitude, dtype):
    """Predictions of that size and of both signs where they may have them, and two targets for each."""
    _, _, y_kind, t_kind = next(case for case in CASES if case[0] == name)
    y = np.array([[magnitude, -magnitude, 1.0], [-magnitude, magnitude, 0.5]], dtype)
    y = {"unit": np.clip(abs(y), 0, 1), "log": -abs(y)}.get(y_kind, y)
    if t_kind == "label":
        return y, [np.zeros(2, int), np.array([1, 2])]
    ones = np.ones_like(y)
    return y, [-ones if t_kind == "sign" else 0 * ones, ones]


@pytest.mark.filterwarnings("ignore:reduction")  # of KLDivLoss
@pytest.mark.parametrize("magnitude", [0.0, -0.0, 5e-324, 1e-40, 40.0, 80.0, 700.0, 1e15, 1e30, np.inf])
@pytest.mark.parametrize("name", sorted({case[0] for case in CASES}))
def test_extreme_predictions(name, magnitude, dtype):
    y, targets = extreme_case(name, magnitude, dtype)
    for t in targets:
        criterion, leaf = getattr(nn, name)(reduction="none"), torch.tensor(y, requires_grad=True)
        value = getattr(torch.nn, name)(reduction="none")(leaf, torch.tensor(t))
        value.sum().backward()
        for ours, theirs in ((criterion(y, t), value.detach()), (criterion.backward(), leaf.grad)):
            known = np.isfinite(theirs.numpy()) | (name not in LIMITS_KEPT)
            limit = 5e-9 if name == "BCELoss" else 1e-10  # its 1e-12 is float32's there
            limit = LIMIT["float32"] if dtype == "float32" else limit
            np.testing.assert_allclose(ours[known], theirs.numpy()[known], rtol=limit, atol=limit)


def test_limits_that_are_kept():
    """Where PyTorch returns inf or NaN: docs/pytorch.md."""
    y = np.array([[800.0, -800.0]])
    assert nn.SoftMarginLoss(reduction="none")(-y, np.sign(y)).tolist() == [[800.0, 800.0]]
    assert nn.BCEWithLogitsLoss(reduction="none")([[-np.inf]], [[1.0]]).tolist() == [[np.inf]]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("settings", [{}, {"full": True}, {"eps": 0.5}], ids=str)
@pytest.mark.parametrize("shape", [(9, 5), (9, 1)])
def test_gaussian(settings, shape, reduction, dtype, rng):
    y, t = KINDS["real"](rng).astype(dtype), KINDS["real"](rng).astype(dtype)
    var = rng.uniform(0, 2, shape).astype(dtype)
    criterion = nn.GaussianNLLLoss(**settings, reduction=reduction)
    reference = torch.nn.GaussianNLLLoss(**settings, reduction=reduction)
    means, spread = torch.tensor(y, requires_grad=True), torch.tensor(var, requires_grad=True)
    value = reference(means, torch.tensor(t), spread)
    value.sum().backward()
    close(criterion(y, t, var), value, dtype)
    close(criterion.backward(), means.grad, dtype)
    ours = criterion.backward_var()
    close(ours if shape == (9, 5) else ours.sum(axis=1, keepdims=True), spread.grad, dtype)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_losses_are_their_formulas(gamma, dtype, rng):
    y, t, label = (cast(KINDS[kind](rng), dtype) for kind in ("real", "unit", "label"))
    for hard in (np.round(t), t):
        logits, target = torch.tensor(y, requires_grad=True), torch.tensor(hard)
        entropy, p = F.binary_cross_entropy_with_logits(logits, target, reduction="none"), logits.sigmoid()
        wrong = 1 - (p * target + (1 - p) * (1 - target))
        value = ((0.25 * target + 0.75 * (1 - target)) * entropy * wrong**gamma).mean()
        value.backward()
        criterion = nn.BinaryFocalLoss(gamma=gamma)
        close(criterion(y, hard), value, dtype)
        close(criterion.backward(), logits.grad, dtype)
    logits = torch.tensor(y, requires_grad=True)
    log_p = logits.log_softmax(1).gather(1, torch.tensor(label)[:, None])[:, 0]
    alpha = torch.tensor(WEIGHT, dtype=log_p.dtype)[torch.tensor(label)]
    value = (alpha * (1 - log_p.exp()) ** gamma * -log_p).mean()
    value.backward()
    criterion = nn.FocalLoss(WEIGHT, gamma)
    close(criterion(y, label), value, dtype)
    close(criterion.backward(), logits.grad, dtype)


@pytest.mark.parametrize("full", [False, True])
def test_logarithms_of_variances(full, dtype, rng):
    """Theirs of the exponentials, by the chain rule of autograd."""
    y, t, s = (rng.normal(size=(7, 3)).astype(dtype) for _ in range(3))
    mean, log_var = (torch.tensor(a, requires_grad=True) for a in (y, s))
    value = torch.nn.GaussianNLLLoss(full=full)(mean, torch.tensor(t), log_var.exp())
    value.backward()
    criterion = nn.GaussianNLLLoss(full=full, log_var=True)
    close(criterion(y, t, s), value, dtype)
    close(criterion.backward(), mean.grad, dtype)
    close(criterion.backward_var(), log_var.grad, dtype)


OURS = {"GaussianNLLLoss": {"log_var"}}  # arguments that they do not have


@pytest.mark.parametrize("name", sorted({case[0] for case in CASES} | {"GaussianNLLLoss"}))
def test_defaults_are_theirs(name):
    ours = inspect.signature(getattr(nn, name)).parameters
    theirs = inspect.signature(getattr(torch.nn, name)).parameters
    for key, parameter in ours.items():
        if key not in OURS.get(name, ()):
            assert parameter.default == theirs[key].default, key
