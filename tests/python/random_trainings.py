"""Training runs drawn from a number: every layer, loss and rule, both precisions, bfloat16, sparse rows."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

import cmlp
from cmlp import _core, nn, optim
from networks import as_targets

RULES = [*cmlp.optimizers(), "lbfgs"]
SLOW_RULES = ("muon", "lbfgs")
PRECISIONS = [("float32", "float32"), ("float64", "float64"), ("float32", "bf16")]
HEADS = ("dense", "sparse", "table")
MORE = [
    {},
    {"l1": 1e-3, "l2": 0.01, "max_norm": 1.5},
    {"mixup": 0.4, "input_noise": 0.1},
    {"accumulate_steps": 2, "l2": 0.1, "drop_last": True},
]
# Each layer: the modules for n columns, of which about m come out, and the columns that do.
BLOCKS = {
    "Activation": lambda n, m, rng: ([nn.Activation(str(rng.choice(cmlp.activations())))], n),
    "Dropout": lambda n, m, rng: ([nn.Dropout(0.3)], n),
    "AlphaDropout": lambda n, m, rng: ([nn.AlphaDropout(0.2)], n),
    "RReLU": lambda n, m, rng: ([nn.RReLU()], n),
    "PReLU": lambda n, m, rng: ([nn.PReLU(n)], n),
    "Softmax": lambda n, m, rng: ([nn.Softmax()], n),
    "LogSoftmax": lambda n, m, rng: ([nn.LogSoftmax()], n),
    "LayerNorm": lambda n, m, rng: ([nn.LayerNorm(n)], n),
    "RMSNorm": lambda n, m, rng: ([nn.RMSNorm(n)], n),
    "BatchNorm1d": lambda n, m, rng: ([nn.BatchNorm1d(n)], n),
    "Gated": lambda n, m, rng: ([nn.Linear(n, 2 * m), rng.choice([nn.GLU, nn.SwiGLU, nn.GEGLU])()], m),
    "Residual": lambda n, m, rng: ([nn.Residual(nn.LayerNorm(n), nn.Linear(n, n), nn.SiLU())], n),
    "Ensemble": lambda n, m, rng: (
        [nn.Ensemble(nn.Linear(n, m), nn.Sequential(nn.Linear(n, 9), nn.Tanh(), nn.Linear(9, m)))],
        m,
    ),
    "BatchEnsemble": lambda n, m, rng: ([nn.BatchEnsemble(n, m, 2, True, "signs")], 2 * m),
    "Scale": lambda n, m, rng: ([nn.Scale(n)], n),
    "ParametricActivation": lambda n, m, rng: ([nn.ParametricActivation(nn.Tanh(), n)], n),
    "Flatten": lambda n, m, rng: ([nn.Flatten()], n),
}
ENDS = {"probability": nn.Sigmoid, "log_probability": nn.LogSoftmax, "moments": nn.Softplus}
CODES = 11


class RandomTraining:
    """A network, its rows and how it is trained; `largest`: the largest width."""

    def __init__(self, number: int, largest: int = 900) -> None:
        self.number, self.rng = number, np.random.default_rng([19, number])
        self.dtype, self.precision = PRECISIONS[number % 3]
        self.head = HEADS[number // 3 % 3]
        if (self.precision, self.head) == ("bf16", "sparse"):  # refused
            self.head = "dense"
        self.rule = RULES[(7 * number + number // len(RULES)) % len(RULES)]
        self.loss = str(self.rng.choice(cmlp.losses()))
        self.largest = largest if number % 7 == 0 else min(largest, 150)
        if self.rule in SLOW_RULES:
            self.largest = min(self.largest, 300)
        self.names = [*self.rng.choice(list(BLOCKS), 2).tolist(), list(BLOCKS)[number % len(BLOCKS)]]
        self.widths = [int(w) for w in self.rng.integers(1, self.largest + 1, len(self.names) + 1)]
        self.outputs = int(self.rng.integers(1, 12))
        self.batch_size = int(self.rng.integers(1, 301))
        self.rows = min(int(self.batch_size * self.rng.uniform(1, 2)) + 1, 400)
        if "BatchNorm1d" in self.names:  # refuses a batch of one row
            self.batch_size = max(self.batch_size, 2)
            self.rows += self.rows % self.batch_size == 1
        self.make_rows()

    def make_rows(self) -> None:
        rng = self.rng
        x = rng.normal(size=(self.rows, max(4, self.widths[0]))).astype(self.dtype)
        if self.head == "sparse":
            x *= rng.random(x.shape) < 0.1
        if self.head == "table":
            x[:, 0] = rng.integers(0, CODES, self.rows)
        self.x = sp.csr_array(x) if self.head == "sparse" else x
        if _core.output_kind(self.loss) == "class_logits":
            self.y = rng.integers(0, self.outputs, self.rows)
        else:
            self.y = as_targets(self.loss, rng.uniform(0.05, 1, (self.rows, self.outputs)).astype(self.dtype))
        self.weight = rng.uniform(0.1, 2, self.rows) if self.number % 2 else None

    def modules(self) -> list[nn.Module]:
        """Return the layers; the same at each call."""
        rng, width, layers = np.random.default_rng(self.number), self.x.shape[1], []
        if self.head == "table":
            layers = [
                nn.PiecewiseLinearEmbedding([[-1.0, 0.0, 0.5, 2.0]], 3, columns=[3]),
                nn.PeriodicEmbedding(width + 2, 5, 4, columns=[1, 2]),
                nn.Embedding(CODES, 6, columns=[0]),
            ]
            width += 2 + 6 + 5
        for name, m in zip(self.names, self.widths[1:], strict=True):
            layers.append(nn.Linear(width, m, bias=bool(rng.random() < 0.8)))
            more, width = BLOCKS[name](m, max(1, m // 2), rng)
            layers += more
        kind = _core.output_kind(self.loss)
        layers.append(nn.Linear(width, self.outputs * (2 if kind == "moments" else 1)))
        return layers + [ENDS[kind]() for _ in range(kind in ENDS)]

    def network(self) -> nn.Sequential:
        return nn.Sequential(
            *self.modules(), seed=self.number, dtype=self.dtype,
            precision=self.precision if self.precision == "bf16" else None,
        )  # fmt: skip

    def options(self) -> dict[str, object]:
        if self.rule == "lbfgs":
            return {"batch_size": self.rows}
        more = MORE[self.number // 2 % len(MORE)]
        more = {} if self.head != "dense" and "mixup" in more else more
        return {"batch_size": self.batch_size, "clip_grad_norm": 0.5, **more}

    def trained(self) -> list[np.ndarray]:
        """Return all that two epochs leave behind, or the text of the error of a run that diverges."""
        net = self.network()
        rules = {"lbfgs": lambda p: optim.LBFGS(p, max_iter=4)}
        optimizer = rules.get(self.rule, lambda p: optim.Optimizer(p, self.rule, lr=0.003))(net.parameters())
        try:
            history = net.fit(
                self.x, self.y, loss=self.loss, optimizer=optimizer, epochs=2, seed=self.number,
                sample_weight=self.weight, verbose=False, **self.options(),
            )  # fmt: skip
        except cmlp.NonFiniteError as error:
            return [np.array(str(error))]
        return [*net.state_dict().values(), np.array(history.history["loss"]), net.predict(self.x)]

    def __repr__(self) -> str:
        return (
            f"RandomTraining({self.number}, {self.largest}): {self.precision}, {self.head} {self.x.shape}, "
            f"{self.names}, {self.widths}, {self.loss}, {self.rule}, batches of {self.batch_size}"
        )
