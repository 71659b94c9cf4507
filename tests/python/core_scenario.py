"""Uses of the package that call every function and class of `cmlp._core`, on data as small as they go."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import numpy as np

import cmlp
from cmlp import _core, nn, optim
from every_object import EVERY_LOSS, EVERY_MODULE, EVERY_OPTIMIZER

X = np.random.default_rng(0).normal(size=(6, 3))
LABELS = np.arange(6) % 2


def net(dtype: str = "float32") -> nn.Sequential:
    layers = (nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))
    return nn.Sequential(*layers, seed=1, dtype=dtype)


def modules() -> None:
    """Every module forwards, goes backward and is copied."""
    for make in EVERY_MODULE.values():
        with contextlib.suppress(Exception):
            made = nn.Sequential(make())
            y = made(X.astype(made.dtype))
            made.backward(np.ones_like(y))
            made._core.copy()


def losses() -> None:
    """Every loss is called."""
    for make in EVERY_LOSS.values():
        loss = make()
        for y, target in ((X[:, :2], LABELS), (X[:, :2], np.abs(X[:, 1:])), (X[:, :1], np.abs(X[:, :1]))):
            with contextlib.suppress(ValueError):
                loss(y.astype("f4"), target)
                loss.backward()


def optimizers() -> None:
    """Every optimizer takes steps, in both precisions."""
    for make in EVERY_OPTIMIZER.values():
        for dtype in ("float32", "float64"):
            network = net(dtype)
            with contextlib.suppress(ValueError):
                optimizer = make(network.parameters())
                network.fit(X, LABELS, loss="cross_entropy", optimizer=optimizer, epochs=1, batch_size=4)
                optimizer.load_state_dict(optimizer.state_dict())
                network.train_step(X, LABELS, nn.CrossEntropyLoss(), optimizer)


def training(dtype: str) -> None:
    """A network is trained, evaluated, written and taken apart."""
    network = net(dtype)
    optimizer = optim.Adam(network.parameters())
    network.fit(X, LABELS, loss="cross_entropy", optimizer=optimizer, epochs=2, validation_data=(X, LABELS),
                metrics=["accuracy"], clip_grad_norm=1.0, sample_weight=np.ones(6))  # fmt: skip
    network.fit(X, X[:, :2], loss="mse", epochs=1, mixup=0.5, input_noise=0.1, verbose=0)
    network.evaluate(X, LABELS, loss="cross_entropy", metrics=["accuracy"])
    network.predict(X)
    network.trace(X)
    network(X)
    network.zero_grad()
    network.summary()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    nn.utils.clip_grad_value_(network.parameters(), 1.0)
    nn.init.data_driven_(network, X)
    nn.init.zeros_(network[0].weight)
    network.reset_parameters()
    optimizer.add_param_group({"params": nn.Linear(2, 2, dtype=dtype).parameters()})
    cmlp.gradcheck(net("float64"), X, LABELS, nn.CrossEntropyLoss())
    core = network._core
    core.convert()
    with core.changing("a test"):
        core.set_layer(0, *core.layers()[0][1:])
    core.backward(np.ones_like(core.forward(X)))
    core.outputs()
    core.output_width(3)
    core.widths()
    core.buffers()
    core.flat_state()
    core.layers()
    core.parameters()
    core.reset_parameters(3)
    core.initialize(0, "zeros", {}, 0)
    core.initialize_from(X, 1)
    with core.reading("a test"):
        pass
    _core.from_bytes(core.to_bytes())
    optimizer._core.setting("lr")
    optimizer._core.set_setting("lr", 0.1)
    optimizer._core.memory()
    optimizer._core.set_memory([0.0, 0.0])
    optimizer._core.joined(0)
    optimizer._core.set_joined(0, 0)
    optimizer._core.state()
    _core.average([(core, 0)], [(core, 0)], 0.5)
    _core.grad_norm([(core, 0)], 2.0)


def rows_and_steps(dtype: str) -> None:
    """What the package does only in some of its ways to train."""
    network, loss = net(dtype), nn.CrossEntropyLoss()._core
    core, kind = network._core, dtype[-2:]
    rows = _core.fit_rows(core, loss, X, LABELS, None, None, "a test")
    rows.predict(core)
    rows.steps_an_epoch(core, {"batch_size": 4})
    core.zero_grad()
    members = [(core, k) for k in range(4)]
    lbfgs = getattr(_core, f"LBFGS{kind}")(members)
    lbfgs.step(lambda: _core.full_batch_pass(core, [0], np.ones(12), X, LABELS, None, loss, 0.0) and 0.5)
    lbfgs.set_state(lbfgs.state())
    groups = [(members, {"lr": 0.1})]
    first, second = (getattr(_core, f"Optimizer{kind}")("adam", groups) for _ in range(2))
    first.step()
    _core.move_state(second, [members], first, [members])


def files() -> None:
    """A network is written and read."""
    path = Path(tempfile.mkdtemp()) / "model.safetensors"
    cmlp.save(net(), path)
    cmlp.load(path)


def estimators() -> None:
    """Estimators are fitted, alone and side by side."""
    settings = {"hidden_layer_sizes": (2,), "max_iter": 2, "random_state": 0}
    for options in ({}, {"solver": "lbfgs"}, {"early_stopping": True}, {"solver": "sgd"}):
        with contextlib.suppress(ValueError, AttributeError):
            model = cmlp.MLPClassifier(**settings, **options).fit(np.tile(X, (4, 1)), np.tile(LABELS, 4))
            model.predict_proba(X)
            model.partial_fit(X, LABELS)
    cmlp.MLPRegressor(**settings).fit(X, X[:, 0]).predict(X)
    cmlp.fit_many(cmlp.MLPClassifier(**settings), X, LABELS)
    for rule in (row["name"] for row in _core.perceptron_rules()):
        cmlp.Perceptron(rule).fit(X, LABELS).predict(X)


def names() -> None:
    """What takes a name or nothing."""
    lists = "activations functions initializers losses metrics optimizers perceptron_rules schedules"
    for function in f"{lists} built_isas get_num_threads isa isas team_kind".split():
        getattr(_core, function)()
    _core.function("exp", X[:, 0].copy())
    _core.training_hash(_core.reference_trainings()[0][0])
    _core.larger_is_better("accuracy")
    _core.largest_error("exp")
    _core.layer_parameters("Linear", {"in_features": 3, "out_features": 2})
    _core.output_kind("mse")
    _core.target_range("mse")
    _core.set_isa(_core.isa())
    _core.set_num_threads(2)
    _core.permutation(5, 1)
    _core.mixup_pairs(4, 0.5, 1, 1)
    _core.input_noise(3, 2, 1, 1)
    cmlp.runtime.Execution(1)
    optim.lr_scheduler.CosineAnnealingLR(optim.SGD(net().parameters(), lr=0.1), T_max=3)


def scenario() -> None:
    """All of it."""
    for part in (modules, losses, optimizers, files, estimators, names):
        part()
    for dtype in ("float32", "float64"):
        training(dtype)
        rows_and_steps(dtype)
