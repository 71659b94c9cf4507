"""One of everything that is made with settings, none of them a default where there is a choice."""

from __future__ import annotations

import numpy as np

from cmlp import EarlyStopping, nn, optim

MODULES = {
    "Linear": lambda: nn.Linear(
        3,
        2,
        bias=False,
        init="he",
        init_settings={"gain": 0.5},
        parametrization="ntk",
        seed=3,
        dtype="float64",
    ),
    "Dropout": lambda: nn.Dropout(0.25),
    "AlphaDropout": lambda: nn.AlphaDropout(0.25),
    "Softmax": lambda: nn.Softmax(1),
    "LogSoftmax": lambda: nn.LogSoftmax(1),
    "Flatten": lambda: nn.Flatten(),
    "LayerNorm": lambda: nn.LayerNorm(3, eps=1e-3, bias=False, dtype="float64"),
    "RMSNorm": lambda: nn.RMSNorm([3], eps=1e-3),
    "BatchNorm1d": lambda: nn.BatchNorm1d(3, momentum=None, bias=False),
    "GLU": lambda: nn.GLU(1),
    "SwiGLU": lambda: nn.SwiGLU(),
    "GEGLU": lambda: nn.GEGLU(),
    "PReLU": lambda: nn.PReLU(3, init=0.5),
    "RReLU": lambda: nn.RReLU(0.25, 0.5),
    "Embedding": lambda: nn.Embedding(3, 2, padding_idx=-1, columns=[1], seed=2),
    "PeriodicEmbedding": lambda: nn.PeriodicEmbedding(3, 2, 2, sigma=0.5),
    "PiecewiseLinearEmbedding": lambda: nn.PiecewiseLinearEmbedding([[0.0, 0.5], [0.0, 1.0, 2.0]], 2),
    "Scale": lambda: nn.Scale(3),
    "ParametricActivation": lambda: nn.ParametricActivation(nn.LeakyReLU(0.5), 3),
    "BatchEnsemble": lambda: nn.BatchEnsemble(3, 2, 2, True, "signs"),
    "Activation": lambda: nn.Activation("leaky_relu", negative_slope=0.5),
    "LeakyReLU": lambda: nn.LeakyReLU(0.5),
    "GELU": lambda: nn.GELU("tanh"),
    "Residual": lambda: nn.Residual(nn.Linear(3, 3), nn.Tanh(), seed=2),
    "Ensemble": lambda: nn.Ensemble(
        nn.Linear(3, 2), nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), weights=[0.25, 1.5], seed=2
    ),
    "Sequential": lambda: nn.Sequential(
        nn.Linear(3, 3), nn.Sequential(nn.Residual(nn.Linear(3, 3), nn.ReLU())), seed=4, dtype="float64"
    ),
}
LOSSES = {
    "Loss": lambda: nn.Loss("huber", delta=2.0, reduction="sum"),
    "CrossEntropyLoss": lambda: nn.CrossEntropyLoss(np.array([1.0, 2.0]), "sum", 0.1, ignore_index=3),
    "NLLLoss": lambda: nn.NLLLoss([1.0, 2.0]),
    "FocalLoss": lambda: nn.FocalLoss((1.0, 2.0), 3.0),
    "MultiMarginLoss": lambda: nn.MultiMarginLoss(2, 0.5, [1.0, 2.0]),
    "BCEWithLogitsLoss": lambda: nn.BCEWithLogitsLoss(pos_weight=3.0),
    "BinaryFocalLoss": lambda: nn.BinaryFocalLoss(None, 1.0),
    "SmoothL1Loss": lambda: nn.SmoothL1Loss(beta=0.5),
    "HuberLoss": lambda: nn.HuberLoss(delta=0.5),
    "KLDivLoss": lambda: nn.KLDivLoss("batchmean", True),
    "PoissonNLLLoss": lambda: nn.PoissonNLLLoss(False, True, eps=1e-6),
    "TweedieLoss": lambda: nn.TweedieLoss(1.25),
    "GaussianNLLLoss": lambda: nn.GaussianNLLLoss(full=True, eps=1e-3, log_var=True),
    "QuantileLoss": lambda: nn.QuantileLoss([0.25, 0.75]),
}
OPTIMIZERS = {
    "Adam": lambda p: optim.Adam(p, lr=0.1, betas=(0.5, 0.75), amsgrad=True, eps_mode="keras"),
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.5, nesterov=True),
    "Muon": lambda p: optim.Muon(p, adjust_lr_fn="match_rms_adamw", ns_steps=3),
    "LBFGS": lambda p: optim.LBFGS(p, max_iter=5, line_search_fn="strong_wolfe"),
    "LevenbergMarquardt": lambda p: optim.LevenbergMarquardt(p, damping=0.5),
    "Optimizer": lambda p: optim.Optimizer(p, "rmsprop", lr=0.5, centered=True),
    "Rprop": lambda p: optim.Rprop(p, etas=(0.25, 1.5)),
}


def classes(home, base):
    """Return the names of a module's public classes below a base."""
    found = {name: getattr(home, name) for name in home.__all__}
    return [name for name, cls in found.items() if isinstance(cls, type) and issubclass(cls, base)]


def make_all(home, base, table, *arguments):
    """Return {name: function that makes one}, by the table or with defaults."""
    names = [name for name in classes(home, base) if name not in ("Module", "Optimizer")]
    makers = {name: table.get(name, lambda *a, name=name: getattr(home, name)(*a)) for name in names}
    return {**makers, **table}


EVERY_MODULE = make_all(nn, nn.Module, MODULES)
EVERY_LOSS = make_all(nn, nn.Loss, LOSSES)
EVERY_OPTIMIZER = make_all(optim, object, OPTIMIZERS)
STOPPING = {"EarlyStopping": lambda: EarlyStopping("val_loss", 3, 0.5, False)}
