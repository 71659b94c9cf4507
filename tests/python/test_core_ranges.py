"""Numbers that cannot be, given to the core's own entries, are refused.

Each test runs in a process of its own, since what it guards against ends a process.
"""

from __future__ import annotations

import pytest

import fresh

SETUP = """
    import json
    import numpy as np
    from cmlp import nn, optim, _core
    net = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3), seed=1)
    core, x = net._core, np.ones((2, 5), np.float32)
    core.forward(x)
    bad = [-100000, -2, -1, 3, 4, 100000, 2**31, 2**62, -2**62]
    kinds = []
    def refused(call, *values):
        try:
            call(*values)
        except (ValueError, IndexError, OverflowError, MemoryError, TypeError, RuntimeError) as error:
            kinds.append(type(error).__name__)
        else:
            kinds.append("none")
"""

CALLS = {
    "layers": """
    for mode in (True, False):
        core.training = mode
        for a in bad:
            for b in bad:
                if (a, b) in ((0, 3), (0, -1)):
                    continue
                for f in (core.forward, core.predict, core.trace):
                    refused(lambda: f(x, a, b))
                refused(lambda: core.backward(np.ones((2, 3)), a, b))
                refused(lambda: core.outputs(a, b))
    """,
    "parameters": """
    for a in bad:
        refused(lambda: core.initialize(a + 4 if a >= 0 else a, "zeros", {}, 0))
        refused(lambda: core.initialize_from(x, 0, a, a))
        refused(lambda: core.output_width(a))
    """,
    "rows": """
    for a in (-100000, -1, 2**62, -2**62):
        refused(lambda: _core.permutation(a, 0))
        refused(lambda: _core.mixup_pairs(a, 0.5, 0, 0))
        refused(lambda: _core.input_noise(a, 2**61, 0, 0))
        refused(lambda: _core.input_noise(2**61, a, 0, 0))
    """,
    "optimizers": """
    adam = optim.Adam(net.parameters())._core
    for a in bad:
        refused(lambda: adam.setting("lr", a))
        refused(lambda: adam.set_setting("lr", 0.1, a))
        refused(lambda: adam.joined(a))
        refused(lambda: adam.set_joined(1, a))
        refused(lambda: adam.memory(a))
        refused(lambda: adam.set_memory([0.0, 0.0], a))
        members = [(core, a + 1 if a >= 0 else a)]
        refused(lambda: _core.Optimizer32("adam", [(members, {})]))
        refused(lambda: adam.add_group(members, {}))
        refused(lambda: _core.LBFGS32(members))
        refused(lambda: _core.LevenbergMarquardt32(members))
        refused(lambda: _core.grad_norm(members, 2.0))
        refused(lambda: _core.clip_grad_norm(members, 1.0, 2.0))
        refused(lambda: _core.clip_grad_value(members, 1.0))
        refused(lambda: _core.average(members, members, 0.5))
    """,
    "passes over all rows": """
    rest = x, np.ones((2, 3)), None, nn.MSELoss()._core, 0.0
    for a in bad:
        if a != 3:
            refused(lambda: _core.full_batch_pass(core, [a], np.ones(3), *rest))
    """,
}


@pytest.mark.parametrize("calls", CALLS)
def test_the_core_refuses_what_cannot_be(calls):
    kinds = fresh.result(SETUP + CALLS[calls] + "\n    print(json.dumps(kinds))\n")
    assert kinds
    assert "none" not in kinds


SIZES = {
    "BatchEnsemble": "nn.BatchEnsemble(8, 8, 2**61)",
    "BatchEnsemble's output": "nn.BatchEnsemble(8, 2**40, 2**40)",
    "Linear": "nn.Linear(2**62, 2)",
    "Linear's weight": "nn.Linear(2**40, 2**40)",
    "Embedding": "nn.Embedding(2**40, 2**40)",
    "PeriodicEmbedding": "nn.PeriodicEmbedding(2**40, 2**30)",
    "LayerNorm": "nn.LayerNorm(2**62)",
    "BatchNorm1d": "nn.BatchNorm1d(2**62)",
    "PReLU": "nn.PReLU(2**62)",
    "gates": "nn.Sequential(*[nn.GLU() for _ in range(64)], nn.Linear(8, 8))",
    "several layers": "nn.Sequential(*[nn.BatchNorm1d(2**58) for _ in range(40)])",
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_that_no_memory_holds_are_refused(name):
    code = f"""
    import json
    from cmlp import nn
    try:
        net = {SIZES[name]}
        net.parameters()
    except (ValueError, MemoryError) as error:
        print(json.dumps([type(error).__name__, str(error)]))
    """
    kind, text = fresh.result(code)
    assert kind == "ValueError"
    assert "memory" in text
